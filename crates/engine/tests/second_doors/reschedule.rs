//! Moving a booking: its own units are given back first, and all happens at once or not at all.

use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::listing::Listing;
use serde_json::json;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{House, ask, booking};

async fn hotel(house: &House, capacity: i64) -> Arc<Listing> {
    house
        .listing(json!({
            "kind": "nights", "timezone": "Europe/Berlin",
            "resources": [{ "key": "double", "capacity": capacity, "price": 9_900 }],
            "calendar": { "from": "2026-12-01", "until": "2027-01-01" },
            "policy": { "payment": ["external"], "hold_seconds": 600 }
        }))
        .await
}

fn night(listing: &Listing, day: u8) -> lastseat_core::command::Command {
    ask::create(listing, nights(day, 1))
}

fn nights(day: u8, count: u8) -> lastseat_core::listing::request::Claim {
    ask::stay("double", &format!("2026-12-{day:02}"), &format!("2026-12-{:02}", day + count))
}

fn keys(listing: &Listing, row: &Booking) -> Vec<String> {
    row.lines.iter().map(|line| listing.pool_key(line.pool)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_to_the_last_room_and_booking_it_sells_it_once() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 1).await;
        let moved = house.book(night(&listing, 10)).await;
        let left = vec![ask::reschedule(moved.id, nights(20, 1))];
        let right = (0..4).map(|_| night(&listing, 20)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_eq!(won(&left) + won(&right), 1, "{way:?}");
        assert!(codes(&left).iter().chain(&codes(&right)).all(|code| *code == "sold_out"), "{way:?}");
        let row = house.read(moved.id).await;
        let has_moved = won(&left) == 1;
        match way.first {
            First::Left => assert!(has_moved),
            First::Right => assert!(!has_moved),
            First::Nobody => {}
        }
        assert_eq!(keys(&listing, &row), [if has_moved { "double/2026-12-20" } else { "double/2026-12-10" }]);
        assert_eq!(house.stock(&listing, "double/2026-12-10").await.0, i64::from(has_moved));
        assert_eq!(house.stock(&listing, "double/2026-12-20").await.0, 0);
        house.audit();
    }
}

/// What a moved booking leaves is free for others in the very same transaction.
#[tokio::test(flavor = "multi_thread")]
async fn the_room_that_a_moved_booking_leaves_is_sold_once() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 1).await;
        let moved = house.book(night(&listing, 10)).await;
        let left = vec![ask::reschedule(moved.id, nights(20, 1))];
        let right = (0..4).map(|_| night(&listing, 10)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        match way.first {
            First::Left => assert_won(&right, 1, "sold_out", way),
            First::Right => assert_won(&right, 0, "sold_out", way),
            First::Nobody => assert!(won(&right) <= 1, "{right:?}"),
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bookings_swap_nothing_while_each_stands_in_the_others_way() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 1).await;
        let (a, b) = (house.book(night(&listing, 10)).await, house.book(night(&listing, 20)).await);
        let left = vec![ask::reschedule(a.id, nights(20, 1))];
        let right = vec![ask::reschedule(b.id, nights(10, 1))];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left, right].concat(), 0, "sold_out", way);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stay_can_be_moved_over_its_own_nights_in_a_full_house() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 1).await;
        let stay = house.book(ask::create(&listing, nights(10, 4))).await;
        // The next night is wanted by others too.
        let left = vec![ask::reschedule(stay.id, nights(11, 4))];
        let right = vec![night(&listing, 14), night(&listing, 10)];
        let (left, right) = house.race(way, left, right).await;
        let row = house.read(stay.id).await;
        if won(&left) == 1 {
            assert_eq!(keys(&listing, &row)[0], "double/2026-12-11");
            assert_eq!(codes(&right[..1]), ["sold_out"]);
        } else {
            assert_eq!(keys(&listing, &row)[0], "double/2026-12-10");
            assert_eq!((codes(&left), won(&right[..1])), (vec!["sold_out"], 1));
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_a_hold_that_lapses_meanwhile_moves_it_in_time_or_not_at_all() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 1).await;
        let held = house.book(night(&listing, 10)).await;
        house.set(held.deadline.unwrap());
        let left = (0..2).map(|_| ask::reschedule(held.id, nights(20, 1))).collect();
        let right = vec![night(&listing, 10), night(&listing, 20)];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 0, "hold_expired", way);
        assert_won(&right, 2, "", way);
        assert_eq!(house.read(held.id).await.state, State::Expired);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_a_paid_booking_and_cancelling_it_gives_all_money_back_once() {
    for way in ways() {
        let house = way.house();
        let listing = hotel(&house, 2).await;
        let paid = house.paid(ask::create(&listing, nights(10, 2))).await;
        let left = vec![ask::reschedule(paid.id, nights(20, 1))];
        let right = vec![ask::cancel(&ask::operator("Anna"), paid.id)];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&right, 1, "", way);
        assert_won(&left, usize::from(way.first == First::Left || won(&left) == 1), "wrong_state", way);
        let row = house.read(paid.id).await;
        assert_eq!((row.state, row.paid, row.refund_due), (State::Cancelled, 19_800, 19_800), "{way:?}");
        house.audit();
    }
}

#[tokio::test]
async fn a_cheaper_stay_gives_money_back_and_a_dearer_one_is_refused() {
    let house = House::open();
    let listing = hotel(&house, 1).await;
    let paid = house.paid(ask::create(&listing, nights(10, 2))).await;
    let dearer = house.submit(ask::reschedule(paid.id, nights(10, 3))).await.unwrap_err();
    assert_eq!(dearer.code.as_str(), "invalid");
    let cheaper = house.submit(ask::reschedule(paid.id, nights(11, 1))).await.map(booking).unwrap();
    assert_eq!((cheaper.total, cheaper.refund_due), (9_900, 9_900));
    house.audit();
}
