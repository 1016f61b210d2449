//! More callers never make it slower.

use lastseat_bench::embedded::{Embedded, one_of};
use lastseat_engine::EngineConfig;

use super::{Entry, places, pool_key};
use crate::figure::{Amount, Bound, Figure, Samples, Unit};
use crate::lab::Lab;

pub(super) const ENTRY: Entry = Entry {
    name: "callers",
    title: "More and more callers",
    how: "The engine in process, one pool, with more and more callers at the same time, each on a fresh file. Each row \
          is held against the best of those with fewer callers; it may fall behind by the noise of the machine, 5 %.",
    measure,
};

/// Callers, with the bookings of a round.
const STEPS: [(u64, u64); 5] = [(1, 4_000), (4, 10_000), (20, 40_000), (100, 100_000), (1_000, 150_000)];
/// Capacity of the pool: enough.
const CAPACITY: i64 = 1_000_000;
/// What is noise.
const NOT_FALLING: Bound = Bound::AtLeast(0.95);

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let mut rates = STEPS.map(|_| Samples::new(Unit::PerSecond));
    for _ in 0..lab.rounds() {
        for ((callers, bookings), rates) in STEPS.into_iter().zip(&mut rates) {
            let dir = lab.fresh()?;
            let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
            let bookings = lab.scaled(bookings, callers);
            let timed = lab.block_on(async {
                let listing = embedded.listing(places(1, CAPACITY)).await?;
                let timed =
                    embedded.book_all(listing.id, callers, bookings, |_| one_of(&pool_key(0))).await?;
                embedded.stop().await;
                anyhow::Ok(timed)
            })?;
            rates.push(timed.per_second());
        }
    }
    let mut figures = Vec::new();
    let mut best = 0;
    for (step, (callers, _)) in STEPS.into_iter().enumerate().skip(1) {
        let beside = callers_text(STEPS[best].0);
        figures.push(Figure::ratio(callers_text(callers), &rates[step], beside, &rates[best], NOT_FALLING));
        if rates[step].median() > rates[best].median() {
            best = step;
        }
    }
    Ok(figures)
}

fn callers_text(callers: u64) -> String {
    let count = Amount(callers as f64, Unit::Count);
    if callers == 1 { "1 caller".to_owned() } else { format!("{count} callers") }
}
