//! The engine in this process, on a SQLite file of its own: what is measured where HTTP would only be in the way.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use lastseat_core::Outcome;
use lastseat_core::command::{
    Action, Actor, Command, CreateBooking, Idempotency, IdempotencyKey, JoinWaitlist, WaitFor,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::ListingId;
use lastseat_core::listing::Listing;
use lastseat_core::listing::request::Claim;
use lastseat_core::refusal::Refusal;
use lastseat_engine::{Done, Engine, EngineConfig, ids};
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use tokio::task::JoinSet;

use crate::latency::micros;

/// An engine in this process.
#[derive(Debug)]
pub struct Embedded {
    /// The engine.
    pub engine: Engine,
    path: PathBuf,
}

impl Embedded {
    /// Starts it on the data in `dir`, a fresh file if there is none.
    ///
    /// # Errors
    /// If the file cannot be opened or read.
    pub fn start(dir: &Path, config: EngineConfig) -> anyhow::Result<Self> {
        let store = SqliteStore::open(dir, OpenMode::Serve)?;
        let path = store.path().to_owned();
        let engine = Engine::start(Arc::new(store), config)?;
        Ok(Self { engine, path })
    }

    /// An engine that was started on another store.
    #[must_use]
    pub fn on(engine: Engine) -> Self {
        Self { engine, path: PathBuf::new() }
    }

    /// Its database file, if it has one of its own.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a listing from the form in which clients write one.
    ///
    /// # Errors
    /// If the form is refused.
    pub async fn listing(&self, form: serde_json::Value) -> anyhow::Result<Arc<Listing>> {
        make_listing(&self.engine, form).await
    }

    /// Books until `bookings` have been made, by `callers` at the same time, each asking again as soon as it is
    /// answered. `claim` says what the n-th booking asks for.
    ///
    /// # Errors
    /// The first refusal: what is measured here must not be refused.
    pub async fn book_all(
        &self,
        listing: ListingId,
        callers: u64,
        bookings: u64,
        claim: impl Fn(u64) -> Claim + Clone + Send + 'static,
    ) -> anyhow::Result<Timed> {
        self.ask_all(callers, bookings, move |number| booking(listing, claim(number))).await
    }

    /// Asks `count` commands in the same way. `command` says what the n-th is.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn ask_all(
        &self,
        callers: u64,
        count: u64,
        command: impl Fn(u64) -> Command + Clone + Send + 'static,
    ) -> anyhow::Result<Timed> {
        let start = Instant::now();
        if callers == 1 {
            // One caller is whoever calls this: no other thread has to be woken for it.
            let latencies = ask_in_turn(self.engine.clone(), command, 0..count, 1).await?;
            return Ok(Timed { latencies, took: start.elapsed() });
        }
        let mut tasks = JoinSet::new();
        let step = usize::try_from(callers).unwrap_or(usize::MAX);
        for caller in 0..callers.min(count) {
            tasks.spawn(ask_in_turn(self.engine.clone(), command.clone(), caller..count, step));
        }
        let mut latencies = Vec::new();
        while let Some(done) = tasks.join_next().await {
            latencies.extend(done??);
        }
        Ok(Timed { latencies, took: start.elapsed() })
    }

    /// Finishes what waits and stops.
    pub async fn stop(self) {
        self.engine.drain().await;
    }
}

/// Makes a listing from the form in which clients write one.
///
/// # Errors
/// If the form is refused.
pub async fn make_listing(engine: &Engine, form: serde_json::Value) -> anyhow::Result<Arc<Listing>> {
    let spec = serde_json::from_value(form).context("not the form of a listing")?;
    let action = Action::CreateListing { id: ids::listing_id(), spec: Box::new(spec) };
    match engine.submit(Command::new(Actor::System, action)).await?.outcome {
        Outcome::Listing(listing) => Ok(listing),
        other => anyhow::bail!("a listing was made, and the answer is {other:?}"),
    }
}

/// Asks every `step`-th of these commands, one after the other; their latencies in microseconds.
async fn ask_in_turn(
    engine: Engine,
    command: impl Fn(u64) -> Command,
    numbers: Range<u64>,
    step: usize,
) -> Result<Vec<u32>, Refusal> {
    let mut latencies = Vec::new();
    for number in numbers.step_by(step) {
        let sent = Instant::now();
        engine.submit(command(number)).await?;
        latencies.push(micros(sent.elapsed()));
    }
    Ok(latencies)
}

/// What a number of bookings took.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Of each, in microseconds.
    pub latencies: Vec<u32>,
    /// From the first question to the last answer.
    pub took: Duration,
}

impl Timed {
    /// Bookings per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }
}

/// A booking by a customer nobody has seen before, under an idempotency key of its own, as a well-behaved client asks.
#[must_use]
pub fn booking(listing: ListingId, claim: Claim) -> Command {
    let (customer, idempotency) = somebody();
    let create = CreateBooking {
        id: ids::booking_id(),
        listing,
        claim,
        expected_total: None,
        customer,
        address: None,
        max_open_holds_of_address: None,
        note: None,
        pass: None,
    };
    Command { idempotency, ..Command::new(Actor::Public, Action::CreateBooking(Box::new(create))) }
}

/// Somebody nobody has seen before waits for this, asking in the same way.
#[must_use]
pub fn joining(listing: ListingId, claim: Claim) -> Command {
    let (customer, idempotency) = somebody();
    let (id, want) = (ids::waitlist_id(), WaitFor::Claim(claim));
    let join = JoinWaitlist {
        id,
        listing,
        want,
        customer,
        address: None,
        max_open_holds_of_address: None,
        until: None,
    };
    Command { idempotency, ..Command::new(Actor::Public, Action::JoinWaitlist(Box::new(join))) }
}

/// A customer, and an idempotency key.
fn somebody() -> (Customer, Option<Idempotency>) {
    let bits = ids::bits();
    let customer = Customer {
        name: format!("Customer {:016x}", bits >> 64),
        email: Some(format!("customer-{:016x}@example.org", bits >> 64)),
        ..Customer::default()
    };
    let key = IdempotencyKey(bits.to_be_bytes());
    (customer, Some(Idempotency { key, fingerprint: bits.rotate_left(64).to_be_bytes() }))
}

/// One unit of the pool `key`.
#[must_use]
pub fn one_of(key: &str) -> Claim {
    use lastseat_core::listing::request::LineSpec;
    Claim::Lines(vec![LineSpec { pool: key.to_owned(), quantity: 1 }])
}

/// Whether a command was carried out, or refused as sold out.
///
/// # Errors
/// Any other refusal.
pub fn sold(answer: Result<Done, Refusal>) -> Result<bool, Refusal> {
    match answer {
        Ok(_) => Ok(true),
        Err(refusal) if refusal.code == lastseat_core::refusal::Code::SoldOut => Ok(false),
        Err(refusal) => Err(refusal),
    }
}
