//! Dates as numbers and as text.

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The date that has number 0.
const EPOCH: Date = date(1970, 1, 1);
/// Bytes of a date as text, `2026-12-24`.
const DATE_LEN: usize = 10;
const HOURS_PER_DAY: i64 = 24;

/// A calendar date, counted in days from 1970-01-01, which is day 0. It belongs to no time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochDay(pub i32);

impl EpochDay {
    /// The number of `date`.
    #[must_use]
    pub fn from_date(date: Date) -> Self {
        let days = date.duration_since(EPOCH).as_hours() / HOURS_PER_DAY;
        Self(i32::try_from(days).expect("dates span years -9999 to 9999"))
    }

    /// The date with this number. `None` before the year -9999 and after the year 9999.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        EPOCH.checked_add(SignedDuration::from_hours(i64::from(self.0) * HOURS_PER_DAY)).ok()
    }
}

/// A text that is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a date (YYYY-MM-DD)")]
pub struct DateError;

/// Reads a date that is written exactly as `2026-12-24`.
///
/// # Errors
///
/// [`DateError`] for any other text, also for the shorter and longer forms that ISO 8601 knows: a date names
/// a night in a pool's key, so each has one spelling.
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    let plain = text.bytes().enumerate().all(|(i, byte)| match i {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if text.len() != DATE_LEN || !plain {
        return Err(DateError);
    }
    text.parse().map_err(|_| DateError)
}

/// Dates in JSON, with the one spelling of [`parse_date`]: `#[serde(with = "...::date_text")]`.
pub mod date_text {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    /// Writes a date as `2026-12-24`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    /// Reads a date that is written as `2026-12-24`.
    ///
    /// # Errors
    /// For any other text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::parse_date(&text).map_err(|_| de::Error::custom("must be a date like 2026-12-24"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_first_of_january_1970() {
        assert_eq!(EpochDay::from_date(date(1970, 1, 1)), EpochDay(0));
        assert_eq!(EpochDay::from_date(date(1969, 12, 31)), EpochDay(-1));
        assert_eq!(EpochDay::from_date(date(2000, 3, 1)), EpochDay(11_017));
    }

    #[test]
    fn a_leap_day_has_its_own_number() {
        let leap = EpochDay::from_date(date(2028, 2, 29));
        assert_eq!(EpochDay(leap.0 - 1).date(), Some(date(2028, 2, 28)));
        assert_eq!(leap.date(), Some(date(2028, 2, 29)));
        assert_eq!(EpochDay(leap.0 + 1).date(), Some(date(2028, 3, 1)));
    }

    #[test]
    fn every_date_comes_back_from_its_number() {
        for date in [Date::MIN, date(1899, 12, 31), date(2026, 12, 24), Date::MAX] {
            assert_eq!(EpochDay::from_date(date).date(), Some(date));
        }
    }

    #[test]
    fn numbers_beyond_the_year_9999_are_no_dates() {
        assert_eq!(EpochDay(EpochDay::from_date(Date::MAX).0 + 1).date(), None);
        assert_eq!(EpochDay(i32::MIN).date(), None);
        assert_eq!(EpochDay(i32::MAX).date(), None);
    }

    #[test]
    fn dates_have_one_spelling() {
        assert_eq!(parse_date("2026-12-24"), Ok(date(2026, 12, 24)));
        for text in
            ["", "20261224", "2026-12-24T00:00", "2026-12-4", "2026-02-29", "+026-12-24", "2026-W52-4"]
        {
            assert_eq!(parse_date(text), Err(DateError), "{text}");
            let json = serde_json::json!({ "from": text, "until": "2026-12-25" });
            assert!(serde_json::from_value::<crate::listing::Calendar>(json).is_err(), "{text}");
        }
    }
}
