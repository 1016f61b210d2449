//! A hot row costs nothing: 1,000 callers on one pool beside bare rusqlite, and beside 1,000 pools.

use anyhow::Context;
use lastseat_bench::embedded::{Embedded, one_of};
use lastseat_engine::{EngineConfig, Metrics};

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::rows::Rows;

pub(super) const ENTRY: Entry = Entry {
    name: "hot-pool",
    title: "A hot pool",
    how: "1,000 callers in process, each booking again as soon as it is answered; every booking is a hold with a \
          deadline, an event and an idempotency key, and every commit is synced. Beside it the same rows are written \
          again by bare rusqlite into a fresh file with the same schema and settings, in transactions of the same mean \
          size, from one thread, without any logic; and the same engine with the callers spread over 1,000 pools.",
    measure,
};

/// Callers at the same time.
const CALLERS: u64 = 1_000;
/// Bookings of a round.
const BOOKINGS: u64 = 150_000;
/// Capacity of each pool: enough.
const CAPACITY: i64 = 1_000_000;
/// Pools of the other run.
const POOLS: u64 = 1_000;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let [mut hot, mut raw, mut spread, mut batch] =
        [Unit::PerSecond, Unit::PerSecond, Unit::PerSecond, Unit::Count].map(Samples::new);
    for _ in 0..lab.rounds() {
        let dir = lab.fresh()?;
        let (rate, size, rows) = book(lab, dir.path(), 1)?;
        hot.push(rate);
        batch.push(size);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a batch is at least one")]
        let written = rows.write(lab.fresh()?.path(), rows.len(), size.round() as usize)?;
        raw.push(written.per_second(rows.len()));
        drop(rows);
        spread.push(book(lab, lab.fresh()?.path(), POOLS)?.0);
    }
    let note = format!("bookings per transaction on one pool: {batch}");
    Ok(vec![
        Figure::ratio("one pool, 1,000 callers", &hot, "same rows, bare rusqlite", &raw, Bound::AtLeast(0.5))
            .with_note(note),
        Figure::ratio("one pool, 1,000 callers", &hot, "1,000 pools", &spread, Bound::AtLeast(0.9)),
    ])
}

/// Bookings per second, the mean size of a batch, and the rows if there is one pool.
fn book(lab: &Lab, dir: &std::path::Path, pools: u64) -> anyhow::Result<(f64, f64, Rows)> {
    let embedded = Embedded::start(dir, EngineConfig::default())?;
    let path = embedded.path().to_owned();
    let bookings = lab.scaled(BOOKINGS, CALLERS);
    let (rate, size) = lab.block_on(async {
        let listing = embedded.listing(places(pools, CAPACITY)).await?;
        let keys: std::sync::Arc<[String]> = (0..pools).map(pool_key).collect();
        let claim =
            move |number: u64| one_of(&keys[usize::try_from(number % pools).expect("an index of this list")]);
        let timed = embedded.book_all(listing.id, CALLERS, bookings, claim).await?;
        let size = mean_batch(embedded.engine.metrics())?;
        embedded.stop().await;
        anyhow::Ok((timed.per_second(), size))
    })?;
    Ok((rate, size, Rows::read(&path)?))
}

/// Commands per transaction so far.
fn mean_batch(metrics: &Metrics) -> anyhow::Result<f64> {
    mean(metrics, "lastseat_batch_size")
}

/// The mean of a histogram so far.
pub(super) fn mean(metrics: &Metrics, histogram: &str) -> anyhow::Result<f64> {
    let text = metrics.encode();
    let value = |part: &str| -> anyhow::Result<f64> {
        let name = format!("{histogram}_{part} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.and_then(|rest| rest.trim().parse().ok()).with_context(|| format!("no metric {name}"))
    };
    Ok(value("sum")? / value("count")?)
}
