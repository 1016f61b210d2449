//! Dates and times relative to now, on the clocks of a place.

use jiff::ToSpan;
use jiff::civil::{Date, Time as ClockTime};
use jiff::tz::TimeZone;
use lastseat_core::calendar::local_instant;
use lastseat_core::listing::zone;
use lastseat_core::time::Time;

/// The days around now in one time zone.
pub(crate) struct Days {
    today: Date,
    zone: TimeZone,
}

impl Days {
    /// The days around `now` in the zone of that IANA name.
    pub(crate) fn around(now: Time, name: &str) -> Self {
        let zone = zone(name).expect("samples name zones that exist");
        Self { today: now.timestamp().to_zoned(zone.clone()).date(), zone }
    }

    /// The date so many days from today.
    pub(crate) fn date(&self, days: i32) -> Date {
        self.today.checked_add(days.days()).expect("samples are within a few years")
    }

    /// The instant at which the clocks show `hour:minute` so many days from today.
    pub(crate) fn at(&self, days: i32, hour: i8, minute: i8) -> Time {
        let time = ClockTime::constant(hour, minute, 0, 0);
        Time::from_millis(local_instant(self.date(days), time, &self.zone))
    }
}
