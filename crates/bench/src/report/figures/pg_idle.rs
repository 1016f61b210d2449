//! One caller and nobody else on PostgreSQL, beside the statement that everybody would write.

use std::time::Duration;

use lastseat_bench::race::{self, CancellationToken, Ground, Options, Strategy};

use super::Entry;
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::Database;

pub(super) const ENTRY: Entry = Entry {
    name: "pg-idle",
    title: "An idle node on PostgreSQL",
    how: "One caller, one booking after the other. Beside it `guarded-update` of the race laboratory, which books with one \
          conditional statement. Medians of the latencies of a round.",
    measure,
};

/// How long each books, in seconds.
const SECONDS: f64 = 2.0;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let url = database.url(&database.fresh()?);
    let strategies = [Strategy::Lastseat, Strategy::GuardedUpdate];
    let ground = Ground::prepare(&strategies, Some(&url), None)?;
    let options =
        Options { users: 1, capacity: 1_000_000, think: Duration::ZERO, limit: Some(lab.seconds(SECONDS)) };
    let stop = CancellationToken::new();
    let mut latencies = strategies.map(|_| Samples::new(Unit::Millis));
    for _ in 0..lab.rounds() {
        for (strategy, latencies) in strategies.into_iter().zip(&mut latencies) {
            latencies.push(lab.block_on(race::run(strategy, &options, &ground, &stop))?.p50_ms);
        }
    }
    let [ours, theirs] = &latencies;
    Ok(vec![Figure::ratio("latency of one booking", ours, "guarded-update", theirs, Bound::AtMost(1.3))])
}
