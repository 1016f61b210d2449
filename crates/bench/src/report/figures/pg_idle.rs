//! One caller and nobody else on PostgreSQL, beside the statement that everybody would write.

use std::time::Duration;

use lastseat_bench::embedded::one_of;
use lastseat_bench::race::{self, CancellationToken, Ground, Options, Strategy};

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::{Database, Rows, node};

pub(super) const ENTRY: Entry = Entry {
    name: "pg-idle",
    title: "An idle node on PostgreSQL",
    how: "One caller, one booking after the other. Beside it `guarded-update` of the race laboratory, which books with one \
          conditional statement. Medians of the latencies of a round. The note tells what the rows of our bookings take \
          without any logic, by one statement for each booking on a connection of its own.",
    measure,
};

/// Bookings whose rows are written again.
const ROWS: u64 = 2_000;
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
    let mut rows_alone = Samples::new(Unit::Millis);
    for _ in 0..lab.rounds() {
        for (strategy, latencies) in strategies.into_iter().zip(&mut latencies) {
            latencies.push(lab.block_on(race::run(strategy, &options, &ground, &stop))?.p50_ms);
        }
        rows_alone.push(1_000.0 / write_rows(lab, &database)?);
    }
    let [ours, theirs] = &latencies;
    let figure = Figure::ratio("latency of one booking", ours, "guarded-update", theirs, Bound::AtMost(1.3));
    Ok(vec![figure.with_note(format!("the rows of our bookings, without any logic: {rows_alone}"))])
}

/// Books with one caller, and writes the same rows once more into an empty database; bookings per second.
fn write_rows(lab: &Lab, database: &Database) -> anyhow::Result<f64> {
    let (name, again) = (database.fresh()?, database.fresh()?);
    let embedded = node(&database.url(&name))?;
    let rate = lab.block_on(async {
        let listing = embedded.listing(places(1, 1_000_000)).await?;
        embedded.book_all(listing.id, 1, lab.scaled(ROWS, 1), |_| one_of(&pool_key(0))).await?;
        embedded.stop().await;
        Rows::read(&database.url(&name)).await?.write(&database.url(&again), 1).await
    })?;
    database.drop(&name)?;
    database.drop(&again)?;
    Ok(rate)
}
