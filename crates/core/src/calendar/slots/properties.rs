//! What holds for all slots, in all zones, whatever the opening hours.

use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;

use super::super::minute::{MINUTES_PER_DAY, MinuteOfDay};
use super::*;

/// Zones with changes of an hour, of half an hour, at midnight, of a whole day, and with none.
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Beirut",
    "America/Havana",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
];

fn minute_before(end: u32) -> impl Strategy<Value = MinuteOfDay> {
    // Half of them at full and half hours, where clocks change.
    prop_oneof![0..end, (0..end.div_ceil(30)).prop_map(|half_hours| half_hours * 30)].prop_map(|minutes| {
        let minutes = u16::try_from(minutes).unwrap();
        MinuteOfDay::new(minutes / 60, minutes % 60).unwrap()
    })
}

prop_compose! {
    fn opening()(
        days in prop::collection::vec((0..7usize).prop_map(|i| Weekday::ALL[i]), 1..8),
        from in minute_before(MINUTES_PER_DAY),
        until in minute_before(MINUTES_PER_DAY + 1),
    ) -> OpeningHours {
        OpeningHours::new(days, from, until).unwrap()
    }
}

/// Days around a change of the clocks somewhere, and any others.
fn first_day() -> impl Strategy<Value = Date> {
    let near_a_change = prop::sample::select(vec![
        date(2011, 12, 28),
        date(2026, 2, 14),
        date(2026, 3, 7),
        date(2026, 3, 28),
        date(2026, 4, 4),
        date(2026, 10, 3),
        date(2026, 10, 24),
        date(2026, 10, 31),
    ]);
    let any = (14_000..25_000).prop_map(|day| EpochDay(day).date().unwrap());
    prop_oneof![3 => near_a_change, 1 => any]
}

fn minutes_of_slot() -> impl Strategy<Value = u32> {
    prop_oneof![prop::sample::select(vec![30, 45, 60, 90, 120]), 5..=MAX_SLOT_MINUTES]
}

fn minutes_of_buffer() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(0), 1 => 1..30u32, 1 => 0..=MAX_BUFFER_MINUTES]
}

proptest! {
    #[test]
    fn slots_are_sorted_have_their_length_and_keep_their_distance(
        zone in prop::sample::select(&ZONES[..]),
        from in first_day(),
        days in 1..5i64,
        hours in prop::collection::vec(opening(), 0..4),
        slot_minutes in minutes_of_slot(),
        buffer_minutes in minutes_of_buffer(),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let made = slots(from, from + days.days(), &hours, slot_minutes, buffer_minutes, &zone).unwrap();
        for slot in &made {
            prop_assert_eq!(slot.end_ms - slot.start_ms, i64::from(slot_minutes) * MS_PER_MINUTE);
        }
        for pair in made.windows(2) {
            prop_assert!(pair[0].end_ms + i64::from(buffer_minutes) * MS_PER_MINUTE <= pair[1].start_ms);
        }
    }

    #[test]
    fn every_slot_starts_when_the_clock_shows_a_time_of_its_opening(
        zone in prop::sample::select(&ZONES[..]),
        from in first_day(),
        hours in opening(),
        slot_minutes in minutes_of_slot(),
        buffer_minutes in minutes_of_buffer(),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let one = std::slice::from_ref(&hours);
        let made = slots(from, from + 4.days(), one, slot_minutes, buffer_minutes, &zone).unwrap();
        for slot in made {
            let day = slot.day.date().unwrap();
            prop_assert!(hours.days().contains(&Weekday::of(day)));
            let shown = zone.to_datetime(Timestamp::from_millisecond(slot.start_ms).unwrap());
            let since_midnight = shown.duration_since(day.to_datetime(Time::midnight()));
            let minutes = u32::try_from(since_midnight.as_mins()).unwrap();
            prop_assert_eq!(since_midnight.as_secs() % 60, 0);
            prop_assert_eq!((minutes - hours.from().minutes()) % (slot_minutes + buffer_minutes), 0);
            prop_assert!(minutes + slot_minutes <= hours.closing_minutes());
        }
    }

    #[test]
    fn a_longer_calendar_takes_no_slot_from_the_dates_it_had(
        zone in prop::sample::select(&ZONES[..]),
        from in first_day(),
        hours in prop::collection::vec(opening(), 1..4),
        slot_minutes in minutes_of_slot(),
        buffer_minutes in minutes_of_buffer(),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let until = from + 2.days();
        let short = slots(from, until, &hours, slot_minutes, buffer_minutes, &zone).unwrap();
        let mut long = slots(from, until + 2.days(), &hours, slot_minutes, buffer_minutes, &zone).unwrap();
        long.retain(|slot| slot.day < EpochDay::from_date(until));
        prop_assert_eq!(short, long);
    }

    #[test]
    fn without_a_buffer_full_hours_around_the_clock_leave_no_gap(from in first_day(), days in 1..5i64) {
        let midnight = MinuteOfDay::new(0, 0).unwrap();
        let hours = [OpeningHours::new(Weekday::ALL.to_vec(), midnight, midnight).unwrap()];
        for name in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"] {
            let zone = TimeZone::get(name).unwrap();
            let made = slots(from, from + days.days(), &hours, 60, 0, &zone).unwrap();
            prop_assert!(made.windows(2).all(|pair| pair[0].end_ms == pair[1].start_ms), "{name}");
        }
    }
}
