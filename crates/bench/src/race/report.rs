//! How the races went: numbers for programs, a table for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::users::Count;
use super::{Options, Strategy};
use crate::latency::Percentiles;

/// How one strategy did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub strategy: String,
    /// What it keeps its bookings in; not part of the JSON.
    #[serde(skip)]
    pub store: String,
    /// Users.
    pub users: usize,
    /// Places.
    pub capacity: i64,
    /// Places that users were told they have.
    pub sold: i64,
    /// Refusals as sold out.
    pub refused: u64,
    /// Attempts that failed otherwise, or after which the user was told to try again.
    pub errors: u64,
    /// Places sold beyond the capacity, by what users were told or by what is stored, whichever is more.
    pub oversold: i64,
    /// Bookings per second until the last of them, thinking included.
    pub bookings_per_second: f64,
    /// Half of the bookings were accepted or refused within that time, in milliseconds, thinking left out and trying
    /// again after errors included.
    pub p50_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
    /// What else there is to say; not part of the JSON.
    #[serde(skip)]
    pub notes: Vec<String>,
}

impl Run {
    /// The numbers of a race after which `stored` bookings are in the store.
    pub(super) fn of(strategy: Strategy, options: &Options, count: &Count, stored: i64) -> Self {
        let Percentiles { p50_ms, p99_ms, .. } = Percentiles::of(&count.latencies);
        let name = strategy.as_str();
        let mut notes = Vec::new();
        if let Some(failure) = &count.failure {
            notes.push(format!("{name}: the first failure: {failure}"));
        }
        if count.cut_short && options.limit.is_none() {
            notes.push(format!("{name}: stopped before all users were refused"));
        }
        if stored != count.sold && !count.cut_short {
            notes.push(format!(
                "{name}: {} users were told that they have a place, and {stored} bookings are stored",
                count.sold
            ));
        }
        let seconds = count.last_sold.as_secs_f64();
        Self {
            strategy: name.to_owned(),
            store: strategy.store().to_owned(),
            users: options.users,
            capacity: options.capacity,
            sold: count.sold,
            refused: count.refused,
            errors: count.errors,
            oversold: (count.sold.max(stored) - options.capacity).max(0),
            bookings_per_second: if seconds > 0.0 { count.sold as f64 / seconds } else { 0.0 },
            p50_ms,
            p99_ms,
            notes,
        }
    }
}

/// The races that were run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// One for each strategy and store.
    pub runs: Vec<Run>,
}

impl Report {
    /// Whether this project's own engine sold more than there was.
    #[must_use]
    pub fn lastseat_oversold(&self) -> bool {
        self.runs.iter().any(|run| run.strategy == Strategy::Lastseat.as_str() && run.oversold > 0)
    }

    /// What there is to say besides the numbers, each thing once.
    #[must_use]
    pub fn notes(&self) -> Vec<&str> {
        let mut notes: Vec<&str> = Vec::new();
        for note in self.runs.iter().flat_map(|run| &run.notes) {
            if !notes.contains(&note.as_str()) {
                notes.push(note);
            }
        }
        notes
    }
}

/// The cells of a table's line, each as wide as its column.
struct Line<'a>([&'a str; 11]);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [strategy, store, users, capacity, sold, refused, errors, oversold, rate, p50, p99] = self.0;
        write!(
            f,
            "{strategy:<16}{store:<18}{users:>7}{capacity:>9}{sold:>9}{refused:>9}{errors:>9}{oversold:>10}\
             {rate:>12}{p50:>10}{p99:>10}"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = Line([
            "strategy",
            "store",
            "users",
            "capacity",
            "sold",
            "refused",
            "errors",
            "oversold",
            "bookings/s",
            "p50 ms",
            "p99 ms",
        ]);
        write!(f, "{head}")?;
        for run in &self.runs {
            let line = Line([
                &run.strategy,
                &run.store,
                &run.users.to_string(),
                &run.capacity.to_string(),
                &run.sold.to_string(),
                &run.refused.to_string(),
                &run.errors.to_string(),
                &run.oversold.to_string(),
                &format!("{:.0}", run.bookings_per_second),
                &format!("{:.2}", run.p50_ms),
                &format!("{:.2}", run.p99_ms),
            ]);
            write!(f, "\n{line}")?;
        }
        for note in self.notes() {
            write!(f, "\n- {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn options() -> Options {
        Options { users: 3, capacity: 10, think: Duration::ZERO, limit: None }
    }

    fn count(sold: i64) -> Count {
        Count { sold, last_sold: Duration::from_secs(2), ..Count::default() }
    }

    #[test]
    fn the_report_has_exactly_the_fields_of_the_contract() {
        let count = Count { refused: 3, latencies: vec![1000, 2000], ..count(10) };
        let run = Run::of(Strategy::Lastseat, &options(), &count, 10);
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
    fn overselling_is_seen_from_either_side_and_only_lastseats_is_ours() {
        let run = |sold, stored| Run::of(Strategy::Lastseat, &options(), &count(sold), stored);
        assert_eq!(run(10, 10).oversold, 0);
        assert_eq!(run(12, 10).oversold, 2);
        assert_eq!(run(9, 11).oversold, 1);
        assert!(run(9, 11).notes[0].contains("11 bookings are stored"));
        assert!(Report { runs: vec![run(11, 10)] }.lastseat_oversold());
        let naive = Run::of(Strategy::Naive, &options(), &count(12), 12);
        assert!(!Report { runs: vec![naive] }.lastseat_oversold());
    }

    #[test]
    fn a_note_is_said_once() {
        let run = Run {
            notes: vec!["fsync is off".to_owned()],
            ..Run::of(Strategy::Naive, &options(), &count(1), 1)
        };
        let report = Report { runs: vec![run.clone(), run] };
        assert_eq!(report.to_string().matches("\n- fsync is off").count(), 1);
    }

    #[test]
    fn where_nothing_was_sold_there_is_no_rate() {
        let run = Run::of(Strategy::Naive, &options(), &Count::default(), 0);
        assert!(run.bookings_per_second.abs() < f64::EPSILON);
    }
}
