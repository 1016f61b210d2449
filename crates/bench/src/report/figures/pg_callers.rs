//! More callers make it faster on PostgreSQL, and the logic costs little beside the rows.

use lastseat_bench::embedded::one_of;
use lastseat_bench::latency::Percentiles;

use super::hot_pool::mean;
use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::{Database, Rows, node};

pub(super) const ENTRY: Entry = Entry {
    name: "pg-callers",
    title: "One node on PostgreSQL",
    how: "One engine in process on PostgreSQL, one pool, 1, 128 and 1,000 callers. Beside it the same rows written again \
          into a fresh database with the same schema, by one `UNNEST` statement per batch of the same mean size, with the \
          values at hand and no logic, locks or look-ups.",
    measure,
};

/// Callers, with the bookings of a round.
const STEPS: [(u64, u64); 3] = [(1, 3_000), (128, 100_000), (1_000, 150_000)];

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let mut rates = STEPS.map(|_| Samples::new(Unit::PerSecond));
    let mut raw = STEPS.map(|_| Samples::new(Unit::PerSecond));
    let mut sizes = STEPS.map(|_| Samples::new(Unit::Count));
    let mut p99 = STEPS.map(|_| Samples::new(Unit::Millis));
    for _ in 0..lab.rounds() {
        for (step, (callers, bookings)) in STEPS.into_iter().enumerate() {
            let name = database.fresh()?;
            let embedded = node(&database.url(&name))?;
            let bookings = lab.scaled(bookings, callers);
            let (timed, size) = lab.block_on(async {
                let listing = embedded.listing(places(1, 1_000_000)).await?;
                let timed =
                    embedded.book_all(listing.id, callers, bookings, |_| one_of(&pool_key(0))).await?;
                let size = mean(embedded.engine.metrics(), "lastseat_batch_size")?;
                embedded.stop().await;
                anyhow::Ok((timed, size))
            })?;
            rates[step].push(timed.per_second());
            sizes[step].push(size);
            p99[step].push(Percentiles::of(&timed.latencies).p99_ms);
            let again = database.fresh()?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a batch is at least one"
            )]
            let written = lab.block_on(async {
                let rows = Rows::read(&database.url(&name)).await?;
                rows.write(&database.url(&again), size.round() as usize).await
            })?;
            raw[step].push(written);
            database.drop(&name)?;
            database.drop(&again)?;
        }
    }
    let same = |step: usize, what: &str| {
        let note = format!("bookings per transaction: {}; p99 {}", sizes[step], p99[step]);
        let beside = "same rows, one statement a batch";
        Figure::ratio(what, &rates[step], beside, &raw[step], Bound::AtLeast(0.7)).with_note(note)
    };
    Ok(vec![
        Figure::ratio("128 callers", &rates[1], "1 caller", &rates[0], Bound::AtLeast(10.0)),
        Figure::ratio("1,000 callers", &rates[2], "128 callers", &rates[1], Bound::AtLeast(1.0)),
        same(1, "128 callers"),
        same(2, "1,000 callers"),
    ])
}
