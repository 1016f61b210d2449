//! One caller and nobody else: what the batch engine costs when there is nothing to batch.

use lastseat_bench::embedded::{Embedded, one_of};
use lastseat_bench::latency::Percentiles;
use lastseat_engine::EngineConfig;

use super::hot_pool::mean;
use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::rows::Rows;

pub(super) const ENTRY: Entry = Entry {
    name: "idle",
    title: "An idle engine",
    how: "One caller in process, one booking after the other, each its own synced transaction. Beside it the same rows \
          written again by bare rusqlite, one booking per transaction. Medians of the latencies of a round.",
    measure,
};

/// Bookings of a round.
const BOOKINGS: u64 = 3_000;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let [mut ours, mut raw, mut inside] = [Unit::Millis; 3].map(Samples::new);
    for _ in 0..lab.rounds() {
        let dir = lab.fresh()?;
        let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
        let path = embedded.path().to_owned();
        let bookings = lab.scaled(BOOKINGS, 500);
        let (timed, batch_ms) = lab.block_on(async {
            let listing = embedded.listing(places(1, 1_000_000)).await?;
            let timed = embedded.book_all(listing.id, 1, bookings, |_| one_of(&pool_key(0))).await?;
            let batch_ms = 1_000.0 * mean(embedded.engine.metrics(), "lastseat_batch_seconds")?;
            embedded.stop().await;
            anyhow::Ok((timed, batch_ms))
        })?;
        inside.push(batch_ms);
        ours.push(Percentiles::of(&timed.latencies).p50_ms);
        let rows = Rows::read(&path)?;
        let written = rows.write(lab.fresh()?.path(), rows.len(), 1)?;
        raw.push(Percentiles::of(&written.latencies).p50_ms);
    }
    let figure =
        Figure::ratio("latency of one booking", &ours, "same rows, bare rusqlite", &raw, Bound::AtMost(1.2));
    let note = format!(
        "from the start of a transaction to its end, on average: {inside}; the rest is waking the thread that writes, \
         and the caller"
    );
    Ok(vec![figure.with_note(note)])
}
