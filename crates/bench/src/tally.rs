//! Counting what a server answered.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::latency::{Percentiles, micros};
use crate::load::{Answer, LoadError};

/// How the code of an answer is called that names none.
const NO_CODE: &str = "without_code";

/// Answers by kind, and how long each took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// `201`: booked.
    pub created: u64,
    /// `409`, by code.
    pub conflicts: BTreeMap<String, u64>,
    /// `5xx`, by status.
    pub server_errors: BTreeMap<String, u64>,
    /// Anything else, by status and code.
    pub other: BTreeMap<String, u64>,
    /// Requests without an answer, by what went wrong.
    pub failed: BTreeMap<String, u64>,
    /// Latencies of all that were answered, in microseconds.
    pub latencies: Vec<u32>,
}

impl Tally {
    /// Counts one request and what became of it.
    pub fn add(&mut self, answer: Result<&Answer<'_>, &LoadError>, latency: Duration) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.fail(error.label()),
        };
        self.latencies.push(micros(latency));
        match answer.status {
            201 => self.created += 1,
            409 => bump(&mut self.conflicts, answer.code().unwrap_or(NO_CODE)),
            500..=599 => bump(&mut self.server_errors, &answer.status.to_string()),
            status => bump(&mut self.other, &format!("{status} {}", answer.code().unwrap_or(NO_CODE))),
        }
    }

    /// Counts a request that was not answered.
    pub fn fail(&mut self, label: &str) {
        bump(&mut self.failed, label);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: Self) {
        self.created += other.created;
        let maps = [
            (&mut self.conflicts, other.conflicts),
            (&mut self.server_errors, other.server_errors),
            (&mut self.other, other.other),
            (&mut self.failed, other.failed),
        ];
        for (into, from) in maps {
            for (key, count) in from {
                *into.entry(key).or_default() += count;
            }
        }
        self.latencies.extend(other.latencies);
    }

    /// How many were answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// The percentiles of their latencies.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        Percentiles::of(&self.latencies)
    }
}

/// The sum of all counts.
#[must_use]
pub fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

fn bump(counts: &mut BTreeMap<String, u64>, key: &str) {
    // Looked up by reference first: a sold-out pool is refused a million times under one code.
    match counts.get_mut(key) {
        Some(count) => *count += 1,
        None => {
            counts.insert(key.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, body: body.as_bytes(), closes: false }
    }

    #[test]
    fn answers_are_counted_by_what_they_mean() {
        let mut tally = Tally::default();
        for (status, body) in [
            (201, "{}"),
            (409, r#"{"code":"sold_out"}"#),
            (409, r#"{"code":"sold_out"}"#),
            (503, "{}"),
            (422, ""),
        ] {
            tally.add(Ok(&answer(status, body)), Duration::from_millis(2));
        }
        tally.add(Err(&LoadError::Closed), Duration::ZERO);
        let mut twice = tally.clone();
        twice.merge(tally);
        assert_eq!(twice.created, 2);
        assert_eq!(twice.conflicts, BTreeMap::from([("sold_out".to_owned(), 4)]));
        assert_eq!(sum(&twice.server_errors), 2);
        assert_eq!(twice.other, BTreeMap::from([("422 without_code".to_owned(), 2)]));
        assert_eq!(twice.failed, BTreeMap::from([("closed".to_owned(), 2)]));
        assert_eq!(twice.answered(), 10);
        assert!((twice.percentiles().p50_ms - 2.0).abs() < 0.01);
    }
}
