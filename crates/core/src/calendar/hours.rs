//! Opening hours, as listings of slots name them.

use jiff::civil::{Date, Weekday as CivilWeekday};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::minute::{MINUTES_PER_DAY, MinuteOfDay};

/// A day of the week; `mon` to `sun` in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are the days of the week")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// The days, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day of the week that `date` is.
    #[must_use]
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            CivilWeekday::Monday => Self::Mon,
            CivilWeekday::Tuesday => Self::Tue,
            CivilWeekday::Wednesday => Self::Wed,
            CivilWeekday::Thursday => Self::Thu,
            CivilWeekday::Friday => Self::Fri,
            CivilWeekday::Saturday => Self::Sat,
            CivilWeekday::Sunday => Self::Sun,
        }
    }
}

/// Why opening hours are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HoursError {
    /// No day is named.
    #[error("`days` must name at least one day")]
    NoDays,
    /// The opening is `24:00`: that is `00:00` of the next day.
    #[error("`from` must be before 24:00")]
    FromTooLate,
}

/// Opening hours on some days of the week. In JSON: `{"days":["mon","tue"],"from":"09:00","until":"22:00"}`.
///
/// An `until` at or before `from` is on the next day: from `18:00` until `02:00` are eight hours, and from
/// `09:00` until `09:00` are 24.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct OpeningHours {
    days: Vec<Weekday>,
    from: MinuteOfDay,
    until: MinuteOfDay,
}

impl OpeningHours {
    /// Hours on `days`, which are the days on which they begin.
    ///
    /// # Errors
    ///
    /// [`HoursError::NoDays`] without a day, [`HoursError::FromTooLate`] for a `from` of `24:00`.
    pub fn new(days: Vec<Weekday>, from: MinuteOfDay, until: MinuteOfDay) -> Result<Self, HoursError> {
        if days.is_empty() {
            return Err(HoursError::NoDays);
        }
        if from.minutes() >= MINUTES_PER_DAY {
            return Err(HoursError::FromTooLate);
        }
        Ok(Self { days, from, until })
    }

    /// The days on which they begin, as given.
    #[must_use]
    pub fn days(&self) -> &[Weekday] {
        &self.days
    }

    /// When they begin; before `24:00`.
    #[must_use]
    pub fn from(&self) -> MinuteOfDay {
        self.from
    }

    /// When they end; at or before [`OpeningHours::from`] it is on the next day.
    #[must_use]
    pub fn until(&self) -> MinuteOfDay {
        self.until
    }

    /// The end in minutes after the midnight with which the day of the beginning starts: up to 2,879.
    #[must_use]
    pub fn closing_minutes(&self) -> u32 {
        let past_midnight = if self.until <= self.from { MINUTES_PER_DAY } else { 0 };
        self.until.minutes() + past_midnight
    }
}

/// The fields as they are in JSON, each read so that an error names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(deserialize_with = "days_field")]
    days: Vec<Weekday>,
    #[serde(deserialize_with = "from_field")]
    from: MinuteOfDay,
    #[serde(deserialize_with = "until_field")]
    until: MinuteOfDay,
}

impl TryFrom<Fields> for OpeningHours {
    type Error = HoursError;
    fn try_from(fields: Fields) -> Result<Self, HoursError> {
        Self::new(fields.days, fields.from, fields.until)
    }
}

fn days_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    Vec::deserialize(deserializer).map_err(|e| D::Error::custom(format_args!("`days`: {e}")))
}

fn from_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MinuteOfDay, D::Error> {
    MinuteOfDay::deserialize(deserializer).map_err(|e| D::Error::custom(format_args!("`from`: {e}")))
}

fn until_field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MinuteOfDay, D::Error> {
    MinuteOfDay::deserialize(deserializer).map_err(|e| D::Error::custom(format_args!("`until`: {e}")))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<OpeningHours, String> {
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    #[test]
    fn opening_hours_are_written_as_they_are_read() {
        let value = json!({"days": ["mon", "sun"], "from": "09:00", "until": "24:00"});
        let hours = read(value.clone()).unwrap();
        assert_eq!(hours.days(), [Weekday::Mon, Weekday::Sun]);
        assert_eq!((hours.from().minutes(), hours.until().minutes()), (540, 1_440));
        assert_eq!(serde_json::to_value(hours).unwrap(), value);
    }

    #[test]
    fn an_end_at_or_before_the_beginning_is_on_the_next_day() {
        let closing = |from: &str, until: &str| {
            read(json!({"days": ["fri"], "from": from, "until": until})).unwrap().closing_minutes()
        };
        assert_eq!(closing("09:00", "22:00"), 22 * 60);
        assert_eq!(closing("18:00", "02:00"), 26 * 60);
        assert_eq!(closing("18:00", "00:00"), closing("18:00", "24:00"));
        assert_eq!(closing("09:00", "09:00"), 33 * 60);
        assert_eq!(closing("23:59", "23:59"), 2_879);
    }

    #[test]
    fn errors_name_the_field() {
        let refused = |value: Value| read(value).unwrap_err();
        let time = "not a time of day (HH:MM, up to 24:00)";
        assert_eq!(
            refused(json!({"days": ["mon"], "from": "9:00", "until": "22:00"})),
            format!("`from`: {time}")
        );
        assert_eq!(
            refused(json!({"days": ["mon"], "from": "09:00", "until": "24:01"})),
            format!("`until`: {time}")
        );
        assert_eq!(
            refused(json!({"days": [], "from": "09:00", "until": "22:00"})),
            "`days` must name at least one day"
        );
        assert_eq!(
            refused(json!({"days": ["mon"], "from": "24:00", "until": "22:00"})),
            "`from` must be before 24:00"
        );
        assert!(refused(json!({"days": ["Mon"], "from": "09:00", "until": "22:00"})).starts_with("`days`: "));
        assert!(refused(json!({"days": ["mon"], "from": 9, "until": "22:00"})).starts_with("`from`: "));
        assert!(refused(json!({"days": ["mon"], "from": "09:00"})).contains("`until`"));
        assert!(
            refused(json!({"days": ["mon"], "from": "09:00", "until": "22:00", "to": 1})).contains("`to`")
        );
    }

    #[test]
    fn weekdays_follow_the_calendar() {
        let week = (3..10).map(|day| Weekday::of(date(2028, 1, day)));
        assert!(week.eq(Weekday::ALL));
    }
}
