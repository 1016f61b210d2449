//! Instants. The core never reads a clock: every function that needs the time is given one.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

/// The latest instant that is accepted from outside: the end of the year 9998.
const MAX_MILLIS: i64 = 253_370_764_799_999;

/// An instant in milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The instant `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant `seconds` later; never beyond the last one that can be written.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The same instant as jiff's type. Instants outside jiff's range are moved to its edge.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl Add<std::time::Duration> for Time {
    type Output = Self;
    fn add(self, rhs: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl From<Timestamp> for Time {
    fn from(value: Timestamp) -> Self {
        Self(value.as_millisecond())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Time {
    type Err = &'static str;
    /// Reads RFC 3339 with any offset; finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant: Timestamp =
            text.parse().map_err(|_| "must be an RFC 3339 instant like 2026-12-24T17:00:00Z")?;
        let instant = instant
            .round(jiff::TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Floor));
        let millis = instant.map_err(|_| "is out of range")?.as_millisecond();
        if (0..=MAX_MILLIS).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err("must lie between the years 1970 and 9998")
        }
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; TEXT_BYTES];
        match self.write(&mut text) {
            Some(len) => s.serialize_str(std::str::from_utf8(&text[..len]).expect("digits are ASCII")),
            None => s.collect_str(self),
        }
    }
}

/// Bytes of an instant as text: `2026-12-24T17:00:00.123Z`.
const TEXT_BYTES: usize = 24;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Time {
    /// Writes the same text as `Display` does, without its machinery: instants stand in every answer. None
    /// for instants that are not accepted from outside; how long it is otherwise.
    fn write(self, text: &mut [u8; TEXT_BYTES]) -> Option<usize> {
        if !(0..=MAX_MILLIS).contains(&self.0) {
            return None;
        }
        let (year, month, day) = civil(self.0 / DAY_MS);
        let (seconds, millis) = (self.0 % DAY_MS / 1000, self.0 % 1000);
        *text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (year, 0, 4),
            (month, 5, 2),
            (day, 8, 2),
            (seconds / 3600, 11, 2),
            (seconds / 60 % 60, 14, 2),
            (seconds % 60, 17, 2),
            (millis, 20, 3),
        ];
        for (mut value, at, digits) in parts {
            for digit in text[at..at + digits].iter_mut().rev() {
                *digit = b'0' + u8::try_from(value % 10).expect("one digit");
                value /= 10;
            }
        }
        if millis == 0 {
            text[19] = b'Z';
            return Some(20);
        }
        let mut end = TEXT_BYTES - 1;
        while text[end - 1] == b'0' {
            end -= 1;
        }
        text[end] = b'Z';
        Some(end + 1)
    }
}

/// Year, month and day of a day since 1970-01-01, which must not lie before it. After Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: years begin in March, so that the leap
/// day is the last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let since_0000_03_01 = days + 719_468;
    let era = since_0000_03_01 / 146_097;
    let day_of_era = since_0000_03_01 % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + (month <= 2) as i64;
    (year, month, day)
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Time {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_are_written_in_utc_with_z() {
        let time: Time = "2026-12-24T18:00:00+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-12-24T17:00:00Z");
        assert_eq!(time.plus_seconds(1).to_string(), "2026-12-24T17:00:01Z");
        assert_eq!(Time::from_millis(1_500).to_string(), "1970-01-01T00:00:01.5Z");
    }

    proptest! {
        #[test]
        fn instants_are_serialised_as_they_are_displayed(millis in -1_000_000..=MAX_MILLIS + 1_000_000) {
            let time = Time::from_millis(millis);
            prop_assert_eq!(serde_json::to_string(&time).unwrap(), format!("\"{time}\""));
            let time = Time::from_millis(millis / 1000 * 1000);
            prop_assert_eq!(serde_json::to_string(&time).unwrap(), format!("\"{time}\""));
        }
    }

    #[test]
    fn dates_and_nonsense_are_no_instants() {
        for text in ["2026-12-24", "", "now", "1969-01-01T00:00:00Z", "2026-13-01T00:00:00Z"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
