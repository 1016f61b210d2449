//! A listing's times change while its places are held, paid and used.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::listing::Listing;
use lastseat_engine::{DueWorker, EngineConfig};
use lastseat_store::Store;
use lastseat_testkit::wait_until_async;
use serde_json::json;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{House, WAIT, ask, at};

/// A class from 13:00 to 14:00 on the first day.
async fn class(house: &House, payment: &[&str]) -> Arc<Listing> {
    house
        .listing(json!({
            "kind": "places", "starts_at": "2026-06-01T13:00:00Z", "ends_at": "2026-06-01T14:00:00Z",
            "pools": [{ "key": "standard", "capacity": 3, "price": 1_000 }],
            "policy": { "payment": payment, "hold_seconds": 600 }
        }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_the_end_while_holds_are_paid_gives_every_booking_the_new_end() {
    for way in ways() {
        let house = way.house();
        let listing = class(&house, &["external"]).await;
        let (held, paid) = (house.book(ask::one(&listing)).await, house.paid(ask::one(&listing)).await);
        let left = vec![ask::patch(&listing, json!({ "ends_at": "2026-06-01T18:00:00Z" }))];
        let right = vec![ask::pay(held.id, 1_000, "x"), ask::one(&listing)];
        let (left, right) = house.race(way, left, right).await;
        assert_eq!((won(&left), won(&right)), (1, 2), "{way:?}");
        house.renewed().await;
        house.audit();
        let moved = Some(at("2026-06-01T18:00:00Z"));
        for booking in [&held, &paid] {
            let row = house.read(booking.id).await;
            assert_eq!((row.state, house.engine.due_at(&row)), (State::Confirmed, moved));
            let stored = house.store.reader().unwrap().stored_due_at(row.no).unwrap();
            assert_eq!(stored, moved, "{way:?}");
        }
        // The third is a hold still: its next step is its deadline, whatever the class does.
        let third = right[1].clone().map(crate::common::booking).unwrap();
        assert_eq!(house.engine.due_at(&third), Some(at("2026-06-01T12:10:00Z")));
        house.set(at("2026-06-01T17:59:59Z"));
        assert_eq!(house.read(paid.id).await.state, State::Confirmed);
        house.set(at("2026-06-01T18:00:00Z"));
        assert_eq!(house.read(paid.id).await.state, State::Completed);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_the_end_at_the_very_end_completes_or_goes_on_but_loses_nobody() {
    for way in ways() {
        let house = way.house();
        let listing = class(&house, &[]).await;
        let booking = house.book(ask::one(&listing)).await;
        house.set(at("2026-06-01T14:00:00Z"));
        let left = vec![ask::patch(&listing, json!({ "ends_at": "2026-06-01T18:00:00Z" }))];
        let right = (0..3).map(|_| ask::settle()).collect();
        let (left, _) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        house.renewed().await;
        let row = house.read(booking.id).await;
        match row.state {
            State::Confirmed => assert_eq!(house.engine.due_at(&row), Some(at("2026-06-01T18:00:00Z"))),
            State::Completed => assert_eq!(house.events(&row).await.last(), Some(&"booking.completed")),
            other => panic!("{way:?}: {other:?}"),
        }
        assert_eq!(house.stock(&listing, "standard").await.2, 1);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_moved_into_the_past_ends_the_sale_at_once() {
    for way in ways() {
        let house = way.house();
        let listing = class(&house, &["external"]).await;
        let held = house.book(ask::one(&listing)).await;
        let left = vec![ask::patch(&listing, json!({ "starts_at": "2026-06-01T11:00:00Z" }))];
        let right = vec![ask::one(&listing), ask::one(&listing), ask::pay(held.id, 1_000, "x")];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        assert!(right[2].is_ok(), "a hold from before is paid: {way:?}");
        assert!(codes(&right).iter().all(|code| *code == "not_on_sale"), "{way:?}: {right:?}");
        match way.first {
            First::Left => assert_eq!(won(&right), 1),
            First::Right => assert_eq!(won(&right), 3),
            First::Nobody => {}
        }
        assert_eq!(house.stock(&listing, "standard").await.0, 0, "nothing is on sale any more");
        house.renewed().await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_moved_into_the_past_completes_every_booking_for_whoever_looks_first() {
    let house = House::open();
    let listing = class(&house, &[]).await;
    let booking = house.book(ask::one(&listing)).await;
    house.set(at("2026-06-01T13:30:00Z"));
    house.patch(&listing, json!({ "ends_at": "2026-06-01T13:20:00Z" })).await;
    assert_eq!(house.read(booking.id).await.state, State::Completed);
    house.renewed().await;
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_worker_on_a_moved_end_completes_at_the_new_end_and_not_at_the_old_one() {
    let house = House::with(EngineConfig { due_worker: DueWorker::On, ..EngineConfig::default() });
    let listing = class(&house, &[]).await;
    let booking = house.book(ask::one(&listing)).await;
    house.patch(&listing, json!({ "ends_at": "2026-06-01T15:00:00Z" })).await;
    house.renewed().await;
    house.set(at("2026-06-01T14:30:00Z"));
    house.settle().await;
    assert_eq!(house.events(&booking).await, ["booking.confirmed"]);
    house.set(at("2026-06-01T15:00:00Z"));
    let completed = wait_until_async(WAIT, "the event", async || {
        (house.events(&booking).await == ["booking.confirmed", "booking.completed"]).then_some(())
    });
    completed.await.unwrap();
    house.audit();
}
