//! A booking's life through the engine on a real SQLite file.
#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_engine::{BookingQuery, DueWorker, Engine, EngineConfig, ids};
use lastseat_store_sqlite::{Clock, OpenMode, SqliteStore};
use serde_json::json;

struct Fixture {
    engine: Engine,
    clock: Arc<AtomicI64>,
    dir: tempfile::TempDir,
}

fn start(dir: tempfile::TempDir, clock: Arc<AtomicI64>, due_worker: DueWorker) -> Fixture {
    let store =
        SqliteStore::open_with(dir.path(), OpenMode::Serve, Clock::Fixed(Arc::clone(&clock)), None).unwrap();
    let engine =
        Engine::start(Arc::new(store), EngineConfig { due_worker, ..EngineConfig::default() }).unwrap();
    Fixture { engine, clock, dir }
}

fn fixture(due_worker: DueWorker) -> Fixture {
    start(tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(1_800_000_000_000)), due_worker)
}

impl Fixture {
    async fn listing(&self, capacity: i64, payment: &[&str], hold_seconds: i64) -> ListingId {
        let spec = json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "pools": [{"key": "standard", "capacity": capacity, "price": 2_500_000}],
            "policy": {"payment": payment, "hold_seconds": hold_seconds},
        });
        let id = ids::listing_id();
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        self.engine.submit(Command::new(Actor::System, Action::CreateListing { id, spec })).await.unwrap();
        id
    }

    async fn book(&self, listing: ListingId, key: Option<u8>) -> Result<Booking, Refusal> {
        let create = CreateBooking {
            id: ids::booking_id(),
            listing,
            claim: Claim::Lines(vec![LineSpec { pool: "standard".into(), quantity: 1 }]),
            expected_total: None,
            customer: Customer { name: "A guest".into(), ..Customer::default() },
            address: None,
            max_open_holds_of_address: None,
            note: None,
            pass: None,
        };
        let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
        command.idempotency =
            key.map(|key| Idempotency { key: IdempotencyKey([key; 16]), fingerprint: [1; 16] });
        match self.engine.submit(command).await?.outcome {
            Outcome::Booking(booking) => Ok(*booking),
            other => panic!("{other:?}"),
        }
    }

    async fn change(&self, id: BookingId, change: BookingChange) -> Result<Booking, Refusal> {
        let action = Action::Booking { id, change };
        match self.engine.submit(Command::new(Actor::System, action)).await?.outcome {
            Outcome::Booking(booking) => Ok(*booking),
            other => panic!("{other:?}"),
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    async fn available(&self, listing: ListingId) -> (i64, i64, i64) {
        let listing = self.engine.listing(listing).unwrap();
        let found = self.engine.availability(&listing).await.unwrap();
        let pool = &found.pools[0];
        (pool.available, pool.held, pool.confirmed)
    }
}

#[tokio::test]
async fn the_last_place_is_sold_once_to_two_hundred_callers() {
    let f = fixture(DueWorker::On);
    let listing = f.listing(1, &[], 600).await;
    let answers = futures(200, |_| f.book(listing, None)).await;
    let sold = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(sold, 1);
    assert!(
        answers.iter().flat_map(|answer| answer.as_ref().err()).all(|refusal| refusal.code == Code::SoldOut)
    );
    assert_eq!(f.available(listing).await, (0, 0, 1));
}

async fn futures<F: Future>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output> {
    let mut all: Vec<_> = (0..count).map(|n| Box::pin(make(n))).collect();
    let mut done: Vec<Option<F::Output>> = (0..count).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_lapsed_hold_is_bookable_at_its_deadline_without_any_worker() {
    let f = fixture(DueWorker::Off);
    let listing = f.listing(1, &["receipt"], 1).await;
    let first = f.book(listing, None).await.unwrap();
    assert_eq!(first.state, State::Held);
    let refusal = f.book(listing, None).await.unwrap_err();
    assert_eq!(refusal.code, Code::SoldOut);
    f.pass(1);
    assert_eq!(f.available(listing).await, (1, 0, 0));
    assert_eq!(f.engine.booking(first.id).await.unwrap().unwrap().state, State::Expired);
    let second = f.book(listing, None).await.unwrap();
    assert_eq!(second.state, State::Held);
    let events = f.engine.booking_events(first.no).await.unwrap();
    assert_eq!(events.last().unwrap().kind.as_str(), "booking.expired");
}

#[tokio::test]
async fn the_same_key_gives_the_same_booking_as_it_was_at_first() {
    let f = fixture(DueWorker::On);
    let listing = f.listing(5, &["external"], 600).await;
    let answers = futures(5, |_| f.book(listing, Some(7))).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == &first));
    f.change(first.id, BookingChange::Cancel { reason: None }).await.unwrap();
    assert_eq!(f.book(listing, Some(7)).await.unwrap(), first);
    assert_eq!(f.available(listing).await.0, 5);
}

#[tokio::test]
async fn what_came_due_while_nobody_served_is_done_at_the_start() {
    let f = fixture(DueWorker::On);
    let listing = f.listing(1, &["receipt"], 60).await;
    let booking = f.book(listing, None).await.unwrap();
    f.engine.drain().await;
    let Fixture { clock, dir, engine } = f;
    drop(engine);
    clock.fetch_add(61_000, Ordering::SeqCst);
    let f = start(dir, clock, DueWorker::On);
    for _ in 0..100 {
        let events = f.engine.booking_events(booking.no).await.unwrap();
        if events.last().unwrap().kind.as_str() == "booking.expired" {
            let query = BookingQuery { state: Some(State::Expired), ..BookingQuery::default() };
            assert_eq!(f.engine.bookings(query, 10).await.unwrap().len(), 1);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the hold that lapsed was not expired");
}
