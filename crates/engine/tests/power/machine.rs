//! A machine whose power can be cut: the engine on SQLite on [`PowerDisk`], and clients that remember what
//! they were told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Action, Actor, Command};
use lastseat_core::customer::Customer;
use lastseat_core::id::BookingId;
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Refusal;
use lastseat_engine::{Engine, EngineConfig};
use lastseat_store::Store;
use lastseat_store_sqlite::{Clock, OpenMode, SqliteStore};
use lastseat_testkit::vfs::{PowerDisk, Survival};
use serde_json::json;

use crate::common::{START, ask, at, audit, booking};

/// Who wants something at the same time.
const CLIENTS: u64 = 8;
/// Units of the one pool: more than anybody asks for.
const CAPACITY: i64 = 100_000;

/// Whether commits are synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sync {
    Full,
    Off,
}

/// What clients were told, by their idempotency keys.
#[derive(Default)]
pub struct Told {
    /// The booking, and whether its payment was acknowledged too.
    pub booked: BTreeMap<u128, (BookingId, bool)>,
    /// Keys of requests that got no good answer.
    pub open: Vec<u128>,
}

pub struct Machine {
    pub disk: PowerDisk,
    /// None only while it starts anew: two of them may not have the data at the same time.
    running: Option<(Engine, Arc<SqliteStore>)>,
    pub listing: Arc<Listing>,
    pub told: Told,
    clock: Arc<AtomicI64>,
    sync: Sync,
    next_key: u128,
    /// For the lock file only; everything else is on the disk.
    dir: tempfile::TempDir,
}

impl Machine {
    pub async fn new(sync: Sync) -> Self {
        let (disk, dir) = (PowerDisk::new(), tempfile::tempdir().unwrap());
        let clock = Arc::new(AtomicI64::new(at(START).millis()));
        let store = open(dir.path(), &disk, &clock, Sync::Full);
        let engine = Engine::start(Arc::<SqliteStore>::clone(&store), EngineConfig::default()).unwrap();
        let id = lastseat_engine::ids::listing_id();
        let spec = json!({
            "kind": "places", "title": "A test", "timezone": "UTC", "currency": "EUR",
            "pools": [{ "key": "standard", "capacity": CAPACITY, "price": 1_000 }],
            "policy": { "payment": ["external"], "hold_seconds": 600, "max_per_customer": 5 }
        });
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        engine.submit(ask::admin(Action::CreateListing { id, spec })).await.unwrap();
        let listing = engine.listing(id).unwrap();
        let running = Some((engine, store));
        let mut machine =
            Self { disk, running, listing, told: Told::default(), clock, sync, next_key: 0, dir };
        if sync == Sync::Off {
            machine.restart().await;
        }
        machine
    }

    pub fn engine(&self) -> &Engine {
        &self.running.as_ref().unwrap().0
    }

    fn store(&self) -> &SqliteStore {
        &self.running.as_ref().unwrap().1
    }

    async fn stop(&mut self) {
        if let Some((engine, _)) = self.running.take() {
            engine.drain().await;
        }
    }

    /// Ends the engine, and starts it again on what the disk has.
    pub async fn restart(&mut self) {
        self.stop().await;
        let store = open(self.dir.path(), &self.disk, &self.clock, self.sync);
        let engine = Engine::start(Arc::<SqliteStore>::clone(&store), EngineConfig::default()).unwrap();
        self.running = Some((engine, store));
    }

    /// Cuts the power and starts again.
    pub async fn power_cycle(&mut self, survival: Survival) {
        self.stop().await;
        self.disk.power_cycle(survival);
        self.restart().await;
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Clients book and pay, each one after the other, until the power fails or each has done so much.
    pub async fn load(&mut self, requests_per_client: u64) {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let first = self.next_key + u128::from(client * requests_per_client);
                let (engine, listing) = (self.engine().clone(), Arc::clone(&self.listing));
                tokio::spawn(async move {
                    let mut told = Told::default();
                    for key in first..first + u128::from(requests_per_client) {
                        match book(&engine, &listing, key).await {
                            Ok(row) => {
                                // Some pay, some let it lapse.
                                let paid =
                                    key % 3 != 0 && engine.submit(ask::pay(row.id, 1_000, "x")).await.is_ok();
                                told.booked.insert(key, (row.id, paid));
                            }
                            Err(refusal) => {
                                assert_eq!(refusal.code.as_str(), "unavailable", "{refusal:?}");
                                told.open.push(key);
                                break;
                            }
                        }
                    }
                    told
                })
            })
            .collect();
        for client in clients {
            let told = client.await.unwrap();
            self.told.booked.extend(told.booked);
            self.told.open.extend(told.open);
        }
        self.next_key += u128::from(CLIENTS * requests_per_client);
    }

    /// How many acknowledged bookings or payments are not there.
    pub fn lost(&self) -> usize {
        let rows = self.rows();
        let kept = |id: &BookingId, paid: bool| {
            rows.get(id).is_some_and(|row| !paid || matches!(row.state, State::Confirmed | State::Completed))
        };
        self.told.booked.values().filter(|(id, paid)| !kept(id, *paid)).count()
    }

    /// Asserts that all that was acknowledged is there, that nothing is there twice, and that every client
    /// who asks again under the same key gets the one booking.
    pub async fn assert_whole(&mut self) {
        assert_eq!(self.lost(), 0, "acknowledged, and gone");
        audit::check(self.store());
        let again: Vec<u128> = self.told.open.drain(..).chain(self.told.booked.keys().copied()).collect();
        for key in again {
            let row = book(self.engine(), &self.listing, key).await.unwrap();
            let known = self.told.booked.entry(key).or_insert((row.id, false));
            assert_eq!(known.0, row.id, "the same key gives another booking");
        }
        let mut by_client: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.rows().values() {
            *by_client.entry(row.customer.name.clone()).or_default() += 1;
        }
        let doubled: Vec<_> = by_client.iter().filter(|(_, count)| **count != 1).collect();
        assert!(doubled.is_empty(), "{doubled:?}");
        assert_eq!(by_client.len(), self.told.booked.len());
        audit::check(self.store());
    }

    fn rows(&self) -> BTreeMap<BookingId, Booking> {
        let read = self.store().reader().unwrap();
        audit::all(read.as_ref()).into_iter().map(|row| (row.id, row)).collect()
    }
}

fn open(dir: &Path, disk: &PowerDisk, clock: &Arc<AtomicI64>, sync: Sync) -> Arc<SqliteStore> {
    let clock = Clock::Fixed(Arc::clone(clock));
    let opened = match sync {
        Sync::Full => SqliteStore::open_with(dir, OpenMode::Serve, clock, Some(disk.vfs_name())),
        Sync::Off => SqliteStore::open_unsynced(dir, clock, disk.vfs_name()),
    };
    Arc::new(opened.unwrap())
}

/// Books one place under this key, for a customer of that name.
pub async fn book(engine: &Engine, listing: &Listing, key: u128) -> Result<Booking, Refusal> {
    let customer = Customer {
        name: format!("client {key}"),
        external_id: Some(format!("{}", key % 40_000)),
        ..Customer::default()
    };
    let create = ask::creation(listing, ask::lines(&[("standard", 1)]), customer);
    let command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
    engine.submit(ask::under_key(command, key)).await.map(|done| booking(done.outcome))
}
