//! The race laboratory: the ways to sell the last place, each given the same users and the same places, and each
//! written as its users would write it. Every user thinks, books, and begins again until refused as sold out.
//!
//! - [`naive`], [`for_update`], [`optimistic`], [`guarded_update`], [`skip_locked`], [`redis_lock`]: the classical
//!   strategies, one per file, on a [`shop`] with the same [`rows`] for each booking
//! - [`lastseat`]: this project's engine
//! - [`users`]: those who race, and what they count
//! - [`ground`]: the databases that are raced on
//! - [`report`], [`chart`]: the outcome as numbers, as a table, as a picture
//!
//! **Where people think.** `naive` believes after thinking what it has read before: that is its mistake, and the race's.
//! The others think before they begin, because nobody who knows about locks keeps one while a person thinks; they decide
//! by what they read afterwards. So thinking is never part of a latency, nor of a lock.
//!
//! A new strategy is a file with a [`users::Way`], a variant of [`Strategy`], and an arm in [`run`].

pub mod chart;
mod for_update;
pub mod ground;
mod guarded_update;
mod lastseat;
mod naive;
mod optimistic;
mod redis_lock;
pub mod report;
mod rows;
mod schema;
mod shop;
mod skip_locked;
mod users;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
pub use tokio_util::sync::CancellationToken;

use ground::Database;
pub use ground::{Ground, GroundError};
pub use report::{Report, Run};
pub use shop::MAX_CONNECTIONS;

use crate::disk::is_in_memory;
use shop::Shop;
use users::{Count, Way};

/// How long a user thinks between looking and booking, if nobody says, in milliseconds.
pub const DEFAULT_THINK_MS: u64 = 200;
/// Most users.
pub const MAX_USERS: usize = 100_000;
/// Largest capacity.
pub const MAX_CAPACITY: i64 = 1_000_000;

/// What is said of a race whose database could not be synced to a disk.
const IN_MEMORY: &str =
    "the temporary directory is in memory, where syncing costs nothing: name one on a disk in TMPDIR";

/// A way to sell places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Read, think, write.
    Naive,
    /// `SELECT ... FOR UPDATE`.
    ForUpdate,
    /// A version column and bounded retries.
    Optimistic,
    /// One conditional statement.
    GuardedUpdate,
    /// A row per place and `SKIP LOCKED`.
    SkipLocked,
    /// A lock in Redis around a transaction.
    RedisLock,
    /// This project's engine, in process.
    Lastseat,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Naive,
        Self::ForUpdate,
        Self::Optimistic,
        Self::GuardedUpdate,
        Self::SkipLocked,
        Self::RedisLock,
        Self::Lastseat,
    ];

    /// The name on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::ForUpdate => "for-update",
            Self::Optimistic => "optimistic",
            Self::GuardedUpdate => "guarded-update",
            Self::SkipLocked => "skip-locked",
            Self::RedisLock => "redis-lock",
            Self::Lastseat => "lastseat",
        }
    }

    /// Whether it cannot do without a PostgreSQL.
    #[must_use]
    pub const fn needs_postgres(self) -> bool {
        !matches!(self, Self::Lastseat)
    }

    /// What it keeps its bookings in.
    const fn store(self) -> &'static str {
        match self {
            Self::RedisLock => "PostgreSQL, Redis",
            _ => "PostgreSQL",
        }
    }
}

impl FromStr for Strategy {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.into_iter().map(Self::as_str).collect();
            format!("there is no strategy {name}; there is {}", names.join(", "))
        })
    }
}

/// What to race.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Users, 1 to [`MAX_USERS`].
    pub users: usize,
    /// Places, 1 to [`MAX_CAPACITY`].
    pub capacity: i64,
    /// How long each thinks between looking and booking.
    pub think: Duration,
    /// When the race ends though there is something left; without it, when the last user was refused.
    pub limit: Option<Duration>,
}

/// Runs these strategies, one after the other, until `stop`; `begins` is told of each. What has been run by then is
/// reported. Who compares our own engine with others on PostgreSQL sees it on SQLite too.
///
/// # Errors
/// If the options are out of range, or a strategy cannot be set up.
pub async fn run_all(
    strategies: &[Strategy],
    options: &Options,
    ground: &Ground,
    stop: &CancellationToken,
    begins: impl Fn(Strategy),
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for &strategy in strategies {
        if stop.is_cancelled() {
            break;
        }
        begins(strategy);
        report.runs.push(run(strategy, options, ground, stop).await?);
        let on_postgres = report.runs.last().is_some_and(|run| run.store == Strategy::Lastseat.store());
        let compared = strategies.len() > 1 && strategy == Strategy::Lastseat;
        if compared && on_postgres && !stop.is_cancelled() {
            report.runs.push(run_on_sqlite(options, stop).await?);
        }
    }
    Ok(report)
}

/// Runs one strategy, on a schema and keys of its own, which are gone afterwards. `lastseat` runs on PostgreSQL if there
/// is one, and else on SQLite.
///
/// # Errors
/// If the options are out of range, or the strategy cannot be set up.
pub async fn run(
    strategy: Strategy,
    options: &Options,
    ground: &Ground,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let Some(database) = ground.database() else {
        if strategy.needs_postgres() {
            bail!("{} needs a PostgreSQL to race on", strategy.as_str());
        }
        return run_on_sqlite(options, stop).await;
    };
    check(options)?;
    let mut run = match strategy {
        Strategy::Lastseat => lastseat::on_postgres(database, options, stop).await?,
        _ => on_shop(strategy, database, options, ground, stop).await?,
    };
    if ground.is_ours() {
        run.notes.extend(in_memory());
    }
    Ok(run)
}

/// Runs this project's engine on a fresh SQLite file.
///
/// # Errors
/// If the options are out of range, or there is no room for the file.
pub async fn run_on_sqlite(options: &Options, stop: &CancellationToken) -> anyhow::Result<Run> {
    check(options)?;
    let mut run = lastseat::on_sqlite(options, stop).await?;
    run.notes.extend(in_memory());
    Ok(run)
}

fn check(options: &Options) -> anyhow::Result<()> {
    if !(1..=MAX_USERS).contains(&options.users) || !(1..=MAX_CAPACITY).contains(&options.capacity) {
        bail!("a race has 1 to {MAX_USERS} users and 1 to {MAX_CAPACITY} places");
    }
    Ok(())
}

/// What there is to say of what is in a temporary directory.
fn in_memory() -> Option<String> {
    is_in_memory(&std::env::temp_dir()).unwrap_or_default().then(|| IN_MEMORY.to_owned())
}

/// Runs a classical strategy on a schema of its own.
async fn on_shop(
    strategy: Strategy,
    database: &Database,
    options: &Options,
    ground: &Ground,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let shop = Shop::open(&database.line, options.users, options.capacity).await?;
    let sold = sell(strategy, Arc::clone(&shop), options, ground, stop).await;
    // Also when that failed; but then the first error is the one to tell.
    let closed = shop.close().await;
    let (count, stored, notes) = sold?;
    closed?;
    let mut run = Run::of(strategy, options, &count, stored);
    run.notes.extend(notes);
    run.notes.extend(shop.notes.iter().cloned());
    Ok(run)
}

/// Runs a classical strategy: what users counted, what is stored, and what there is to say.
async fn sell(
    strategy: Strategy,
    shop: Arc<Shop>,
    options: &Options,
    ground: &Ground,
    stop: &CancellationToken,
) -> anyhow::Result<(Count, i64, Option<String>)> {
    let mut note = None;
    let stored = Arc::clone(&shop);
    let count = match strategy {
        Strategy::Naive => race(naive::Naive::new(shop).await?, options, stop).await?,
        Strategy::ForUpdate => race(for_update::ForUpdate::new(shop).await?, options, stop).await?,
        Strategy::Optimistic => race(optimistic::Optimistic::new(shop).await?, options, stop).await?,
        Strategy::GuardedUpdate => {
            race(guarded_update::GuardedUpdate::new(shop).await?, options, stop).await?
        }
        Strategy::SkipLocked => race(skip_locked::SkipLocked::new(shop).await?, options, stop).await?,
        Strategy::RedisLock => {
            let way = Arc::new(redis_lock::RedisLock::new(shop, ground.redis()).await?);
            let count = users::race(&way, options, stop).await;
            way.close().await;
            note = way.note();
            count?
        }
        Strategy::Lastseat => unreachable!("it has no shop"),
    };
    Ok((count, stored.stored().await?, note))
}

async fn race(way: impl Way, options: &Options, stop: &CancellationToken) -> anyhow::Result<Count> {
    users::race(&Arc::new(way), options, stop).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_strategy_is_refused_with_those_there_are() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.as_str().parse(), Ok(strategy));
        }
        assert!("hope".parse::<Strategy>().unwrap_err().contains("skip-locked, redis-lock, lastseat"));
    }
}
