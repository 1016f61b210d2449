//! The race laboratory: strategies against overselling, each given the same users and the same capacity. Every user
//! looks, thinks, books, and begins again until refused as sold out.
//!
//! One strategy per file. A new one is a file, a variant of [`Strategy`], and an arm in [`run`].

pub mod lastseat;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};

use crate::latency::Percentiles;

/// How long a user thinks between looking and booking, if nobody says, in milliseconds.
pub const DEFAULT_THINK_MS: u64 = 200;
/// Most users.
pub const MAX_USERS: usize = 100_000;
/// Largest capacity.
pub const MAX_CAPACITY: i64 = 1_000_000;

/// A way to sell places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// This project's engine, in process, on a fresh SQLite file.
    Lastseat,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Lastseat];

    /// The name on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lastseat => "lastseat",
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which strategies, one after the other.
    pub strategies: Vec<Strategy>,
    /// Users, 1 to [`MAX_USERS`].
    pub users: usize,
    /// Places, 1 to [`MAX_CAPACITY`].
    pub capacity: i64,
    /// How long each thinks between looking and booking.
    pub think: Duration,
}

/// How one strategy did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub strategy: String,
    /// Users.
    pub users: usize,
    /// Places.
    pub capacity: i64,
    /// Places that users were told they have.
    pub sold: i64,
    /// Refusals as sold out.
    pub refused: u64,
    /// Attempts that failed otherwise.
    pub errors: u64,
    /// Places sold beyond the capacity, by what users were told or by what is stored, whichever is more.
    pub oversold: i64,
    /// Bookings per second until the last user was refused, thinking included.
    pub bookings_per_second: f64,
    /// Half of the attempts took no longer, in milliseconds, thinking left out.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
}

/// The races that were run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// One for each strategy.
    pub runs: Vec<Run>,
}

impl Report {
    /// Whether this project's own engine sold more than there was.
    #[must_use]
    pub fn lastseat_oversold(&self) -> bool {
        self.runs.iter().any(|run| run.strategy == Strategy::Lastseat.as_str() && run.oversold > 0)
    }
}

/// Counts of a race.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Count {
    sold: i64,
    refused: u64,
    errors: u64,
    latencies: Vec<u32>,
}

impl Count {
    fn merge(&mut self, other: Self) {
        self.sold += other.sold;
        self.refused += other.refused;
        self.errors += other.errors;
        self.latencies.extend(other.latencies);
    }

    /// The report, with what is `stored` as sold in the end.
    fn run(&self, strategy: Strategy, options: &Options, stored: i64, took: Duration) -> Run {
        let Percentiles { p50_ms, p99_ms, .. } = Percentiles::of(&self.latencies);
        Run {
            strategy: strategy.as_str().to_owned(),
            users: options.users,
            capacity: options.capacity,
            sold: self.sold,
            refused: self.refused,
            errors: self.errors,
            oversold: (self.sold.max(stored) - options.capacity).max(0),
            bookings_per_second: self.sold as f64 / took.as_secs_f64(),
            p50_ms,
            p99_ms,
        }
    }
}

/// Runs each strategy.
///
/// # Errors
/// If the options are out of range or a strategy cannot be set up.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    if !(1..=MAX_USERS).contains(&options.users) || !(1..=MAX_CAPACITY).contains(&options.capacity) {
        bail!("a race has 1 to {MAX_USERS} users and 1 to {MAX_CAPACITY} places");
    }
    let mut runs = Vec::new();
    for strategy in &options.strategies {
        runs.push(match strategy {
            Strategy::Lastseat => lastseat::run(options).await?,
        });
    }
    Ok(Report { runs })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<16}{:>8}{:>10}{:>10}{:>10}{:>8}{:>10}{:>14}{:>10}{:>10}",
            "strategy",
            "users",
            "capacity",
            "sold",
            "refused",
            "errors",
            "oversold",
            "bookings/s",
            "p50 ms",
            "p99 ms"
        )?;
        for run in &self.runs {
            write!(
                f,
                "\n{:<16}{:>8}{:>10}{:>10}{:>10}{:>8}{:>10}{:>14.0}{:>10.2}{:>10.2}",
                run.strategy,
                run.users,
                run.capacity,
                run.sold,
                run.refused,
                run.errors,
                run.oversold,
                run.bookings_per_second,
                run.p50_ms,
                run.p99_ms
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { strategies: vec![Strategy::Lastseat], users: 3, capacity: 10, think: Duration::ZERO }
    }

    #[test]
    fn the_report_has_exactly_the_fields_of_the_contract() {
        let count = Count { sold: 10, refused: 3, errors: 0, latencies: vec![1000, 2000] };
        let run = count.run(Strategy::Lastseat, &options(), 10, Duration::from_secs(2));
        let report = Report { runs: vec![run] };
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::json!({"runs": [{
                "strategy": "lastseat", "users": 3, "capacity": 10, "sold": 10, "refused": 3, "errors": 0,
                "oversold": 0, "bookings_per_second": 5.0, "p50_ms": 1.0, "p99_ms": 2.0,
            }]})
        );
        assert!(!report.lastseat_oversold());
        let text = report.to_string();
        let widths: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [widths[0]; 2], "{text}");
    }

    #[test]
    fn overselling_is_seen_from_either_side() {
        let count = |sold| Count { sold, ..Count::default() };
        let run =
            |sold, stored| count(sold).run(Strategy::Lastseat, &options(), stored, Duration::from_secs(1));
        assert_eq!(run(10, 10).oversold, 0);
        assert_eq!(run(12, 10).oversold, 2);
        assert_eq!(run(9, 11).oversold, 1);
        assert!(Report { runs: vec![run(11, 10)] }.lastseat_oversold());
    }

    #[test]
    fn an_unknown_strategy_is_refused_with_those_there_are() {
        assert_eq!("lastseat".parse(), Ok(Strategy::Lastseat));
        assert!("hope".parse::<Strategy>().unwrap_err().contains("lastseat"));
    }
}
