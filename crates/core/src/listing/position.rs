//! What the positions of dated pools stand for: days since the epoch, or minutes since it.

use jiff::civil;

use crate::calendar::EpochDay;
use crate::pool::PoolNo;
use crate::time::Time;

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// When a slot begins: its position is the minute since the epoch.
#[must_use]
pub fn slot_start(pool: PoolNo) -> Time {
    Time::from_millis(i64::from(pool.position) * MINUTE_MS)
}

/// The position of the slot that begins at `start`; none if that is not a whole minute.
#[must_use]
pub fn slot_position(start: Time) -> Option<u32> {
    (start.millis() % MINUTE_MS == 0).then_some(())?;
    u32::try_from(start.millis() / MINUTE_MS).ok()
}

/// The date of a night's check-in: its position is the day since the epoch.
#[must_use]
pub fn night_date(pool: PoolNo) -> civil::Date {
    i32::try_from(pool.position).ok().and_then(|day| EpochDay(day).date()).unwrap_or(civil::Date::MAX)
}

/// The position of the night that begins on `date`; none before 1970.
#[must_use]
pub fn night_position(date: civil::Date) -> Option<u32> {
    u32::try_from(EpochDay::from_date(date).0).ok()
}
