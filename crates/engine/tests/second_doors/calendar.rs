//! Calendars grow and opening hours change beside bookings: nothing that is booked goes, and nothing comes
//! that would overlap it.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::command::Command;
use lastseat_core::listing::Listing;
use serde_json::json;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{House, ask};

const EVERY_DAY: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn hours(from: &str, until: &str) -> serde_json::Value {
    json!({ "opening_hours": [{ "days": EVERY_DAY, "from": from, "until": until }] })
}

/// A pitch on one day, 09:00 to 12:00 by the hour.
async fn pitch(house: &House) -> Arc<Listing> {
    let mut form = json!({
        "kind": "slots", "slot_minutes": 60,
        "resources": [{ "key": "pitch", "capacity": 1, "price": 1_000 }],
        "calendar": { "from": "2026-06-02", "until": "2026-06-03" },
        "policy": { "payment": ["external"], "hold_seconds": 600 }
    });
    form["opening_hours"] = hours("09:00", "12:00")["opening_hours"].clone();
    house.listing(form).await
}

fn at(listing: &Listing, time: &str) -> Command {
    ask::create(listing, ask::slot("pitch", &format!("2026-06-02T{time}:00Z"), 1))
}

/// The times at which there are slots; none may overlap another.
async fn slots(house: &House, listing: &Listing) -> Vec<String> {
    let pools = &house.availability(listing).await.pools;
    for pair in pools.windows(2) {
        assert!(pair[0].ends_at <= pair[1].starts_at, "{} overlaps {}", pair[0].key, pair[1].key);
    }
    pools.iter().map(|pool| pool.key["pitch/2026-06-02T".len()..][..5].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_hours_keep_what_is_booked_and_add_nothing_across_it() {
    for way in ways() {
        let house = way.house();
        let listing = pitch(&house).await;
        let booked = house.book(at(&listing, "10:00")).await;
        let left = vec![ask::patch(&listing, hours("09:30", "12:30"))];
        let right = vec![at(&listing, "09:00"), at(&listing, "11:30"), at(&listing, "10:00")];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        assert_eq!(codes(&right[2..]), ["sold_out"], "{way:?}");
        assert!(codes(&right[..2]).iter().all(|code| *code == "invalid"), "{way:?}: {right:?}");
        let found = slots(&house, &listing).await;
        match way.first {
            First::Left => {
                assert_eq!((right[0].is_ok(), right[1].is_ok()), (false, true));
                assert_eq!(found, ["10:00", "11:30"]);
            }
            First::Right => {
                assert_eq!((right[0].is_ok(), right[1].is_ok()), (true, false));
                assert_eq!(found, ["09:00", "10:00", "11:30"]);
            }
            First::Nobody => {}
        }
        assert_eq!(house.read(booked.id).await.state, State::Held);
        house.renewed().await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_are_changed_and_changed_back_leave_every_slot_bookable() {
    for way in ways() {
        let house = way.house();
        let listing = pitch(&house).await;
        let left = vec![
            ask::patch(&listing, hours("09:30", "12:30")),
            ask::patch(&listing, hours("09:00", "12:00")),
        ];
        let right = vec![];
        let (left, _) = house.race(way, left, right).await;
        assert_eq!(won(&left), 2);
        if way.first == First::Nobody {
            house.patch(&listing, hours("09:30", "12:30")).await;
            house.patch(&listing, hours("09:00", "12:00")).await;
        }
        assert_eq!(slots(&house, &listing).await, ["09:00", "10:00", "11:00"], "{way:?}");
        for time in ["09:00", "10:00", "11:00"] {
            house.book(at(&listing, time)).await;
        }
        house.renewed().await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_only_a_lapsed_hold_had_goes_and_late_money_for_it_goes_back() {
    for way in ways() {
        let house = way.house();
        let listing = pitch(&house).await;
        let lapsed = house.book(at(&listing, "09:00")).await;
        house.pass(600);
        let left = vec![ask::patch(&listing, hours("09:30", "12:30"))];
        let right = vec![ask::pay(lapsed.id, 1_000, "late")];
        let (left, right) = house.race(way, left, right).await;
        assert_eq!((won(&left), won(&right)), (1, 1), "{way:?}");
        let row = house.read(lapsed.id).await;
        let found = slots(&house, &listing).await;
        if row.state == State::Confirmed {
            assert_ne!(way.first, First::Left);
            assert_eq!((row.refund_due, found[0].as_str()), (0, "09:00"));
        } else {
            assert_ne!(way.first, First::Right);
            assert_eq!((row.state, row.refund_due, found[0].as_str()), (State::Expired, 1_000, "09:30"));
        }
        house.renewed().await;
        house.audit();
    }
}

async fn hotel(house: &House) -> Arc<Listing> {
    house
        .listing(json!({
            "kind": "nights", "resources": [{ "key": "double", "capacity": 1 }],
            "calendar": { "from": "2026-12-01", "until": "2027-01-01" }
        }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_can_be_booked_once_as_soon_as_the_calendar_holds_it() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house).await;
        let old = house.book(ask::create(&listing, ask::stay("double", "2026-12-30", "2027-01-01"))).await;
        let longer = json!({ "calendar": { "from": "2026-12-01", "until": "2027-02-01" } });
        // Over the old end of the calendar, and in its new part; and one of old nights, which is sold.
        let left = vec![ask::patch(&listing, longer.clone()), ask::patch(&listing, longer)];
        let right = vec![
            ask::create(&listing, ask::stay("double", "2027-01-10", "2027-01-12")),
            ask::create(&listing, ask::stay("double", "2027-01-11", "2027-01-13")),
            ask::create(&listing, ask::stay("double", "2026-12-31", "2027-01-01")),
        ];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 2, "", way);
        assert_eq!(codes(&right[2..]), ["sold_out"], "{way:?}");
        match way.first {
            First::Left => assert_won(&right[..2], 1, "sold_out", way),
            First::Right => assert_won(&right[..2], 0, "invalid", way),
            First::Nobody => assert!(won(&right[..2]) <= 1, "{right:?}"),
        }
        assert_eq!(house.read(old.id).await.state, State::Confirmed);
        assert_eq!(house.availability(&listing).await.pools.len(), 31 + 31);
        house.renewed().await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_two_people_extend_ends_as_the_longer_one() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house).await;
        let until = |until: &str| json!({ "calendar": { "from": "2026-12-01", "until": until } });
        let left = vec![ask::patch(&listing, until("2027-01-15"))];
        let right = vec![ask::patch(&listing, until("2027-02-01"))];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&right, 1, "", way);
        match way.first {
            First::Left => assert_won(&left, 1, "", way),
            First::Right => assert_won(&left, 0, "invalid", way),
            First::Nobody => assert!(codes(&left).iter().all(|code| *code == "invalid")),
        }
        assert_eq!(house.availability(&listing).await.pools.len(), 31 + 31);
        house.renewed().await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_room_type_is_bookable_on_every_night_and_changes_nothing_else() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house).await;
        let suite = json!({ "resources": [
            { "key": "double", "title": "double", "capacity": 1, "price": 0 },
            { "key": "suite", "title": "Suite", "capacity": 1, "price": 0 }
        ] });
        let left = vec![ask::patch(&listing, suite)];
        let right = vec![
            ask::create(&listing, ask::stay("suite", "2026-12-10", "2026-12-12")),
            ask::create(&listing, ask::stay("double", "2026-12-10", "2026-12-12")),
        ];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        assert!(right[1].is_ok(), "{way:?}: {right:?}");
        match way.first {
            First::Left => assert!(right[0].is_ok(), "{right:?}"),
            First::Right => assert_eq!(codes(&right), ["invalid"]),
            First::Nobody => {}
        }
        assert_eq!(house.availability(&listing).await.pools.len(), 62);
        house.renewed().await;
        house.audit();
    }
}
