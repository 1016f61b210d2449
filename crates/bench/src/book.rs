//! Open-loop load: bookings begin at fixed moments, whether or not the server has answered those before. Waiting times
//! count from the moment at which a booking was to begin, so a server that stalls cannot hide it by holding up the
//! generator ("coordinated omission").

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ask::asks;
use crate::crowd::list;
use crate::inventory::Server;
use crate::latency::Percentiles;
use crate::load::{Address, Connection, Template, closed};
use crate::tally::{Tally, sum};
use crate::{SETTLING, scope};

/// Highest rate, in bookings per second.
pub const MAX_RATE: u32 = 200_000;
/// Longest run, in seconds.
pub const MAX_SECONDS: u32 = 3_600;
/// Most bookings of a run: each leaves its waiting time in memory.
pub const MAX_BOOKINGS: u64 = 20_000_000;
/// Bookings per second for which one connection is opened: each may take 50 ms without another having to wait.
const RATE_PER_CONNECTION: u32 = 20;
/// Connections at least and at most.
const CONNECTIONS: (u32, u32) = (16, 1_000);
/// How long after the end answers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Shortest pause of the pacer.
const PACER_PAUSE: Duration = Duration::from_micros(200);

/// What load to put where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `http://HOST:PORT`.
    pub url: String,
    /// Id of the listing. Its pools are asked in turns.
    pub listing: String,
    /// Bookings per second, 1 to [`MAX_RATE`].
    pub rate: u32,
    /// For how long, 1 to [`MAX_SECONDS`].
    pub seconds: u32,
    /// An API key under which to book; none books as the public does.
    pub api_key: Option<String>,
}

/// How it went.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Id of the listing.
    pub listing: String,
    /// Bookings per second that were begun.
    pub rate: u32,
    /// For how long.
    pub seconds: u32,
    /// Connections that were used.
    pub connections: usize,
    /// Bookings that were to be begun.
    pub sent: u64,
    /// Answers per second that came within the run and its aftermath.
    pub answered_per_second: f64,
    /// `201`.
    #[serde(rename = "201")]
    pub created: u64,
    /// `409`.
    #[serde(rename = "409")]
    pub refused: u64,
    /// `5xx`.
    #[serde(rename = "5xx")]
    pub server_errors: u64,
    /// Any other answer.
    pub other: u64,
    /// No answer.
    pub failed: u64,
    /// Refusals by code.
    pub refusals: BTreeMap<String, u64>,
    /// What was neither a booking nor a refusal in order, by status and code.
    pub errors: BTreeMap<String, u64>,
    /// Waiting times from the moment at which each booking was to begin.
    pub latency: Percentiles,
    /// Units of all bookings that were acknowledged.
    pub acknowledged: i64,
    /// Units held and sold now beyond those before, as the server says. Fewer than acknowledged, where holds have
    /// lapsed or bookings were cancelled meanwhile; more, where somebody else booked too.
    pub sold: i64,
    /// Whether more was taken of any pool than exists.
    pub oversold: bool,
}

/// When which booking begins.
struct Pace {
    start: Instant,
    rate: u32,
    count: u64,
    next: AtomicU64,
    due: Semaphore,
    stopped: AtomicBool,
}

impl Pace {
    fn moment(&self, index: u64) -> Instant {
        let nanos = u128::from(index) * 1_000_000_000 / u128::from(self.rate);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Lets bookings begin when their moment has come. Runs on a thread of its own, as timers of the runtime are too
    /// coarse, and late when it is busy.
    fn keep(&self) {
        let mut released = 0;
        while released < self.count && !self.stopped.load(Ordering::Relaxed) {
            let now = Instant::now();
            let mut due = 0;
            while released < self.count && self.moment(released) <= now {
                released += 1;
                due += 1;
            }
            self.due.add_permits(due);
            std::thread::sleep(
                self.moment(released).saturating_duration_since(Instant::now()).max(PACER_PAUSE),
            );
        }
    }
}

/// Runs it.
///
/// # Errors
/// If the options are out of range, the server cannot be reached, or it does not show the listing.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let count = u64::from(options.rate) * u64::from(options.seconds);
    if !(1..=MAX_RATE).contains(&options.rate) || !(1..=MAX_SECONDS).contains(&options.seconds) {
        bail!("the rate is 1 to {MAX_RATE} per second, for 1 to {MAX_SECONDS} seconds");
    }
    if count > MAX_BOOKINGS {
        bail!("{count} bookings are too many for one run; at most {MAX_BOOKINGS}");
    }
    let address = Address::resolve(&options.url).await?;
    let server = Server::new(address.base(), options.api_key.as_deref())?;
    let listing = server.listing(&options.listing).await?;
    let before = server.inventory(&options.listing).await?;
    let asks = asks(&listing, &before)?;
    let (scope, key) = (scope(), options.api_key.as_deref());
    let templates: Arc<[(usize, Template)]> = asks
        .iter()
        .map(|ask| {
            let body = ask.body(&options.listing);
            (ask.pools.len(), Template::post(&address, "/v1/bookings", key, &scope, &body))
        })
        .collect();

    let connections = (options.rate / RATE_PER_CONNECTION).clamp(CONNECTIONS.0, CONNECTIONS.1) as usize;
    let opened = closed::open(&address, connections).await?;
    let pace = Arc::new(Pace {
        start: Instant::now() + Duration::from_millis(10),
        rate: options.rate,
        count,
        next: AtomicU64::new(0),
        due: Semaphore::new(0),
        stopped: AtomicBool::new(false),
    });
    let pacer = std::thread::spawn({
        let pace = Arc::clone(&pace);
        move || pace.keep()
    });
    let mut tasks = JoinSet::new();
    for connection in opened {
        tasks.spawn(book(connection, Arc::clone(&templates), Arc::clone(&pace)));
    }
    let mut tally = Tally::default();
    let mut acknowledged = 0;
    while let Some(done) = tasks.join_next().await {
        let (one, units) = done?;
        tally.merge(one);
        acknowledged += units;
    }
    let seconds = pace.start.elapsed().as_secs_f64();
    pace.stopped.store(true, Ordering::Relaxed);
    let _ = pacer.join();
    let missing = count - tally.answered() - sum(&tally.failed);
    (0..missing).for_each(|_| tally.fail("not_begun"));
    tokio::time::sleep(SETTLING).await;
    let after = server.inventory(&options.listing).await?;
    let mut errors = tally.other.clone();
    errors.extend(tally.server_errors.clone());
    errors.extend(tally.failed.clone());
    Ok(Report {
        listing: options.listing.clone(),
        rate: options.rate,
        seconds: options.seconds,
        connections,
        sent: count,
        answered_per_second: tally.answered() as f64 / seconds,
        created: tally.created,
        refused: sum(&tally.conflicts),
        server_errors: sum(&tally.server_errors),
        other: sum(&tally.other),
        failed: sum(&tally.failed),
        refusals: tally.conflicts.clone(),
        errors,
        latency: tally.percentiles(),
        acknowledged,
        sold: after.taken() - before.taken(),
        oversold: !after.oversold().is_empty(),
    })
}

/// Begins bookings on one connection as their moments come, until there are no more. Gives the units that were
/// acknowledged as well.
async fn book(
    mut connection: Connection,
    templates: Arc<[(usize, Template)]>,
    pace: Arc<Pace>,
) -> (Tally, i64) {
    let (mut tally, mut units) = (Tally::default(), 0);
    let end = tokio::time::Instant::from_std(pace.moment(pace.count)) + PATIENCE;
    loop {
        // The last one who was let through lets the others go.
        if pace.next.load(Ordering::Relaxed) >= pace.count {
            pace.due.close();
        }
        let Ok(Ok(permit)) = tokio::time::timeout_at(end, pace.due.acquire()).await else { break };
        permit.forget();
        let index = pace.next.fetch_add(1, Ordering::Relaxed);
        if index >= pace.count {
            break;
        }
        let turn = usize::try_from(index % templates.len() as u64).expect("an index of this list");
        let (size, shared) = &templates[turn];
        let mut template = shared.clone();
        let exchange = connection.exchange(template.stamped(index));
        match tokio::time::timeout_at(end, exchange).await {
            Ok(answer) => {
                if answer.as_ref().is_ok_and(|answer| answer.status == 201) {
                    units += i64::try_from(*size).unwrap_or(i64::MAX);
                }
                tally.add(answer.as_ref(), pace.moment(index).elapsed());
            }
            Err(_) => tally.fail("no_answer"),
        }
    }
    (tally, units)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} bookings per second for {} s over {} connections, {:.0} answers per second",
            self.rate, self.seconds, self.connections, self.answered_per_second
        )?;
        writeln!(f, "  201 booked    {:>8}", self.created)?;
        writeln!(f, "  409 refused   {:>8}{}", self.refused, list(&self.refusals))?;
        writeln!(f, "  5xx           {:>8}", self.server_errors)?;
        writeln!(f, "  other         {:>8}", self.other)?;
        writeln!(f, "  no answer     {:>8}{}", self.failed, list(&self.errors))?;
        writeln!(f, "  waiting       {}", self.latency)?;
        let judged = match self.sold - self.acknowledged {
            0 => "every one of them",
            1.. => "more: somebody else booked too",
            _ => "fewer: holds lapsed or bookings were cancelled meanwhile, or acknowledged ones are lost",
        };
        writeln!(
            f,
            "  acknowledged  {} units; the server counts {}: {judged}",
            self.acknowledged, self.sold
        )?;
        write!(f, "  oversold      {}", if self.oversold { "YES" } else { "no" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeServer;

    fn options(server: &FakeServer, rate: u32) -> Options {
        Options { url: server.url(), listing: "lst_1".to_owned(), rate, seconds: 1, api_key: None }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn acknowledged_bookings_are_compared_with_what_the_server_counts() {
        let server = FakeServer::start(150).await;
        let report = run(&options(&server, 200)).await.unwrap();
        assert_eq!((report.sent, report.created, report.refused), (200, 150, 50));
        assert_eq!((report.acknowledged, report.sold, report.oversold), (150, 150, false));
        assert!(report.to_string().contains("every one of them"), "{report}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stall_is_felt_by_every_booking_that_was_to_begin_meanwhile() {
        let server = FakeServer::start(1_000).await;
        server.stall(Duration::from_millis(500));
        let report = run(&options(&server, 400)).await.unwrap();
        assert_eq!(report.created, 400);
        // Half of them were to begin during the stall, though sixteen connections could ask during it.
        assert!(report.latency.p90_ms > 250.0, "{}", report.latency);
        assert!(report.latency.max_ms > 400.0, "{}", report.latency);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_forgets_what_it_acknowledged_is_found_out() {
        let server = FakeServer::start(1_000).await;
        server.forget();
        let report = run(&options(&server, 100)).await.unwrap();
        assert_eq!((report.acknowledged, report.sold), (100, 50));
        assert!(report.to_string().contains("lost"), "{report}");
    }
}
