//! This project's engine, in process, every commit synced.

use std::sync::Arc;

use anyhow::Context;
use lastseat_core::id::ListingId;
use lastseat_core::refusal::Code;
use lastseat_engine::{Engine, EngineConfig, ids};
use lastseat_store::Store;
use lastseat_store_postgres::PgStore;
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::ground::Database;
use super::schema::Schema;
use super::users::{self, Answer, Request, Way};
use super::{Options, Run, Strategy};
use crate::embedded::{booking, make_listing, one_of, sold};

/// The one pool.
const POOL: &str = "standard";

/// The engine, and what is sold.
struct Lastseat {
    engine: Engine,
    listing: ListingId,
}

/// Runs the race on a fresh SQLite file.
///
/// # Errors
/// If there is no room for the file.
pub(super) async fn on_sqlite(options: &Options, stop: &CancellationToken) -> anyhow::Result<Run> {
    let dir = tempfile::Builder::new().prefix("lastseat-race-").tempdir()?;
    let path = dir.path().to_owned();
    let open = move || -> anyhow::Result<Arc<dyn Store>> {
        let store = SqliteStore::open(&path, OpenMode::Serve).context("cannot make a database file")?;
        Ok(Arc::new(store))
    };
    let run = on(open, options, stop).await?;
    Ok(Run { store: "SQLite".to_owned(), ..run })
}

/// Runs the race on PostgreSQL, in a schema of its own.
///
/// # Errors
/// If the server cannot be reached, or does not let us make a schema.
pub(super) async fn on_postgres(
    database: &Database,
    options: &Options,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let schema = Schema::create(&database.line, "").await?;
    let url = database.url_in(&schema.name);
    let open = move || -> anyhow::Result<Arc<dyn Store>> {
        let node = u64::try_from(ids::bits() >> 64).expect("64 of 128 bits");
        Ok(Arc::new(PgStore::open(url.parse()?, lastseat_store_postgres::OpenMode::Serve, node)?))
    };
    let run = on(open, options, stop).await;
    // Also when that failed; but then the first error is the one to tell.
    let dropped = schema.drop().await;
    let run = run?;
    dropped?;
    Ok(run)
}

/// Runs the race on a fresh store. Opening it may block.
async fn on(
    open: impl FnOnce() -> anyhow::Result<Arc<dyn Store>> + Send + 'static,
    options: &Options,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let started =
        tokio::task::spawn_blocking(|| anyhow::Ok(Engine::start(open()?, EngineConfig::default())?));
    let engine: Engine = started.await.context("cannot start the engine")??;
    let form = json!({
        "kind": "places", "title": "Race", "timezone": "UTC", "currency": "EUR",
        "pools": [{"key": POOL, "capacity": options.capacity, "price": 1000}],
        "policy": {"payment": ["receipt"], "hold_seconds": 86_400},
    });
    let listing = make_listing(&engine, form).await?;
    let way = Arc::new(Lastseat { engine: engine.clone(), listing: listing.id });
    let count = users::race(&way, options, stop).await?;
    let numbers = engine.numbers(listing.no).await?;
    let stored = numbers.by_state.iter().filter(|(state, ..)| state.holds() || state.sells());
    let stored = stored.map(|(_, bookings, _)| bookings).sum();
    engine.drain().await;
    Ok(Run::of(Strategy::Lastseat, options, &count, stored))
}

impl Way for Lastseat {
    /// Nothing is locked while somebody thinks, so thinking costs nobody else anything. The request is not needed: an
    /// answer that is an error was not carried out.
    async fn book(&self, _request: &Request) -> anyhow::Result<Answer> {
        match sold(self.engine.submit(booking(self.listing, one_of(POOL))).await) {
            Ok(true) => Ok(Answer::Sold),
            Ok(false) => Ok(Answer::SoldOut),
            Err(refusal) if refusal.code == Code::Overloaded => Ok(Answer::Busy),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
