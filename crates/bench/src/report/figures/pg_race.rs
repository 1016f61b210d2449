//! The race: the ways to sell from one hot pool on PostgreSQL, side by side.

use lastseat_bench::race::{self, CancellationToken, Ground, Options, Strategy};

use super::Entry;
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::Database;

pub(super) const ENTRY: Entry = Entry {
    name: "pg-race",
    title: "The race on PostgreSQL",
    how: "128 callers on one pool, PostgreSQL with its defaults but `max_connections=300`, its log in use for a while, \
          every commit synced. Each strategy as in the [race laboratory](race-conditions.md), for the same time, and each \
          booking writes the same rows; Redis syncs nothing, as is usual for locks.",
    measure,
};

/// Callers at the same time.
const CALLERS: usize = 128;
/// Places: enough for all but the fastest, which sells for a while only then.
const PLACES: i64 = 300_000;
/// How long each sells, in seconds.
const SECONDS: f64 = 3.0;
/// What is held against ours, with the target for the rate.
const OTHERS: [(Strategy, Option<f64>); 5] = [
    (Strategy::ForUpdate, Some(50.0)),
    (Strategy::GuardedUpdate, Some(30.0)),
    (Strategy::SkipLocked, Some(7.0)),
    (Strategy::RedisLock, Some(50.0)),
    (Strategy::Optimistic, None),
];
/// Target for the 99th percentile, beside `for-update`.
const LATENCY: f64 = 1.0 / 50.0;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let url = database.url(&database.fresh()?);
    let ground = Ground::prepare(&Strategy::ALL, Some(&url), None)?;
    let options = Options {
        users: CALLERS,
        capacity: PLACES,
        think: std::time::Duration::ZERO,
        limit: Some(lab.seconds(SECONDS)),
    };
    let stop = CancellationToken::new();
    let run = |strategy| lab.block_on(race::run(strategy, &options, &ground, &stop));
    let (mut rate, mut latency) = (Samples::new(Unit::PerSecond), Samples::new(Unit::Millis));
    let mut rates = OTHERS.map(|_| Samples::new(Unit::PerSecond));
    let mut latencies = OTHERS.map(|_| Samples::new(Unit::Millis));
    for _ in 0..lab.rounds() {
        let ours = run(Strategy::Lastseat)?;
        rate.push(ours.bookings_per_second);
        latency.push(ours.p99_ms);
        for (index, (strategy, _)) in OTHERS.into_iter().enumerate() {
            let other = run(strategy)?;
            rates[index].push(other.bookings_per_second);
            latencies[index].push(other.p99_ms);
        }
    }
    let mut figures = Vec::new();
    let mut beside = Vec::new();
    for (index, (strategy, target)) in OTHERS.into_iter().enumerate() {
        let name = strategy.as_str();
        match target {
            Some(least) => {
                let bound = Bound::AtLeast(least);
                figures.push(Figure::ratio("128 callers, lastseat", &rate, name, &rates[index], bound));
            }
            None => beside.push(format!("{name}: {}, p99 {}", rates[index], latencies[index])),
        }
    }
    let bound = Bound::AtMost(LATENCY);
    let p99 = Figure::ratio("p99, lastseat", &latency, "p99, for-update", &latencies[0], bound);
    figures.push(p99.with_note(beside.join("; ")));
    Ok(figures)
}
