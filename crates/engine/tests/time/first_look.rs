//! With the due worker off: whoever looks first, and however, sees what time has done.

use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Actor, BookingChange};
use lastseat_core::listing::Listing;
use lastseat_engine::BookingQuery;
use serde_json::json;

use crate::common::{House, ask, at};

/// A class from 13:00 to 14:00 with one place that is held for a second.
async fn class(house: &House) -> Arc<Listing> {
    house
        .listing(json!({
            "kind": "places", "starts_at": "2026-06-01T13:00:00Z", "ends_at": "2026-06-01T14:00:00Z",
            "pools": [{ "key": "standard", "capacity": 1, "price": 1_000 }],
            "policy": { "payment": ["external", "receipt"], "hold_seconds": 1 }
        }))
        .await
}

/// A hold whose second is over. Nobody has looked since.
async fn lapsed() -> (House, Arc<Listing>, Booking) {
    let house = House::open();
    let listing = class(&house).await;
    let booking = house.book(ask::one(&listing)).await;
    house.set(booking.deadline.unwrap());
    (house, listing, booking)
}

/// A paid booking whose end is there. Nobody has looked since.
async fn ended() -> (House, Arc<Listing>, Booking) {
    let house = House::open();
    let listing = class(&house).await;
    let booking = house.paid(ask::one(&listing)).await;
    house.set(at("2026-06-01T14:00:00Z"));
    (house, listing, booking)
}

async fn listed(house: &House, state: State) -> Vec<Booking> {
    house.all(BookingQuery { state: Some(state), ..BookingQuery::default() }).await
}

#[tokio::test]
async fn the_place_of_a_hold_of_one_second_is_bookable_at_its_deadline_and_not_before() {
    let house = House::open();
    let listing = class(&house).await;
    let held = house.book(ask::one(&listing)).await;
    let deadline = held.deadline.unwrap();
    assert_eq!(deadline, house.now().plus_seconds(1));
    house.set(lastseat_core::time::Time::from_millis(deadline.millis() - 1));
    let refusal = house.try_book(ask::one(&listing)).await.unwrap_err();
    assert_eq!(refusal.code.as_str(), "sold_out");
    let lastseat_core::refusal::RefusalData::Pools { pools, .. } = &refusal.data else {
        panic!("{refusal:?}")
    };
    assert_eq!(pools[0].next_release_at, Some(deadline));
    assert_eq!(house.availability(&listing).await.pools[0].next_release_at, Some(deadline));
    house.set(deadline);
    let next = house.book(ask::one(&listing)).await;
    assert_eq!(next.state, State::Held);
    assert_eq!(house.events(&held).await, ["booking.held", "booking.expired"]);
    house.audit();
}

#[tokio::test]
async fn whoever_gets_a_lapsed_hold_first_reads_expired() {
    let (house, _, booking) = lapsed().await;
    let row = house.read(booking.id).await;
    assert_eq!((row.state, row.version, row.reason.as_deref()), (State::Expired, 2, Some("hold_lapsed")));
    let row = house.engine.booking_at(booking.no).await.unwrap().unwrap();
    assert_eq!(row.state, State::Expired);
    assert_eq!(house.engine.due_at(&row), None);
}

#[tokio::test]
async fn whoever_lists_a_lapsed_hold_first_finds_it_among_the_expired() {
    let (house, _, booking) = lapsed().await;
    assert!(listed(&house, State::Held).await.is_empty());
    let expired = listed(&house, State::Expired).await;
    assert_eq!(expired.iter().map(|row| row.id).collect::<Vec<_>>(), [booking.id]);
    assert_eq!(house.all(BookingQuery::default()).await[0].state, State::Expired);
}

#[tokio::test]
async fn whoever_asks_for_availability_first_finds_the_place_of_a_lapsed_hold_free() {
    let (house, listing, _) = lapsed().await;
    assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
    assert_eq!(house.availability(&listing).await.pools[0].next_release_at, None);
}

#[tokio::test]
async fn a_command_speaks_of_the_settled_row_and_its_version() {
    let (house, _, booking) = lapsed().await;
    let seen = house.read(booking.id).await.version;
    let mut old = ask::pay(booking.id, 1_000, "late");
    old.if_match = Some(u64::from(booking.version));
    assert_eq!(house.submit(old.clone()).await.unwrap_err().code.as_str(), "stale_version");
    old.if_match = Some(u64::from(seen));
    let row = house.submit(old).await.map(crate::common::booking).unwrap();
    assert_eq!((row.state, row.version), (State::Confirmed, seen + 1));
    house.audit();
}

#[tokio::test]
async fn owners_of_a_lapsed_hold_are_told_that_it_lapsed() {
    for change in [
        BookingChange::Extend { seconds: 60 },
        BookingChange::Cancel { reason: None },
        BookingChange::Reschedule { claim: ask::lines(&[("standard", 1)]) },
    ] {
        let (house, _, booking) = lapsed().await;
        let refusal = house.change(Actor::Owner, booking.id, change).await.unwrap_err();
        assert_eq!(refusal.code.as_str(), "hold_expired");
        house.audit();
    }
}

#[tokio::test]
async fn whoever_gets_a_booking_past_its_end_first_reads_completed() {
    let (house, _, booking) = ended().await;
    let row = house.read(booking.id).await;
    assert_eq!((row.state, row.version), (State::Completed, booking.version + 1));
}

#[tokio::test]
async fn whoever_lists_a_booking_past_its_end_first_finds_it_among_the_completed() {
    let (house, listing, booking) = ended().await;
    assert!(listed(&house, State::Confirmed).await.is_empty());
    assert_eq!(listed(&house, State::Completed).await[0].id, booking.id);
    let of = BookingQuery { listing: Some(listing.no), ..BookingQuery::default() };
    assert_eq!(house.all(of).await[0].state, State::Completed);
}

#[tokio::test]
async fn whoever_asks_for_availability_first_sees_the_place_of_a_completed_booking_as_sold() {
    let (house, listing, _) = ended().await;
    assert_eq!(house.stock(&listing, "standard").await, (0, 0, 1));
}

#[tokio::test]
async fn the_feed_tells_the_completion_once_somebody_has_settled_it() {
    let (house, _, booking) = ended().await;
    let before = house.engine.last_event().await.unwrap();
    // Too late to cancel: the command settles the row, and says so in the feed, though it is refused.
    let refusal = house.submit(ask::cancel(&ask::operator("Anna"), booking.id)).await.unwrap_err();
    assert_eq!(refusal.code.as_str(), "wrong_state");
    let events = house.engine.events(before, None, 10).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.actor.as_str())).collect();
    assert_eq!(told, [("booking.completed", "system")]);
    assert_eq!(house.read(booking.id).await.version, booking.version + 1);
    house.audit();
}

#[tokio::test]
async fn a_review_that_nobody_looked_at_lapses_for_whoever_looks_first() {
    let house = House::open();
    let listing = house.places(1).await;
    let booking = house.in_review(ask::one(&listing)).await;
    assert_eq!(booking.deadline, Some(house.now().plus_seconds(3_600)));
    house.pass(3_600);
    let row = house.read(booking.id).await;
    assert_eq!((row.state, row.reason.as_deref()), (State::Expired, Some("review_lapsed")));
    assert_eq!(listed(&house, State::Expired).await[0].id, booking.id);
    assert!(listed(&house, State::InReview).await.is_empty());
    assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
    let refusal = house.submit(ask::approve(&ask::operator("Anna"), booking.id)).await.unwrap_err();
    assert_eq!(refusal.code.as_str(), "hold_expired");
    house.audit();
}
