//! This project's engine, in process, on a fresh SQLite file, every commit synced.

use std::time::Instant;

use lastseat_core::id::ListingId;
use lastseat_engine::{Engine, EngineConfig};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Count, Options, Run, Strategy};
use crate::embedded::{Embedded, booking, one_of, sold};
use crate::latency::micros;

/// The one pool.
const POOL: &str = "standard";
/// Failures after which a user gives up.
const MAX_ERRORS: u64 = 100;

/// Runs the race.
///
/// # Errors
/// If there is no room for the file.
pub async fn run(options: &Options) -> anyhow::Result<Run> {
    let dir = tempfile::Builder::new().prefix("lastseat-race-").tempdir()?;
    let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
    let form = json!({
        "kind": "places", "title": "Race", "timezone": "UTC", "currency": "EUR",
        "pools": [{"key": POOL, "capacity": options.capacity, "price": 1000}],
        "policy": {"payment": ["receipt"], "hold_seconds": 86_400},
    });
    let listing = embedded.listing(form).await?;
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for _ in 0..options.users {
        tasks.spawn(user(embedded.engine.clone(), listing.id, options.think));
    }
    let mut count = Count::default();
    while let Some(done) = tasks.join_next().await {
        count.merge(done?);
    }
    let took = start.elapsed();
    let numbers = embedded.engine.numbers(listing.no).await?;
    let stored = numbers.by_state.iter().filter(|(state, ..)| state.holds() || state.sells());
    let stored = stored.map(|(_, bookings, _)| bookings).sum();
    embedded.stop().await;
    Ok(count.run(Strategy::Lastseat, options, stored, took))
}

/// Looks, thinks and books until there is nothing left. Nothing is kept locked meanwhile, so thinking costs nobody
/// else anything.
async fn user(engine: Engine, listing: ListingId, think: std::time::Duration) -> Count {
    let mut count = Count::default();
    while count.refused == 0 && count.errors < MAX_ERRORS {
        if !think.is_zero() {
            tokio::time::sleep(think).await;
        }
        let asked = Instant::now();
        let answer = engine.submit(booking(listing, one_of(POOL))).await;
        count.latencies.push(micros(asked.elapsed()));
        match sold(answer) {
            Ok(true) => count.sold += 1,
            Ok(false) => count.refused += 1,
            Err(_) => count.errors += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn options(users: usize, capacity: i64, think: Duration) -> Options {
        Options { strategies: vec![Strategy::Lastseat], users, capacity, think }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn exactly_the_capacity_is_sold_and_everybody_is_refused_once() {
        let run = run(&options(50, 333, Duration::ZERO)).await.unwrap();
        assert_eq!((run.sold, run.refused, run.errors, run.oversold), (333, 50, 0, 0));
        assert!(run.bookings_per_second > 0.0 && run.p50_ms > 0.0 && run.p99_ms >= run.p50_ms);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn users_think_before_each_booking() {
        let begun = Instant::now();
        let run = run(&options(10, 20, Duration::from_millis(50))).await.unwrap();
        assert_eq!((run.sold, run.refused), (20, 10));
        assert!(begun.elapsed() >= Duration::from_millis(150), "two bookings and a refusal each");
        assert!(run.p50_ms < 50.0, "thinking is not waiting: {}", run.p50_ms);
    }
}
