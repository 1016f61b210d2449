//! What tests of the engine on a real SQLite file stand on.
//!
//! - [`House`]: an engine on a data directory of its own, with a clock that the test moves
//! - [`ask`]: commands in few words
//! - [`race`]: several clients at once, in every order
//! - [`audit`]: are the counters, the money and the log true?
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

pub mod ask;
pub mod audit;
pub mod race;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Action, Actor, BookingChange, Command};
use lastseat_core::id::{BookingId, ListingId, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Refusal;
use lastseat_core::time::Time;
use lastseat_core::waitlist::Standing;
use lastseat_engine::{Availability, BookingQuery, DueWorker, Engine, EngineConfig, WaitlistEntry, ids};
use lastseat_store::Store;
use lastseat_store_sqlite::{Clock, OpenMode, SqliteStore};
use lastseat_testkit::wait_until_async;
use serde_json::{Value, json};

/// When tests begin that do not care.
pub const START: &str = "2026-06-01T12:00:00Z";
/// How long an answer from memory may be behind the commits.
const STALE: Duration = Duration::from_millis(250);

/// How long a test waits for what happens by itself.
pub const WAIT: Duration = Duration::from_secs(20);

/// What became of a command.
pub type Answer = Result<Outcome, Refusal>;

/// An engine on a data directory of its own.
pub struct House {
    pub engine: Engine,
    pub store: Arc<SqliteStore>,
    clock: Arc<AtomicI64>,
    config: EngineConfig,
    dir: tempfile::TempDir,
}

impl House {
    /// With the due worker off: time alone must do.
    pub fn open() -> Self {
        Self::with(EngineConfig { due_worker: DueWorker::Off, ..EngineConfig::default() })
    }

    pub fn with(config: EngineConfig) -> Self {
        Self::on(tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(at(START).millis())), config)
    }

    fn on(dir: tempfile::TempDir, clock: Arc<AtomicI64>, config: EngineConfig) -> Self {
        let fixed = Clock::Fixed(Arc::clone(&clock));
        let store = Arc::new(SqliteStore::open_with(dir.path(), OpenMode::Serve, fixed, None).unwrap());
        let engine = Engine::start(Arc::<SqliteStore>::clone(&store), config).unwrap();
        Self { engine, store, clock, config, dir }
    }

    /// Stops it, lets time pass, and starts it again with this configuration.
    pub async fn closed_for(self, seconds: i64, config: EngineConfig) -> Self {
        self.engine.drain().await;
        let Self { engine, store, clock, dir, .. } = self;
        drop((engine, store));
        clock.fetch_add(seconds * 1000, Ordering::SeqCst);
        Self::on(dir, clock, config)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn now(&self) -> Time {
        Time::from_millis(self.clock.load(Ordering::SeqCst))
    }

    pub fn set(&self, time: Time) {
        self.clock.store(time.millis(), Ordering::SeqCst);
    }

    pub fn pass(&self, seconds: i64) {
        self.set(self.now().plus_seconds(seconds));
    }

    pub async fn submit(&self, command: Command) -> Answer {
        self.engine.submit(command).await.map(|done| done.outcome)
    }

    /// Makes a listing: `form`, completed with what every listing needs.
    pub async fn listing(&self, form: Value) -> Arc<Listing> {
        let mut whole = json!({ "title": "A test", "timezone": "UTC", "currency": "EUR" });
        let fields = form.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(fields);
        let id = ids::listing_id();
        let spec = Box::new(serde_json::from_value(whole).unwrap());
        self.submit(ask::admin(Action::CreateListing { id, spec })).await.unwrap();
        self.engine.listing(id).unwrap()
    }

    /// A listing of one pool `standard` whose places are paid by receipt or from outside, 10 euros each.
    pub async fn places(&self, capacity: i64) -> Arc<Listing> {
        self.paid_places(json!([{ "key": "standard", "capacity": capacity, "price": 1_000 }]), json!({}))
            .await
    }

    /// The same with these pools and more terms.
    pub async fn paid_places(&self, pools: Value, policy: Value) -> Arc<Listing> {
        let mut terms =
            json!({ "payment": ["receipt", "external"], "hold_seconds": 600, "review_seconds": 3_600 });
        terms.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
        self.listing(json!({ "kind": "places", "pools": pools, "policy": terms })).await
    }

    pub async fn patch(&self, listing: &Listing, patch: Value) -> Arc<Listing> {
        match self.submit(ask::patch(listing, patch)).await.unwrap() {
            Outcome::Listing(listing) => listing,
            other => panic!("{other:?}"),
        }
    }

    pub async fn try_book(&self, create: Command) -> Result<Booking, Refusal> {
        self.submit(create).await.map(booking)
    }

    pub async fn book(&self, create: Command) -> Booking {
        self.try_book(create).await.unwrap()
    }

    pub async fn change(
        &self,
        actor: Actor,
        id: BookingId,
        change: BookingChange,
    ) -> Result<Booking, Refusal> {
        self.submit(Command::new(actor, Action::Booking { id, change })).await.map(booking)
    }

    /// A booking with a receipt that nobody has looked at.
    pub async fn in_review(&self, create: Command) -> Booking {
        let held = self.book(create).await;
        let row = self.submit(ask::receipt(held.id)).await.map(booking).unwrap();
        assert_eq!(row.state, State::InReview);
        row
    }

    /// A booking that is paid for.
    pub async fn paid(&self, create: Command) -> Booking {
        let held = self.book(create).await;
        self.submit(ask::pay(held.id, held.total, "first")).await.map(booking).unwrap()
    }

    /// The booking as everybody reads it.
    pub async fn read(&self, id: BookingId) -> Booking {
        self.engine.booking(id).await.unwrap().unwrap()
    }

    pub async fn try_join(&self, join: Command) -> Result<WaitlistId, Refusal> {
        match self.submit(join).await? {
            Outcome::Waits(entry) => Ok(entry.id),
            Outcome::WaitsAlready(id) => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    /// Somebody waits.
    pub async fn join(&self, join: Command) -> WaitlistId {
        self.try_join(join).await.unwrap()
    }

    /// The entry of a waitlist as everybody reads it.
    pub async fn entry(&self, id: WaitlistId) -> WaitlistEntry {
        self.engine.waitlist_entry(id).await.unwrap().unwrap()
    }

    /// Where these entries stand.
    pub async fn standings(&self, ids: &[WaitlistId]) -> Vec<Standing> {
        let mut all = Vec::new();
        for id in ids {
            all.push(self.entry(*id).await.standing);
        }
        all
    }

    /// The kinds of its events, in order.
    pub async fn events(&self, booking: &Booking) -> Vec<&'static str> {
        let events = self.engine.booking_events(booking.no).await.unwrap();
        events.iter().map(|event| event.kind.as_str()).collect()
    }

    pub async fn all(&self, query: BookingQuery) -> Vec<Booking> {
        self.engine.bookings(query, 200).await.unwrap()
    }

    /// What can be had, when answers from memory have caught up with the commits, which must be soon.
    pub async fn availability(&self, of: &Listing) -> Arc<Availability> {
        let listing = self.engine.listing(of.id).unwrap();
        let fresh = wait_until_async(STALE, "an answer that is up to date", async || {
            let found = self.engine.availability(&listing).await.unwrap();
            let version = self.store.reader().unwrap().inventory_version(of.no).unwrap();
            (found.version == version && found.as_of == self.now()).then_some(found)
        });
        fresh.await.unwrap()
    }

    /// `(available, held, confirmed)` of a pool.
    pub async fn stock(&self, of: &Listing, pool: &str) -> (i64, i64, i64) {
        let found = self.availability(of).await;
        let pool = found.pools.iter().find(|found| found.key == pool).unwrap();
        (pool.available, pool.held, pool.confirmed)
    }

    /// Settles whatever is due, as the worker would.
    pub async fn settle(&self) {
        self.submit(ask::settle()).await.unwrap();
    }

    /// Waits until the bookings of every listing that was edited are renewed.
    pub async fn renewed(&self) {
        let done = wait_until_async(WAIT, "the renewals", async || {
            (!self.store.reader().unwrap().is_renewing().unwrap()).then_some(())
        });
        done.await.unwrap();
    }

    /// Submits all of them before the first is answered.
    pub async fn all_at_once(&self, commands: Vec<Command>) -> Vec<Answer> {
        let tasks: Vec<_> = commands
            .into_iter()
            .map(|command| {
                let engine = self.engine.clone();
                tokio::spawn(async move { engine.submit(command).await.map(|done| done.outcome) })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers
    }

    /// Checks that the counters, the money and the log are true; see [`audit`].
    pub fn audit(&self) {
        audit::check(&self.store);
    }
}

/// An instant as RFC 3339.
pub fn at(text: &str) -> Time {
    text.parse().unwrap()
}

/// The booking of an answer that must be one.
pub fn booking(outcome: Outcome) -> Booking {
    match outcome {
        Outcome::Booking(booking) => *booking,
        other => panic!("{other:?}"),
    }
}

/// The id of a listing that there is not.
pub fn no_listing() -> ListingId {
    ids::listing_id()
}
