//! Deadlines with the machine's own clock, with the worker, and while nobody serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lastseat_core::booking::State;
use lastseat_engine::{BookingQuery, DueWorker, Engine, EngineConfig};
use lastseat_store::Store;
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use lastseat_testkit::wait_until_async;
use serde_json::json;

use crate::common::{House, WAIT, ask, at, booking};

/// How long after its deadline a place may still be refused on a busy machine.
const SOON: Duration = Duration::from_millis(500);
/// How soon after a deadline its event must be there.
const EVENT_SOON: Duration = Duration::from_secs(5);

fn with_worker() -> EngineConfig {
    EngineConfig::default()
}

fn without_worker() -> EngineConfig {
    EngineConfig { due_worker: DueWorker::Off, ..EngineConfig::default() }
}

#[tokio::test]
async fn by_the_machines_clock_and_without_any_worker_the_place_is_free_right_after_its_second() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), OpenMode::Serve).unwrap();
    let engine = Engine::start(Arc::new(store), without_worker()).unwrap();
    let id = lastseat_engine::ids::listing_id();
    let spec = json!({
        "kind": "places", "title": "Short", "timezone": "UTC", "currency": "EUR",
        "pools": [{ "key": "standard", "capacity": 1, "price": 1_000 }],
        "policy": { "payment": ["external"], "hold_seconds": 1 }
    });
    let spec = Box::new(serde_json::from_value(spec).unwrap());
    let create = lastseat_core::command::Action::CreateListing { id, spec };
    engine.submit(ask::admin(create)).await.unwrap();
    let listing = engine.listing(id).unwrap();

    let held = engine.submit(ask::one(&listing)).await.unwrap();
    let begun = Instant::now();
    let held = booking(held.outcome);
    let next = wait_until_async(WAIT, "the place", async || engine.submit(ask::one(&listing)).await.ok());
    let next = next.await.unwrap();
    let took = begun.elapsed();
    assert!(next.now >= held.deadline.unwrap(), "{} is too early", next.now);
    assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(1) + SOON, "{took:?}");
    assert_eq!(engine.booking(held.id).await.unwrap().unwrap().state, State::Expired);
}

#[tokio::test]
async fn by_the_machines_clock_the_worker_tells_of_a_lapsed_hold_within_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), OpenMode::Serve).unwrap();
    let engine = Engine::start(Arc::new(store), with_worker()).unwrap();
    let id = lastseat_engine::ids::listing_id();
    let spec = json!({
        "kind": "places", "title": "Short", "timezone": "UTC", "currency": "EUR",
        "pools": [{ "key": "standard", "capacity": 1, "price": 1_000 }],
        "policy": { "payment": ["external"], "hold_seconds": 1 }
    });
    let spec = Box::new(serde_json::from_value(spec).unwrap());
    let create = lastseat_core::command::Action::CreateListing { id, spec };
    engine.submit(ask::admin(create)).await.unwrap();
    let listing = engine.listing(id).unwrap();
    let held = booking(engine.submit(ask::one(&listing)).await.unwrap().outcome);
    let event = wait_until_async(WAIT, "the event", async || {
        let events = engine.booking_events(held.no).await.unwrap();
        events.into_iter().find(|event| event.kind.as_str() == "booking.expired")
    });
    let late = event.await.unwrap().at.millis() - held.deadline.unwrap().millis();
    let most = i64::try_from(EVENT_SOON.as_millis()).unwrap();
    assert!((0..most).contains(&late), "{late} ms late");
}

/// Waits until the events of what came due are there, and gives how many.
async fn told(house: &House, kind: &str, count: usize) {
    let told = wait_until_async(WAIT, kind, async || {
        let events = house.engine.events(0, None, 10_000).await.unwrap();
        let found = events.iter().filter(|event| event.kind.as_str() == kind).count();
        (found >= count).then_some(found)
    });
    assert_eq!(told.await.unwrap(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_that_pass_while_the_server_is_down_are_done_at_the_start() {
    let house = House::with(with_worker());
    let listing = house.places(10).await;
    let class = house
        .listing(json!({
            "kind": "places", "starts_at": "2026-06-01T12:30:00Z", "ends_at": "2026-06-01T13:30:00Z",
            "pools": [{ "key": "standard", "capacity": 10 }]
        }))
        .await;
    let held = house.book(ask::one(&listing)).await;
    let review = house.in_review(ask::one(&listing)).await;
    let attended = house.book(ask::one(&class)).await;
    let paid = house.paid(ask::one(&listing)).await;
    // The hold has ten minutes, the review an hour, the class 90 minutes.
    let house = house.closed_for(2 * 3_600, with_worker()).await;
    told(&house, "booking.expired", 2).await;
    told(&house, "booking.completed", 1).await;
    for (row, state) in [
        (&held, State::Expired),
        (&review, State::Expired),
        (&attended, State::Completed),
        (&paid, State::Confirmed),
    ] {
        assert_eq!(house.read(row.id).await.state, state);
    }
    let event = house.engine.booking_events(held.no).await.unwrap().pop().unwrap();
    assert_eq!((event.at, event.actor.as_str()), (at("2026-06-01T14:00:00Z"), "system"));
    assert_eq!(house.stock(&listing, "standard").await, (9, 0, 1));
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_that_pass_while_the_server_is_down_count_even_if_no_worker_ever_runs() {
    let house = House::open();
    let listing = house.places(1).await;
    let held = house.book(ask::one(&listing)).await;
    let house = house.closed_for(600, without_worker()).await;
    assert_eq!(house.read(held.id).await.state, State::Expired);
    assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
    house.book(ask::one(&listing)).await;
    assert_eq!(house.events(&held).await, ["booking.held", "booking.expired"]);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_holds_that_lapse_in_one_second_while_the_server_is_down_are_all_expired() {
    const HOLDS: usize = 3_000;
    let house = House::with(with_worker());
    let listing = house.places(i64::try_from(HOLDS).unwrap()).await;
    let commands = (0..HOLDS).map(|_| ask::one(&listing)).collect();
    assert!(house.all_at_once(commands).await.iter().all(Result::is_ok));
    let house = house.closed_for(600, with_worker()).await;
    told(&house, "booking.expired", HOLDS).await;
    let held = BookingQuery { state: Some(State::Held), ..BookingQuery::default() };
    assert!(house.all(held).await.is_empty());
    assert_eq!(house.stock(&listing, "standard").await.0, i64::try_from(HOLDS).unwrap());
    assert_eq!(house.store.reader().unwrap().next_due().unwrap(), None);
    house.audit();
}

/// The clock strikes while nobody has anything to ask: the worker does it by itself, in order.
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_wakes_for_each_deadline_by_itself() {
    let house = House::with(with_worker());
    let listing = house.places(3).await;
    let first = house.book(ask::one(&listing)).await;
    house.pass(60);
    let second = house.book(ask::one(&listing)).await;
    house.set(first.deadline.unwrap());
    told(&house, "booking.expired", 1).await;
    assert_eq!(house.events(&second).await, ["booking.held"]);
    house.set(second.deadline.unwrap());
    told(&house, "booking.expired", 2).await;
    house.audit();
}
