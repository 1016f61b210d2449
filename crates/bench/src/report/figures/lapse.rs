//! Very many holds lapse in the same second.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lastseat_bench::embedded::{Embedded, booking, one_of};
use lastseat_bench::latency::{Percentiles, micros};
use lastseat_core::Outcome;
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::time::Time;
use lastseat_engine::{Committed, Engine, EngineConfig};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use super::{Entry, held_for, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;

pub(super) const ENTRY: Entry = Entry {
    name: "lapse",
    title: "100,000 holds lapse in the same second",
    how: "In process. Holds are made over a few seconds, each with the length that lets it lapse in one and the same \
          second. 100 callers book elsewhere all the time: their rate in the seconds before is the baseline for their \
          rate from the first deadline until the last hold has expired. An expiry counts when it is committed and told \
          to those who watch. Pools of 1,000 places, all held, are booked two milliseconds after their last deadline.",
    measure,
};

/// Holds that lapse.
const HOLDS: u64 = 100_000;
/// Holds of one pool, all its places.
const POOL: u64 = 1_000;
/// Holds that are made at once; then the clock is looked at.
const PORTION: u64 = 2_000;
/// The part of a second, in milliseconds, after which no portion is begun any more, lest it end in the next.
const LAST_START_MS: i64 = 800;
/// From the first hold to the second in which all lapse.
const AHEAD_SECONDS: i64 = 12;
/// Callers that book elsewhere.
const ELSEWHERE: u64 = 100;
/// For how long before the deadlines their rate is the baseline.
const BASELINE: Duration = Duration::from_secs(3);
/// How long after its last deadline a pool is booked.
const AFTER: Duration = Duration::from_millis(2);
/// Rounds at most: one takes a quarter of a minute.
const ROUNDS: usize = 3;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let holds = lab.scaled(HOLDS, POOL);
    let mut lateness = Samples::new(Unit::Seconds);
    let [mut all, mut bookable] = [Unit::Count; 2].map(Samples::new);
    let [mut before, mut during] = [Unit::PerSecond; 2].map(Samples::new);
    let mut notes = Vec::new();
    for _ in 0..lab.rounds().min(ROUNDS) {
        let dir = lab.fresh()?;
        let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
        let seen = lab.block_on(lapse(&embedded, holds))?;
        lab.block_on(embedded.stop());
        lateness.push(seen.lateness.p99_ms / 1_000.0);
        all.push(seen.expired as f64);
        bookable.push(seen.booked as f64 / seen.tried as f64 * 100.0);
        before.push(seen.rate_before);
        during.push(seen.rate_during);
        notes.push(format!("deadlines within {} ms, lateness {}", seen.spread_ms, seen.lateness));
    }
    #[allow(clippy::cast_precision_loss, reason = "a hundred thousand")]
    let target = holds as f64;
    Ok(vec![
        Figure::limit("holds that expired", &all, Bound::AtLeast(target)),
        Figure::limit("99 of 100 expiries, lateness", &lateness, Bound::AtMost(2.0))
            .with_note(notes.join("; then ")),
        Figure::limit("pools of 100 bookable at the deadline", &bookable, Bound::AtLeast(100.0)),
        Figure::ratio("bookings elsewhere meanwhile", &during, "before", &before, Bound::AtLeast(0.5)),
    ])
}

/// What was seen.
struct Seen {
    expired: usize,
    lateness: Percentiles,
    /// Between the first and the last deadline, in milliseconds.
    spread_ms: i64,
    tried: usize,
    booked: usize,
    rate_before: f64,
    rate_during: f64,
}

/// A pool that is held as a whole.
struct HeldPool {
    listing: ListingId,
    key: String,
    last_deadline: Time,
}

/// The store's clock beside this process's.
#[derive(Clone, Copy)]
struct Clocks {
    time: Time,
    instant: Instant,
}

impl Clocks {
    async fn read(engine: &Engine) -> anyhow::Result<Self> {
        Ok(Self { time: engine.now().await?, instant: Instant::now() })
    }

    fn instant(self, time: Time) -> Instant {
        let millis = u64::try_from(time.millis() - self.time.millis()).unwrap_or(0);
        self.instant + Duration::from_millis(millis)
    }
}

async fn lapse(embedded: &Embedded, holds: u64) -> anyhow::Result<Seen> {
    let engine = &embedded.engine;
    let elsewhere = embedded.listing(places(1, 1_000_000)).await?.id;
    let second = engine.now().await?.millis() / 1_000 + AHEAD_SECONDS;
    let (deadlines, pools) = hold(embedded, holds, second).await?;
    let clocks = Clocks::read(engine).await?;
    let first = deadlines.values().min().copied().context("there are holds")?;
    let last = deadlines.values().max().copied().context("there are holds")?;
    let from = clocks.instant(first);
    ensure!(
        Instant::now() + BASELINE + Duration::from_millis(500) < from,
        "making the holds took too long; none may lapse before all are made"
    );

    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..ELSEWHERE {
        callers.spawn(book_until(engine.clone(), elsewhere, Arc::clone(&stop)));
    }
    let watching = tokio::spawn(watch(engine.subscribe(), deadlines, clocks));
    let trying: JoinSet<bool> = pools
        .into_iter()
        .map(|pool| {
            let engine = engine.clone();
            let at = clocks.instant(pool.last_deadline) + AFTER;
            async move {
                tokio::time::sleep_until(at.into()).await;
                engine.submit(booking(pool.listing, one_of(&pool.key))).await.is_ok()
            }
        })
        .collect();
    let tried = trying.len();
    let booked = trying.join_all().await.into_iter().filter(|booked| *booked).count();
    let (lateness, until) = watching.await?;
    stop.store(true, Ordering::Relaxed);
    let mut done: Vec<Instant> = Vec::new();
    while let Some(instants) = callers.join_next().await {
        done.extend(instants?);
    }
    let rate = |from: Instant, until: Instant| {
        let within = done.iter().filter(|instant| (from..until).contains(*instant)).count();
        within as f64 / (until - from).as_secs_f64()
    };
    Ok(Seen {
        expired: lateness.len(),
        lateness: Percentiles::of(&lateness),
        spread_ms: last.millis() - first.millis(),
        tried,
        booked,
        rate_before: rate(from - BASELINE, from),
        rate_during: rate(from, until.max(from + Duration::from_millis(1))),
    })
}

/// Makes the holds; their deadlines, and the pools that are full of them.
async fn hold(
    embedded: &Embedded,
    holds: u64,
    second: i64,
) -> anyhow::Result<(HashMap<BookingId, Time>, Vec<HeldPool>)> {
    let engine = &embedded.engine;
    let (mut deadlines, mut pools) = (HashMap::new(), Vec::new());
    let mut made = 0;
    let capacity = i64::try_from(POOL).expect("a thousand");
    while made < holds {
        let now = engine.now().await?.millis();
        if now % 1_000 > LAST_START_MS {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let length = u32::try_from(second - now / 1_000).context("making the holds took too long")?;
        let portion = PORTION.min(holds - made);
        let form = held_for(portion / POOL, capacity, length);
        let listing = embedded.listing(form).await?.id;
        let mut booking_all = JoinSet::new();
        for number in 0..portion {
            let engine = engine.clone();
            let pool = number / POOL;
            booking_all.spawn(async move {
                let done = engine.submit(booking(listing, one_of(&pool_key(pool)))).await?;
                match done.outcome {
                    Outcome::Booking(booking) => Ok((pool, booking)),
                    other => anyhow::bail!("a booking was made, and the answer is {other:?}"),
                }
            });
        }
        let mut last: HashMap<u64, Time> = HashMap::new();
        while let Some(done) = booking_all.join_next().await {
            let (pool, booking) = done??;
            let deadline = booking.deadline.context("a hold has a deadline")?;
            deadlines.insert(booking.id, deadline);
            let latest = last.entry(pool).or_insert(deadline);
            *latest = deadline.max(*latest);
        }
        let full = |(pool, last_deadline)| HeldPool { listing, key: pool_key(pool), last_deadline };
        pools.extend(last.into_iter().map(full));
        made += portion;
    }
    Ok((deadlines, pools))
}

/// Books again and again until told to stop; when each booking was done.
async fn book_until(engine: Engine, listing: ListingId, stop: Arc<AtomicBool>) -> Vec<Instant> {
    let mut done = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if engine.submit(booking(listing, one_of(&pool_key(0)))).await.is_ok() {
            done.push(Instant::now());
        }
    }
    done
}

/// Follows commits until every hold has changed, which only its lapse does. How late each was told, in microseconds,
/// and when the last.
async fn watch(
    mut commits: Receiver<Arc<Committed>>,
    deadlines: HashMap<BookingId, Time>,
    clocks: Clocks,
) -> (Vec<u32>, Instant) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    let mut waiting: HashSet<BookingId> = deadlines.keys().copied().collect();
    let mut lateness = Vec::with_capacity(deadlines.len());
    let mut latest = Instant::now();
    while !waiting.is_empty() {
        let committed = match tokio::time::timeout_at(patience, commits.recv()).await {
            Ok(Ok(committed)) => committed,
            // Commits that were missed are expiries that nobody was told of: they stay waiting, and are missing in
            // the count.
            Ok(Err(RecvError::Lagged(_))) => continue,
            Ok(Err(RecvError::Closed)) | Err(_) => break,
        };
        let now = Instant::now();
        for id in &committed.bookings {
            if waiting.remove(id) {
                lateness.push(micros(now.saturating_duration_since(clocks.instant(deadlines[id]))));
                latest = now;
            }
        }
    }
    (lateness, latest)
}
