use jiff::Timestamp;
use jiff::civil::date;

use super::*;

const EVERY_DAY: &str = r#"["mon","tue","wed","thu","fri","sat","sun"]"#;

fn open(days: &str, from: &str, until: &str) -> OpeningHours {
    serde_json::from_str(&format!(r#"{{"days":{days},"from":"{from}","until":"{until}"}}"#)).unwrap()
}

fn daily(from: &str, until: &str) -> Vec<OpeningHours> {
    vec![open(EVERY_DAY, from, until)]
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The starts as local times with their offsets.
fn starts(slots: &[Slot], zone: &TimeZone) -> Vec<String> {
    let local = |ms| Timestamp::from_millisecond(ms).unwrap().to_zoned(zone.clone());
    slots.iter().map(|slot| local(slot.start_ms).strftime("%H:%M%:z").to_string()).collect()
}

/// The starts of the slots of one date.
fn on(day: Date, hours: &[OpeningHours], slot_minutes: u32, buffer_minutes: u32, name: &str) -> Vec<String> {
    let zone = zone(name);
    let slots = slots(day, day.tomorrow().unwrap(), hours, slot_minutes, buffer_minutes, &zone).unwrap();
    starts(&slots, &zone)
}

/// The starts of one date, without offsets.
fn times(
    day: Date,
    hours: &[OpeningHours],
    slot_minutes: u32,
    buffer_minutes: u32,
    name: &str,
) -> Vec<String> {
    on(day, hours, slot_minutes, buffer_minutes, name).iter().map(|start| start[..5].to_owned()).collect()
}

#[test]
fn slots_follow_each_other_from_the_opening_to_the_closing() {
    let day = date(2026, 12, 24);
    assert_eq!(times(day, &daily("09:00", "12:30"), 60, 0, "Asia/Tashkent"), ["09:00", "10:00", "11:00"]);
    assert_eq!(times(day, &daily("09:00", "12:30"), 60, 15, "Asia/Tashkent"), ["09:00", "10:15", "11:30"]);
    assert!(times(day, &daily("09:00", "09:59"), 60, 0, "Asia/Tashkent").is_empty());
}

#[test]
fn slots_are_real_instants_also_where_the_offset_has_half_an_hour() {
    let day = date(2026, 12, 24);
    let slots =
        slots(day, date(2026, 12, 25), &daily("09:00", "10:00"), 60, 0, &zone("Asia/Kolkata")).unwrap();
    let start_ms = "2026-12-24T03:30:00Z".parse::<Timestamp>().unwrap().as_millisecond();
    assert_eq!(slots, [Slot { day: EpochDay::from_date(day), start_ms, end_ms: start_ms + 3_600_000 }]);
}

#[test]
fn only_the_named_days_are_open_through_leap_day_and_the_ends_of_months() {
    // 2028-02-29 is a Tuesday.
    let hours = [open(r#"["tue","wed"]"#, "12:00", "13:00")];
    let slots = slots(date(2028, 2, 28), date(2028, 3, 3), &hours, 60, 0, &zone("Europe/Berlin")).unwrap();
    let days: Vec<_> = slots.iter().map(|slot| slot.day.date().unwrap()).collect();
    assert_eq!(days, [date(2028, 2, 29), date(2028, 3, 1)]);
}

#[test]
fn an_opening_past_midnight_belongs_to_the_date_on_which_it_begins() {
    // 2026-12-31 is a Thursday.
    let hours = [open(r#"["thu"]"#, "22:00", "02:00")];
    let berlin = zone("Europe/Berlin");
    let slots = slots(date(2026, 12, 30), date(2027, 1, 2), &hours, 60, 0, &berlin).unwrap();
    assert_eq!(starts(&slots, &berlin), ["22:00+01:00", "23:00+01:00", "00:00+01:00", "01:00+01:00"]);
    assert!(slots.iter().all(|slot| slot.day == EpochDay::from_date(date(2026, 12, 31))));
}

#[test]
fn a_place_that_never_closes_has_24_hours_and_one_more_or_less_when_clocks_change() {
    for (name, day, hours) in [
        ("Europe/Berlin", date(2026, 6, 1), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Asia/Kolkata", date(2026, 10, 25), 24),
        // Samoa left this day out when it crossed the date line.
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ] {
        assert_eq!(on(day, &daily("00:00", "24:00"), 60, 0, name).len(), hours, "{name} {day}");
        assert_eq!(on(day, &daily("00:00", "00:00"), 60, 0, name).len(), hours, "{name} {day}");
    }
}

#[test]
fn a_skipped_hour_makes_no_slot() {
    let march = daily("00:00", "05:00");
    assert_eq!(
        times(date(2026, 3, 29), &march, 60, 0, "Europe/Berlin"),
        ["00:00", "01:00", "03:00", "04:00"]
    );
    assert_eq!(
        times(date(2026, 3, 8), &march, 60, 0, "America/New_York"),
        ["00:00", "01:00", "03:00", "04:00"]
    );
    assert_eq!(
        times(date(2026, 3, 29), &daily("01:00", "03:30"), 30, 0, "Europe/Berlin"),
        ["01:00", "01:30", "03:00"]
    );
}

#[test]
fn a_repeated_hour_makes_two_slots() {
    assert_eq!(
        on(date(2026, 10, 25), &daily("01:00", "04:00"), 60, 0, "Europe/Berlin"),
        ["01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00"]
    );
    assert_eq!(
        on(date(2026, 11, 1), &daily("00:00", "02:00"), 30, 0, "America/New_York"),
        ["00:00-04:00", "00:30-04:00", "01:00-04:00", "01:30-04:00", "01:00-05:00", "01:30-05:00"]
    );
}

#[test]
fn a_repeated_hour_past_midnight_makes_two_slots_of_the_evening_before() {
    assert_eq!(
        on(date(2026, 10, 24), &daily("23:00", "04:00"), 60, 0, "Europe/Berlin"),
        ["23:00+02:00", "00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00"]
    );
}

#[test]
fn a_place_that_closes_within_the_repeated_hour_stays_open_until_its_second_end() {
    assert_eq!(
        on(date(2026, 10, 25), &daily("01:30", "02:30"), 30, 0, "Europe/Berlin"),
        ["01:30+02:00", "02:00+02:00", "02:00+01:00"]
    );
}

#[test]
fn lord_howe_shifts_by_half_an_hour() {
    let name = "Australia/Lord_Howe";
    let night = daily("01:00", "04:00");
    assert_eq!(
        times(date(2026, 4, 5), &night, 30, 0, name)[..5],
        ["01:00", "01:30", "01:30", "02:00", "02:30"]
    );
    assert_eq!(times(date(2026, 4, 5), &night, 60, 0, name), ["01:00", "02:00", "03:00"]);
    assert_eq!(times(date(2026, 10, 4), &night, 30, 0, name), ["01:00", "01:30", "02:30", "03:00", "03:30"]);
    assert_eq!(times(date(2026, 10, 4), &night, 60, 0, name), ["01:00", "03:00"]);
    // The slot of 01:30 lasts until 03:00 of summer time.
    assert_eq!(times(date(2026, 10, 4), &daily("01:30", "04:30"), 60, 0, name), ["01:30", "03:30"]);
}

#[test]
fn a_slot_that_runs_into_the_next_label_at_a_clock_change_takes_its_place() {
    let berlin = "Europe/Berlin";
    let hours = daily("00:00", "06:00");
    assert_eq!(times(date(2026, 3, 29), &hours, 90, 0, berlin), ["00:00", "01:30", "04:30"]);
    assert_eq!(on(date(2026, 10, 25), &hours, 120, 0, berlin), ["00:00+02:00", "02:00+02:00", "04:00+01:00"]);
}

#[test]
fn a_slot_that_is_not_over_at_the_closing_is_left_out() {
    // The clocks go from 02:00 to 03:00, the closing: from 01:30 the place is open for half an hour.
    assert_eq!(times(date(2026, 3, 29), &daily("00:00", "03:00"), 90, 0, "Europe/Berlin"), ["00:00"]);
}

#[test]
fn openings_that_overlap_share_their_slots_whatever_their_order() {
    let day = date(2026, 12, 24);
    let (morning, noon) = (open(EVERY_DAY, "09:00", "12:00"), open(EVERY_DAY, "11:00", "14:00"));
    let shared = ["09:00", "10:00", "11:00", "12:00", "13:00"];
    assert_eq!(times(day, &[morning.clone(), noon.clone()], 60, 0, "Asia/Tashkent"), shared);
    assert_eq!(times(day, &[noon, morning.clone()], 60, 0, "Asia/Tashkent"), shared);
    let askew = open(EVERY_DAY, "10:30", "14:00");
    let first_come = ["09:00", "10:00", "11:00", "12:30"];
    assert_eq!(times(day, &[askew.clone(), morning.clone()], 60, 0, "Asia/Tashkent"), first_come);
    assert_eq!(times(day, &[morning, askew], 60, 0, "Asia/Tashkent"), first_come);
}

#[test]
fn the_buffer_also_holds_between_openings_and_dates() {
    let day = date(2026, 12, 24);
    let halves = [open(EVERY_DAY, "09:00", "10:00"), open(EVERY_DAY, "10:00", "12:00")];
    assert_eq!(times(day, &halves, 60, 0, "Asia/Tashkent"), ["09:00", "10:00", "11:00"]);
    assert_eq!(times(day, &halves, 60, 10, "Asia/Tashkent"), ["09:00"]);
    let tashkent = zone("Asia/Tashkent");
    let night = slots(day, date(2026, 12, 26), &daily("23:00", "01:00"), 60, 1_380, &tashkent).unwrap();
    assert_eq!(starts(&night, &tashkent), ["23:00+05:00", "23:00+05:00"]);
    let night = slots(day, date(2026, 12, 27), &daily("23:00", "01:00"), 60, 1_381, &tashkent).unwrap();
    assert_eq!(starts(&night, &tashkent), ["23:00+05:00", "23:00+05:00"]);
}

#[test]
fn an_opening_past_midnight_comes_before_those_of_the_next_date() {
    let tashkent = zone("Asia/Tashkent");
    let hours = [open(r#"["thu"]"#, "22:30", "01:30"), open(r#"["fri"]"#, "00:00", "03:00")];
    let slots = slots(date(2026, 12, 24), date(2026, 12, 26), &hours, 60, 0, &tashkent).unwrap();
    assert_eq!(starts(&slots, &tashkent), ["22:30+05:00", "23:30+05:00", "00:30+05:00", "02:00+05:00"]);
}

#[test]
fn what_is_beyond_the_limits_is_refused() {
    let berlin = zone("Europe/Berlin");
    let (from, until) = (date(2026, 1, 1), date(2026, 1, 2));
    let hours = daily("00:00", "24:00");
    let refused =
        |until, hours: &[_], slot, buffer| slots(from, until, hours, slot, buffer, &berlin).unwrap_err();
    assert_eq!(refused(until, &hours, 0, 0), SlotError::SlotMinutes(0));
    assert_eq!(refused(until, &hours, 1_441, 0), SlotError::SlotMinutes(1_441));
    assert_eq!(refused(until, &hours, 1_440, u32::MAX), SlotError::BufferMinutes(u32::MAX));
    assert_eq!(refused(date(2028, 9, 28), &hours, 60, 0), SlotError::CalendarDays(1_001));
    assert_eq!(refused(until, &vec![hours[0].clone(); 201], 60, 0), SlotError::OpeningHours(201));
    assert_eq!(slots(from, until, &hours, 1_440, 1_440, &berlin).unwrap().len(), 1);
    // A thousand days, of which the three that lose an hour are too short.
    assert_eq!(slots(from, date(2028, 9, 27), &hours, 1_440, 0, &berlin).unwrap().len(), 997);
}

#[test]
fn calendars_without_days_and_beyond_the_year_9999_have_no_slots() {
    let berlin = zone("Europe/Berlin");
    let hours = daily("00:00", "24:00");
    assert!(slots(date(2026, 1, 2), date(2026, 1, 2), &hours, 60, 0, &berlin).unwrap().is_empty());
    assert!(slots(date(2026, 1, 2), date(2025, 1, 2), &hours, 60, 0, &berlin).unwrap().is_empty());
    assert!(slots(date(9999, 12, 30), Date::MAX, &hours, 60, 0, &berlin).is_ok());
}

#[test]
fn whoever_refuses_many_slots_does_not_wait_for_all_of_them() {
    let (from, until) = (date(2026, 1, 1), date(2028, 9, 27));
    let some =
        |most| slots_up_to(most, from, until, &daily("00:00", "24:00"), 1, 0, &TimeZone::UTC).unwrap().len();
    assert_eq!((some(0), some(1_439), some(1_440)), (1_440, 1_440, 2_880));
    assert_eq!(
        slots_up_to(9, from, until, &daily("09:00", "10:00"), 60, 0, &TimeZone::UTC).unwrap().len(),
        10
    );
}
