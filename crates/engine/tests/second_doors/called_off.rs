//! A listing is called off under its bookings: at once for every reader, row by row by the worker.

use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::Actor;
use lastseat_core::listing::Listing;
use lastseat_engine::{BookingQuery, DueWorker, Engine, EngineConfig, batch, ids};
use lastseat_store::Store;
use lastseat_store_sqlite::{FILE_NAME, SqliteStore};
use serde_json::json;

use crate::common::audit::all;
use crate::common::race::{First, assert_won, ways};
use crate::common::{House, ask, booking};

fn call_off(listing: &Listing) -> lastseat_core::command::Command {
    ask::patch(listing, json!({ "status": "cancelled" }))
}

fn assert_called_off(row: &Booking) {
    assert_eq!((row.state, row.refund_due), (State::Cancelled, row.paid), "{row:?}");
    assert_eq!(row.reason.as_deref(), Some("listing_cancelled"), "{row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calling_off_beats_or_follows_every_other_decision_and_all_money_goes_back() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(10).await;
        let (held, cancelled) = (house.book(ask::one(&listing)).await, house.book(ask::one(&listing)).await);
        let (review, paid) =
            (house.in_review(ask::one(&listing)).await, house.paid(ask::one(&listing)).await);
        let anna = ask::operator("Anna");
        let left = vec![call_off(&listing)];
        let right = vec![
            ask::pay(held.id, 1_000, "x"),
            ask::approve(&anna, review.id),
            ask::cancel(&Actor::Owner, cancelled.id),
            ask::one(&listing),
            ask::import(&listing, "old"),
        ];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        if way.first == First::Left {
            // The money is taken in to be given back; nothing else is done for a listing that is off.
            let answered = right[0].clone().map(booking).unwrap();
            assert_eq!((answered.state, answered.refund_due), (State::Cancelled, 1_000), "{way:?}");
            assert_won(&right[1..3], 0, "wrong_state", way);
            assert_won(&right[3..4], 0, "not_on_sale", way);
            // What was sold elsewhere is taken in as what it is now: off, its money to be given back.
            assert_won(&right[4..], 1, "", way);
        }
        house.renewed().await;
        for row in all(house.store.reader().unwrap().as_ref()) {
            assert_eq!((row.state, row.refund_due), (State::Cancelled, row.paid), "{way:?}: {row:?}");
        }
        let (held, review) = (house.read(held.id).await, house.read(review.id).await);
        assert_eq!((held.paid, held.refund_due), (1_000, 1_000));
        assert!([0, 1_000].contains(&review.paid));
        assert_called_off(&house.read(paid.id).await);
        let events = house.events(&paid).await;
        assert!(events.ends_with(&["booking.cancelled", "booking.refund_due"]), "{events:?}");
        assert_eq!(house.stock(&listing, "standard").await, (0, 0, 0));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_after_a_listing_was_called_off_goes_back() {
    let house = House::open();
    let listing = house.places(2).await;
    let (held, lapsed) = (house.book(ask::one(&listing)).await, house.book(ask::one(&listing)).await);
    house.pass(600);
    house.settle().await;
    assert_eq!(house.read(lapsed.id).await.state, State::Expired);
    house.patch(&listing, json!({ "status": "cancelled" })).await;
    for late in [&held, &lapsed] {
        let row = house.submit(ask::pay(late.id, 1_000, "x")).await.map(booking).unwrap();
        assert_eq!((row.state, row.refund_due), (State::Expired, 1_000));
    }
    house.renewed().await;
    house.audit();
}

/// So many that the worker needs several transactions.
const MANY: usize = 1_200;

async fn full_house() -> (House, Arc<Listing>) {
    let house = House::open();
    let listing = house.places(i64::try_from(MANY).unwrap()).await;
    let commands: Vec<_> = (0..MANY).map(|_| ask::one(&listing)).collect();
    let bookings = house.all_at_once(commands).await;
    let later: Vec<_> = bookings
        .iter()
        .enumerate()
        .filter_map(|(index, answer)| {
            let id = answer.clone().map(booking).unwrap().id;
            match index % 3 {
                0 => Some(ask::pay(id, 1_000, "x")),
                1 => Some(ask::receipt(id)),
                _ => None,
            }
        })
        .collect();
    house.all_at_once(later).await;
    (house, listing)
}

/// Calls a listing off in a store that no engine serves, so that no worker has run.
fn call_off_unserved(store: &SqliteStore, listing: &Listing) {
    let mut lane = store.lane().unwrap();
    let ran = batch::run(lane.as_mut(), &[call_off(listing)], &mut ids::bits);
    assert!(ran.answers.iter().all(Result::is_ok), "{:?}", ran.answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_a_listing_called_off_before_the_worker_has_touched_a_row() {
    let (house, listing) = full_house().await;
    house.engine.drain().await;
    call_off_unserved(&house.store, &listing);
    // The worker of a new engine cannot write while somebody else does.
    let gate = rusqlite::Connection::open(house.path().join(FILE_NAME)).unwrap();
    gate.execute_batch("BEGIN IMMEDIATE").unwrap();
    let config = EngineConfig { due_worker: DueWorker::Off, ..EngineConfig::default() };
    let engine = Engine::start(Arc::<SqliteStore>::clone(&house.store), config).unwrap();

    let stored = all(house.store.reader().unwrap().as_ref());
    assert_eq!(stored.len(), MANY);
    assert!(stored.iter().all(|row| row.state != State::Cancelled), "the worker is at it already");
    for row in stored.iter().step_by(40) {
        assert_called_off(&engine.booking(row.id).await.unwrap().unwrap());
    }
    let of =
        |state| BookingQuery { listing: Some(listing.no), state: Some(state), ..BookingQuery::default() };
    assert_eq!(engine.bookings(of(State::Cancelled), 200).await.unwrap().len(), 200);
    for state in [State::Held, State::InReview, State::Confirmed] {
        assert!(engine.bookings(of(state), 200).await.unwrap().is_empty(), "{state:?}");
    }
    let listing = engine.listing(listing.id).unwrap();
    assert_eq!(engine.availability(&listing).await.unwrap().pools[0].available, 0);
    drop(gate);
    engine.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_goes_on_where_it_was_stopped_and_leaves_no_row() {
    let (house, listing) = full_house().await;
    house.engine.drain().await;
    call_off_unserved(&house.store, &listing);
    // Started and stopped again and again, in the middle of its work.
    let mut starts = 0;
    loop {
        starts += 1;
        let config = EngineConfig { due_worker: DueWorker::Off, ..EngineConfig::default() };
        let engine = Engine::start(Arc::<SqliteStore>::clone(&house.store), config).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        engine.drain().await;
        if !house.store.reader().unwrap().is_renewing().unwrap() {
            break;
        }
        assert!(starts < 1_000, "it never comes to an end");
    }
    let rows = all(house.store.reader().unwrap().as_ref());
    rows.iter().for_each(assert_called_off);
    assert_eq!(rows.iter().map(|row| row.refund_due).sum::<i64>(), 400 * 1_000);
    let pools = house.store.reader().unwrap().pools(listing.no).unwrap();
    assert_eq!((pools[0].1.held, pools[0].1.confirmed), (0, 0));
    house.audit();
}
