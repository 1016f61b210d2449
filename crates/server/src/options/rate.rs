//! Rates of requests, as they are written in flags.

use std::num::NonZeroU32;
use std::str::FromStr;

use lastseat_http::Rate;

/// A rate: `10` for ten requests a second, `10:50` to let fifty come at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RateArg(pub(crate) Rate);

impl FromStr for RateArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "give requests per second, like 10, and if need be how many may come at once, like 10:50";
        let number = |text: &str| text.parse::<NonZeroU32>().map_err(|_| WRONG);
        let (per_second, burst) = match text.split_once(':') {
            Some((per_second, burst)) => (number(per_second)?, number(burst)?),
            None => (number(text)?, number(text)?),
        };
        if burst < per_second {
            return Err(
                "how many may come at once cannot be fewer than may come in a second: give 20:20 rather than 20:10",
            );
        }
        Ok(Self(Rate { per_second, burst }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_may_name_a_burst() {
        let rate =
            |text: &str| text.parse::<RateArg>().map(|rate| (rate.0.per_second.get(), rate.0.burst.get()));
        assert_eq!(rate("10"), Ok((10, 10)));
        assert_eq!((rate("10:50"), rate("10:10")), (Ok((10, 50)), Ok((10, 10))));
        assert!(rate("20:10").unwrap_err().contains("cannot be fewer"));
        for wrong in ["", "0", "10:0", "-1", "1.5", "10:", "10/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
