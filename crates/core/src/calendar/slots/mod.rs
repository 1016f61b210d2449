//! Opening hours cut into slots.
//!
//! # The rule
//!
//! 1. On each date the openings of that weekday are laid out as the clock on the wall would show them, were
//!    no clock ever changed: from the opening, one slot after the other, a slot and a buffer apart, as long
//!    as a slot ends by the closing. So each slot has a label, the local time of its start.
//! 2. A label is looked up in the time zone. One that a clock change skips makes no slot; one that is shown
//!    twice makes two; any other makes one.
//! 3. A slot lasts its minutes in real time, whatever the clocks do meanwhile. One that is not over when the
//!    place closes makes no slot. (A closing time that is skipped is later by what is skipped; of one that
//!    is shown twice, the second counts.)
//! 4. A resource serves one slot at a time and then needs its buffer. A slot that would break this is left
//!    out: slots of an earlier date come before those of a later one, and within a date the one that
//!    starts first comes first. So overlapping openings give no slot twice, and a longer calendar takes
//!    no slot from the dates it had.
//!
//! A slot belongs to the date on which its opening begins, also past midnight.
//!
//! # Examples
//!
//! - Hourly, Europe/Berlin, 2026-10-25 (03:00 goes back to 02:00): 01:00, 02:00, 02:00, 03:00, ... 25 a day.
//! - Hourly, Europe/Berlin, 2026-03-29 (02:00 goes on to 03:00): 01:00, 03:00, 04:00, ... 23 a day.
//! - 90 minutes from 00:00 on that March day: 00:00, 01:30, 04:30. The slot of 01:30 lasts until 04:00 of
//!   summer time, so there is none at 03:00.
//! - Two hours from 00:00 on that October day: 00:00, 02:00, 04:00. The first 02:00 lasts until 03:00 of
//!   winter time, so there is none at the second 02:00.
//! - Half-hourly, Australia/Lord_Howe, 2026-04-05 (02:00 goes back to 01:30): 01:00, 01:30, 01:30, 02:00, ...
//!   Hourly: 01:00, 02:00, ... with half an hour between those two.
//! - 24 hours from 00:00, Europe/Berlin: one a day, none on that March day, which has 23.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use thiserror::Error;

use super::day::EpochDay;
use super::hours::{OpeningHours, Weekday};
use super::nights::number_of_nights;

/// The shortest slot, in minutes.
pub const MIN_SLOT_MINUTES: u32 = 1;
/// The longest slot, in minutes: 24 hours.
pub const MAX_SLOT_MINUTES: u32 = 1_440;
/// The longest buffer after a slot, in minutes: 24 hours.
pub const MAX_BUFFER_MINUTES: u32 = 1_440;
/// The longest calendar, in days.
pub const MAX_CALENDAR_DAYS: u32 = 1_000;
/// The most entries of opening hours.
pub const MAX_OPENING_HOURS: usize = 200;

const MS_PER_MINUTE: i64 = 60_000;

/// One slot of a resource: a span of real time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    /// The date on which the opening begins that the slot is in. The slot may start on the day after.
    pub day: EpochDay,
    /// The start in milliseconds since 1970.
    pub start_ms: i64,
    /// The end in milliseconds since 1970: `slot_minutes` after the start.
    pub end_ms: i64,
}

/// Why no slots can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SlotError {
    /// The length of a slot is 0 or more than a day.
    #[error("`slot_minutes` must be {MIN_SLOT_MINUTES} to {MAX_SLOT_MINUTES}, not {0}")]
    SlotMinutes(u32),
    /// The buffer is more than a day.
    #[error("`buffer_minutes` must be at most {MAX_BUFFER_MINUTES}, not {0}")]
    BufferMinutes(u32),
    /// The calendar is too long.
    #[error("`calendar` must span at most {MAX_CALENDAR_DAYS} days, not {0}")]
    CalendarDays(u32),
    /// There are too many entries.
    #[error("`opening_hours` must have at most {MAX_OPENING_HOURS} entries, not {0}")]
    OpeningHours(usize),
}

/// The slots of one resource for the openings that begin on the dates from `from` until `until_exclusive`,
/// sorted by start; the module's documentation gives the rule. Any two are at least `buffer_minutes` apart.
///
/// A later `until_exclusive` only adds slots. An earlier `from` may also take some from what was the first
/// date: those that an opening of the date before it, running past midnight, now stands in the way of.
///
/// # Errors
///
/// [`SlotError`] for a length, a buffer, a calendar or opening hours beyond the limits above.
pub fn slots(
    from: Date,
    until_exclusive: Date,
    opening_hours: &[OpeningHours],
    slot_minutes: u32,
    buffer_minutes: u32,
    zone: &TimeZone,
) -> Result<Vec<Slot>, SlotError> {
    slots_up_to(usize::MAX, from, until_exclusive, opening_hours, slot_minutes, buffer_minutes, zone)
}

/// As [`slots`], but goes no further than the date on which there are more than `most`: whoever refuses so
/// many does not wait for all of them.
///
/// # Errors
///
/// As [`slots`].
pub fn slots_up_to(
    most: usize,
    from: Date,
    until_exclusive: Date,
    opening_hours: &[OpeningHours],
    slot_minutes: u32,
    buffer_minutes: u32,
    zone: &TimeZone,
) -> Result<Vec<Slot>, SlotError> {
    let days = number_of_nights(from, until_exclusive);
    if !(MIN_SLOT_MINUTES..=MAX_SLOT_MINUTES).contains(&slot_minutes) {
        return Err(SlotError::SlotMinutes(slot_minutes));
    }
    if buffer_minutes > MAX_BUFFER_MINUTES {
        return Err(SlotError::BufferMinutes(buffer_minutes));
    }
    if days > MAX_CALENDAR_DAYS {
        return Err(SlotError::CalendarDays(days));
    }
    if opening_hours.len() > MAX_OPENING_HOURS {
        return Err(SlotError::OpeningHours(opening_hours.len()));
    }
    let week = Weekday::ALL.map(|day| labels(day, opening_hours, slot_minutes, buffer_minutes));
    let mut taken = Taken { slots: Vec::new(), buffer_ms: i64::from(buffer_minutes) * MS_PER_MINUTE };
    for date in from.series(1.day()).take_while(|date| *date < until_exclusive) {
        for slot in candidates(date, &week[Weekday::of(date) as usize], slot_minutes, zone) {
            taken.add_if_free(slot);
        }
        if taken.slots.len() > most {
            break;
        }
    }
    Ok(taken.slots)
}

/// The start of a slot as the clock on the wall would show it, in minutes after the midnight of its date, and
/// the closing in the same measure: the latest, where several openings have this label.
struct Label {
    start: u32,
    closing: u32,
}

/// Step 1 of the rule, for a day of the week: each label once, in order.
fn labels(
    day: Weekday,
    opening_hours: &[OpeningHours],
    slot_minutes: u32,
    buffer_minutes: u32,
) -> Vec<Label> {
    let mut closings = BTreeMap::<u32, u32>::new();
    for hours in opening_hours.iter().filter(|hours| hours.days().contains(&day)) {
        let mut start = hours.from().minutes();
        while start + slot_minutes <= hours.closing_minutes() {
            let closing = closings.entry(start).or_default();
            *closing = hours.closing_minutes().max(*closing);
            start += slot_minutes + buffer_minutes;
        }
    }
    closings.into_iter().map(|(start, closing)| Label { start, closing }).collect()
}

/// Steps 2 and 3 of the rule, for a date: what its labels stand for, by start.
fn candidates(date: Date, labels: &[Label], slot_minutes: u32, zone: &TimeZone) -> Vec<Slot> {
    let mut found = Vec::with_capacity(labels.len());
    for label in labels {
        // What lies beyond the year 9999 has no slots.
        let Some((start, closing)) = on_the_wall(date, label.start).zip(on_the_wall(date, label.closing))
        else {
            continue;
        };
        let Ok(closing) = zone.to_ambiguous_timestamp(closing).later() else {
            continue;
        };
        for start_ms in instants(start, zone).into_iter().flatten() {
            let end_ms = start_ms + i64::from(slot_minutes) * MS_PER_MINUTE;
            if end_ms <= closing.as_millisecond() {
                found.push(Slot { day: EpochDay::from_date(date), start_ms, end_ms });
            }
        }
    }
    found.sort_unstable_by_key(|slot| slot.start_ms);
    found
}

/// What a clock shows `minutes` after the midnight of `date`, were no clock ever changed.
fn on_the_wall(date: Date, minutes: u32) -> Option<DateTime> {
    let midnight = date.to_datetime(Time::midnight());
    midnight.checked_add(i64::from(minutes).minutes()).ok()
}

/// The instants at which the clocks of `zone` show `local`: none, one or two.
fn instants(local: DateTime, zone: &TimeZone) -> [Option<i64>; 2] {
    let at = zone.to_ambiguous_timestamp(local);
    let first = at.earlier().ok().map(|instant| instant.as_millisecond());
    match at.offset() {
        AmbiguousOffset::Unambiguous { .. } => [first, None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { .. } => [first, at.later().ok().map(|instant| instant.as_millisecond())],
    }
}

/// The slots made so far, sorted by start, all of one length.
struct Taken {
    slots: Vec<Slot>,
    buffer_ms: i64,
}

impl Taken {
    /// Step 4 of the rule.
    fn add_if_free(&mut self, slot: Slot) {
        let index = self.slots.partition_point(|taken| taken.start_ms < slot.start_ms);
        let after_the_one_before =
            index == 0 || self.slots[index - 1].end_ms + self.buffer_ms <= slot.start_ms;
        let before_the_next =
            self.slots.get(index).is_none_or(|next| slot.end_ms + self.buffer_ms <= next.start_ms);
        if after_the_one_before && before_the_next {
            self.slots.insert(index, slot);
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
