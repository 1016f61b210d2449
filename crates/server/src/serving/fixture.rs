//! For tests: an engine on a fresh file, with one booking of a sample listing.

use std::sync::Arc;

use lastseat_core::Outcome;
use lastseat_core::booking::Booking;
use lastseat_core::command::{Action, Actor, Command, CreateBooking};
use lastseat_engine::{Engine, EngineConfig, ids};
use lastseat_store::Store;
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use tempfile::TempDir;

use crate::samples;

/// A data directory that is gone when it is dropped, its store, and an engine on it.
pub(super) fn engine() -> (TempDir, Arc<dyn Store>, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir.path(), OpenMode::Serve).unwrap());
    let engine = Engine::start(Arc::clone(&store), EngineConfig::default()).unwrap();
    (dir, store, engine)
}

/// Does something as the engine itself.
pub(super) async fn submit(engine: &Engine, action: Action) -> Outcome {
    engine.submit(Command::new(Actor::System, action)).await.unwrap().outcome
}

/// Makes the sample listing of that name, and its first booking.
pub(super) async fn book(engine: &Engine, name: &str) -> Booking {
    let now = engine.now().await.unwrap();
    let sample = samples::all(now).into_iter().find(|sample| sample.name == name).unwrap();
    let listing = ids::listing_id();
    let spec = Box::new(serde_json::from_value(sample.form).unwrap());
    submit(engine, Action::CreateListing { id: listing, spec }).await;
    let create = CreateBooking {
        id: ids::booking_id(),
        listing,
        claim: sample.bookings[0].claim.clone(),
        expected_total: None,
        customer: samples::customer(0),
        address: None,
        max_open_holds_of_address: None,
        note: None,
        pass: None,
    };
    match submit(engine, Action::CreateBooking(Box::new(create))).await {
        Outcome::Booking(booking) => *booking,
        other => panic!("{other:?}"),
    }
}
