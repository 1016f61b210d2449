//! Times of day in whole minutes.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Minutes of a day as clocks show them.
pub const MINUTES_PER_DAY: u32 = 1_440;

/// A time of day in whole minutes, from `00:00` to `24:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MinuteOfDay(u16);

impl MinuteOfDay {
    /// `hour`:`minute`; `None` beyond `24:00`.
    #[must_use]
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && u32::from(minutes) <= MINUTES_PER_DAY).then_some(Self(minutes))
    }

    /// Minutes since midnight, 0 to 1,440.
    #[must_use]
    pub fn minutes(self) -> u32 {
        u32::from(self.0)
    }

    /// The same as a time of a clock; `None` for `24:00`, which no clock shows.
    #[must_use]
    pub fn time(self) -> Option<Time> {
        let (hour, minute) = (i8::try_from(self.0 / 60).ok()?, i8::try_from(self.0 % 60).ok()?);
        Time::new(hour, minute, 0, 0).ok()
    }
}

/// A text that is not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a time of day (HH:MM, up to 24:00)")]
pub struct MinuteError;

impl fmt::Display for MinuteOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for MinuteOfDay {
    type Err = MinuteError;
    fn from_str(text: &str) -> Result<Self, MinuteError> {
        let two_digits = |part: &str| match part.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Some(u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
            }
            _ => None,
        };
        let (hour, minute) = text.split_once(':').ok_or(MinuteError)?;
        let (hour, minute) = two_digits(hour).zip(two_digits(minute)).ok_or(MinuteError)?;
        Self::new(hour, minute).ok_or(MinuteError)
    }
}

impl Serialize for MinuteOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MinuteOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn times_of_day_have_one_spelling() {
        for text in ["", ":", "09", "9:00", "09:0", "09:60", "24:01", "+9:00", "09:00:00", "99:99", " 9:00"] {
            assert_eq!(text.parse::<MinuteOfDay>(), Err(MinuteError), "{text}");
        }
        assert_eq!("24:00".parse::<MinuteOfDay>().unwrap().time(), None);
        assert_eq!("15:30".parse::<MinuteOfDay>().unwrap().time(), Some(time(15, 30, 0, 0)));
        assert_eq!(MinuteOfDay::new(u16::MAX, 0), None);
    }
}
