//! Dates, local times and the instants they stand for: nights of a hotel, slots of a sports ground.
//!
//! Instants are milliseconds since 1970-01-01T00:00Z. Dates and times of day are local to a time zone that is
//! passed in; nothing here reads a clock.
//!
//! - [`EpochDay`] and [`parse_date`]: dates as numbers and as text
//! - [`local_instant`] and its neighbours: when a night begins, ends and stops being sold
//! - [`MinuteOfDay`]: times of day up to `24:00`
//! - [`OpeningHours`]: on which days, from when, until when
//! - [`slots`]: opening hours, day after day, cut into slots across clock changes

mod day;
mod hours;
mod minute;
mod nights;
mod slots;

pub use day::{DateError, EpochDay, date_text, parse_date};
pub use hours::{HoursError, OpeningHours, Weekday};
pub use minute::{MINUTES_PER_DAY, MinuteError, MinuteOfDay};
pub use nights::{
    check_in_instant, check_out_instant, end_of_day, local_instant, nights_between, number_of_nights,
};
pub use slots::{
    MAX_BUFFER_MINUTES, MAX_CALENDAR_DAYS, MAX_OPENING_HOURS, MAX_SLOT_MINUTES, MIN_SLOT_MINUTES, Slot,
    SlotError, slots, slots_up_to,
};
