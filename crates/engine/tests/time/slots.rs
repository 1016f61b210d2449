//! Slots across clock changes: those that are skipped do not exist, those that come twice are two.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::listing::Listing;
use lastseat_core::time::Time;
use serde_json::json;

use crate::common::{House, ask, at};

const EVERY_DAY: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A pitch that opens on one day.
struct Pitch {
    zone: &'static str,
    from: &'static str,
    until: &'static str,
    opens: &'static str,
    closes: &'static str,
    slot_minutes: u32,
    buffer_minutes: u32,
}

/// Open all day, by the hour.
fn all_day(zone: &'static str, from: &'static str, until: &'static str) -> Pitch {
    Pitch { zone, from, until, opens: "00:00", closes: "24:00", slot_minutes: 60, buffer_minutes: 0 }
}

impl Pitch {
    async fn list(&self, house: &House) -> Arc<Listing> {
        house
            .listing(json!({
                "kind": "slots", "timezone": self.zone,
                "resources": [{ "key": "pitch", "capacity": 1, "price": 1_000 }],
                "calendar": { "from": self.from, "until": self.until },
                "opening_hours": [{ "days": EVERY_DAY, "from": self.opens, "until": self.closes }],
                "slot_minutes": self.slot_minutes, "buffer_minutes": self.buffer_minutes,
                "policy": { "payment": ["external"] }
            }))
            .await
    }

    /// The starts and ends of its slots.
    async fn slots(&self) -> Vec<(Time, Time)> {
        let house = House::open();
        let listing = self.list(&house).await;
        let found = house.availability(&listing).await;
        found.pools.iter().map(|pool| (pool.starts_at.unwrap(), pool.ends_at.unwrap())).collect()
    }
}

/// Books some slots in a row, and follows the booking to its end.
async fn follow(pitch: &Pitch, starts_at: &str, slots: i64, ends_at: &str, keys: &[&str]) {
    let house = House::open();
    let listing = pitch.list(&house).await;
    let claim = || ask::slot("pitch", starts_at, slots);
    let booking = house.paid(ask::create(&listing, claim())).await;
    let found: Vec<String> = booking.lines.iter().map(|line| listing.pool_key(line.pool)).collect();
    assert_eq!(found, keys);
    let (starts_at, ends_at) = (at(starts_at), at(ends_at));
    assert_eq!(listing.starts_at(&booking.lines), Some(starts_at));
    assert_eq!(listing.ends_at(&booking.lines), Some(ends_at));
    assert_eq!(house.engine.due_at(&booking), Some(ends_at));
    for key in keys {
        assert_eq!(house.stock(&listing, key).await, (0, 0, 1), "{key}");
    }
    house.audit();

    // From its start on a slot is not sold any more, free or not.
    house.set(starts_at);
    let late = house.try_book(ask::create(&listing, claim())).await.unwrap_err();
    assert_eq!(late.code.as_str(), "not_on_sale");
    house.set(Time::from_millis(ends_at.millis() - 1));
    house.settle().await;
    assert_eq!(house.read(booking.id).await.state, State::Confirmed);
    house.set(ends_at);
    assert_eq!(house.read(booking.id).await.state, State::Completed);
    house.settle().await;
    assert_eq!(house.events(&booking).await.last(), Some(&"booking.completed"));
    house.audit();
}

/// Asserts that the slots follow each other without a gap in real time.
fn assert_seamless(slots: &[(Time, Time)]) {
    for pair in slots.windows(2) {
        assert_eq!(pair[0].1, pair[1].0);
    }
}

#[tokio::test]
async fn a_day_that_loses_an_hour_has_23_slots_and_one_that_gains_an_hour_has_25() {
    for (zone, from, until, count) in [
        ("Europe/Berlin", "2027-03-28", "2027-03-29", 23),
        ("Europe/Berlin", "2027-10-31", "2027-11-01", 25),
        ("America/New_York", "2027-03-14", "2027-03-15", 23),
        ("America/New_York", "2027-11-07", "2027-11-08", 25),
        ("Asia/Kolkata", "2027-03-28", "2027-03-29", 24),
        ("Europe/Berlin", "2028-02-29", "2028-03-01", 24),
    ] {
        let slots = all_day(zone, from, until).slots().await;
        assert_eq!(slots.len(), count, "{zone} {from}");
        assert_seamless(&slots);
    }
}

#[tokio::test]
async fn an_hour_that_is_skipped_is_open_to_nobody_and_one_that_comes_twice_is_open_twice() {
    let open =
        |from, until| Pitch { opens: "02:00", closes: "03:00", ..all_day("Europe/Berlin", from, until) };
    let starts = |slots: Vec<(Time, Time)>| slots.into_iter().map(|(start, _)| start).collect::<Vec<_>>();
    let gap = open("2027-03-27", "2027-03-30").slots().await;
    assert_eq!(starts(gap), [at("2027-03-27T02:00:00+01:00"), at("2027-03-29T02:00:00+02:00")]);
    let fold = open("2027-10-31", "2027-11-01").slots().await;
    assert_eq!(starts(fold), [at("2027-10-31T02:00:00+02:00"), at("2027-10-31T02:00:00+01:00")]);
}

#[tokio::test]
async fn half_hours_on_lord_howe_lose_one_in_october_and_gain_one_in_april() {
    for (from, until, count) in [("2027-10-03", "2027-10-04", 47), ("2027-04-04", "2027-04-05", 49)] {
        let pitch = Pitch { slot_minutes: 30, ..all_day("Australia/Lord_Howe", from, until) };
        let slots = pitch.slots().await;
        assert_eq!(slots.len(), count, "{from}");
        assert_seamless(&slots);
    }
}

#[tokio::test]
async fn two_hours_in_a_row_in_berlin_go_over_the_gap() {
    let pitch = all_day("Europe/Berlin", "2027-03-28", "2027-03-29");
    let keys = ["pitch/2027-03-28T00:00Z", "pitch/2027-03-28T01:00Z"];
    follow(&pitch, "2027-03-28T01:00:00+01:00", 2, "2027-03-28T04:00:00+02:00", &keys).await;
}

#[tokio::test]
async fn the_hour_that_comes_twice_in_berlin_is_two_slots() {
    let pitch = all_day("Europe/Berlin", "2027-10-31", "2027-11-01");
    let (first, second) = (["pitch/2027-10-31T00:00Z"], ["pitch/2027-10-31T01:00Z"]);
    follow(&pitch, "2027-10-31T02:00:00+02:00", 1, "2027-10-31T02:00:00+01:00", &first).await;
    follow(&pitch, "2027-10-31T02:00:00+01:00", 1, "2027-10-31T03:00:00+01:00", &second).await;
}

#[tokio::test]
async fn an_evening_past_midnight_in_new_york_ends_after_the_fold() {
    let pitch =
        Pitch { opens: "22:00", closes: "03:00", ..all_day("America/New_York", "2027-11-06", "2027-11-07") };
    // 22, 23, 0, 1, 1 again, 2.
    assert_eq!(pitch.slots().await.len(), 6);
    let keys = ["pitch/2027-11-07T05:00Z", "pitch/2027-11-07T06:00Z", "pitch/2027-11-07T07:00Z"];
    follow(&pitch, "2027-11-07T01:00:00-04:00", 3, "2027-11-07T03:00:00-05:00", &keys).await;
}

#[tokio::test]
async fn an_evening_past_midnight_in_new_york_goes_over_the_gap() {
    let pitch =
        Pitch { opens: "22:00", closes: "04:00", ..all_day("America/New_York", "2027-03-13", "2027-03-14") };
    // 22, 23, 0, 1, 3.
    assert_eq!(pitch.slots().await.len(), 5);
    let keys = ["pitch/2027-03-14T06:00Z", "pitch/2027-03-14T07:00Z"];
    follow(&pitch, "2027-03-14T01:00:00-05:00", 2, "2027-03-14T04:00:00-04:00", &keys).await;
}

#[tokio::test]
async fn the_half_hour_that_comes_twice_on_lord_howe_is_two_slots() {
    let pitch = Pitch { slot_minutes: 30, ..all_day("Australia/Lord_Howe", "2027-04-04", "2027-04-05") };
    let (first, second) = (["pitch/2027-04-03T14:30Z"], ["pitch/2027-04-03T15:00Z"]);
    follow(&pitch, "2027-04-04T01:30:00+11:00", 1, "2027-04-04T01:30:00+10:30", &first).await;
    follow(&pitch, "2027-04-04T01:30:00+10:30", 1, "2027-04-04T02:00:00+10:30", &second).await;
}

#[tokio::test]
async fn a_slot_in_kolkata_begins_at_half_past_in_utc() {
    let pitch =
        Pitch { opens: "09:00", closes: "11:00", ..all_day("Asia/Kolkata", "2027-01-31", "2027-02-01") };
    follow(&pitch, "2027-01-31T09:00:00+05:30", 1, "2027-01-31T10:00:00+05:30", &["pitch/2027-01-31T03:30Z"])
        .await;
}

#[tokio::test]
async fn the_last_slot_of_a_month_and_of_a_leap_day_ends_in_the_next_month() {
    let january =
        Pitch { opens: "22:00", closes: "02:00", ..all_day("Asia/Kolkata", "2027-01-31", "2027-02-01") };
    let keys = ["pitch/2027-01-31T17:30Z", "pitch/2027-01-31T18:30Z"];
    follow(&january, "2027-01-31T23:00:00+05:30", 2, "2027-02-01T01:00:00+05:30", &keys).await;
    let leap =
        Pitch { opens: "23:00", closes: "24:00", ..all_day("Europe/Berlin", "2028-02-29", "2028-03-01") };
    follow(&leap, "2028-02-29T23:00:00+01:00", 1, "2028-03-01T00:00:00+01:00", &["pitch/2028-02-29T22:00Z"])
        .await;
}

/// With a buffer, slots in a row are an hour apart and end when the last of them ends.
#[tokio::test]
async fn buffers_are_kept_over_the_fold() {
    let pitch = Pitch {
        slot_minutes: 45,
        buffer_minutes: 15,
        ..all_day("Europe/Berlin", "2027-10-31", "2027-11-01")
    };
    assert_eq!(pitch.slots().await.len(), 25);
    let keys = ["pitch/2027-10-31T00:00Z", "pitch/2027-10-31T01:00Z"];
    follow(&pitch, "2027-10-31T02:00:00+02:00", 2, "2027-10-31T02:45:00+01:00", &keys).await;
}
