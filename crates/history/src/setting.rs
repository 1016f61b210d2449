//! What was true before the first operation: which listings there were, with their pools and limits, and how
//! the clients' clock relates to the server's.

use serde::{Deserialize, Serialize};

/// Longest time, in milliseconds, that an availability reading may be behind the commits, where the recorder
/// says nothing else.
pub const AVAILABILITY_LAG_MS: i64 = 250;
/// Longest time, in milliseconds, between a deadline and the event that shows it.
pub const LAPSE_LATENESS_MS: i64 = 5_000;

/// The setting of a history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The listings that were used. At the beginning none of them had a booking, and during the recording
    /// nobody changed them or their bookings but the recorded clients.
    pub listings: Vec<Listing>,
    /// How the clients' clock relates to the server's.
    pub clock: Clock,
    /// How far availability may be behind the commits, in milliseconds.
    #[serde(default = "availability_lag")]
    pub availability_lag_ms: i64,
}

fn availability_lag() -> i64 {
    AVAILABILITY_LAG_MS
}

impl Setting {
    /// A setting with the lag that is promised.
    #[must_use]
    pub fn new(clock: Clock, listings: Vec<Listing>) -> Self {
        Self { listings, clock, availability_lag_ms: AVAILABILITY_LAG_MS }
    }
}

/// A listing: what is scarce in it and what one customer may have. On sale during the whole recording.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Its id, as clients name it.
    pub id: String,
    /// Its pools, with the numbers at the beginning.
    pub pools: Vec<Pool>,
    /// Most units that one customer may have in `held`, `in_review`, `confirmed` and `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_customer: Option<i64>,
    /// Most live holds of one customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_open_holds: Option<i64>,
    /// How many units a booking's lines are.
    #[serde(default)]
    pub measure: Measure,
    /// How long a new hold lives, in seconds; none where that is not to be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_seconds: Option<i64>,
    /// How long a hold lives at most, extended, in seconds; none where that is not to be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_max_seconds: Option<i64>,
}

/// A pool at the beginning.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its key in the listing.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units withheld from sale.
    #[serde(default)]
    pub blocked: i64,
}

/// How the lines of a booking count against `max_per_customer`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The sum of the lines: places and seats.
    #[default]
    Sum,
    /// The largest sum at one position, which is what follows the first `/` of a pool's key: rooms per night,
    /// resources per slot.
    PerPosition,
}

/// How the clients' clock relates to the server's: an instant at which the clients' clock shows `t` ms shows
/// on the server's clock something from `t + offset_low_ms` to `t + offset_high_ms`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Least offset, in milliseconds.
    pub offset_low_ms: i64,
    /// Largest offset, in milliseconds.
    pub offset_high_ms: i64,
    /// How far the server's stamps may be out of the order in which things were decided: 0 for one database
    /// whose clock is read under the locks, the difference of two clocks where a replica was promoted.
    #[serde(default)]
    pub slack_ms: i64,
}

impl Clock {
    /// One clock for both sides.
    pub const SHARED: Self = Self { offset_low_ms: 0, offset_high_ms: 0, slack_ms: 0 };

    /// The narrowest bounds that explain the samples: begin and end of a request in microseconds of the
    /// clients' clock, and an instant in milliseconds that the server took in between (`as_of`, or
    /// `created_at` of a first answer). None without samples, or if no one offset explains them all.
    #[must_use]
    pub fn from_samples(samples: impl IntoIterator<Item = (i64, i64, i64)>) -> Option<Self> {
        let mut bounds: Option<(i64, i64)> = None;
        for (started_us, ended_us, server_ms) in samples {
            let low = server_ms - ended_us.div_euclid(1000) - 1;
            let high = server_ms + 1 - started_us.div_euclid(1000);
            bounds = Some(bounds.map_or((low, high), |(l, h)| (l.max(low), h.min(high))));
        }
        let (offset_low_ms, offset_high_ms) = bounds?;
        (offset_low_ms <= offset_high_ms).then_some(Self { offset_low_ms, offset_high_ms, slack_ms: 0 })
    }

    /// The same bounds, wider by `ms` on either side: for a server whose clock is steered meanwhile.
    #[must_use]
    pub const fn widened(self, ms: i64) -> Self {
        Self {
            offset_low_ms: self.offset_low_ms - ms,
            offset_high_ms: self.offset_high_ms + ms,
            slack_ms: self.slack_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_narrow_the_offset_from_both_sides() {
        let clock = Clock::from_samples([(0, 10_000, 5_005), (20_000, 24_000, 5_021)]).unwrap();
        assert!(clock.offset_low_ms <= 5_000 && 5_000 <= clock.offset_high_ms, "{clock:?}");
        assert!(clock.offset_high_ms - clock.offset_low_ms <= 6, "{clock:?}");
        assert_eq!(Clock::from_samples([]), None);
        assert_eq!(Clock::from_samples([(0, 1_000, 5_000), (0, 1_000, 9_000)]), None);
    }
}
