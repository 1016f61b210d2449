//! The background auditor: checks a rolling sample of the invariants while serving.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lastseat_core::id::BookingNo;
use lastseat_engine::Engine;
use lastseat_store::verify::{Sample, verify_sample};
use lastseat_store::{Store, StoreError};

use super::background::Background;
use crate::failure::Failure;

/// How long after the start the first sample is taken.
const FIRST: Duration = Duration::from_secs(5);
/// Bookings of one sample: a few milliseconds of work.
const SAMPLE: u32 = 1_000;

/// Checks a sample `every` so often, and tells the metrics and, if something is broken, the log.
pub(super) fn start(store: Arc<dyn Store>, engine: Engine, every: Duration) -> Result<Background, Failure> {
    let mut audit = Audit::default();
    Background::start("auditor", FIRST.min(every), every, move || match audit.next(store.as_ref()) {
        Ok(bookings) => engine.metrics().audited(bookings, audit.violations()),
        Err(error) => tracing::warn!(%error, "the auditor cannot read the store"),
    })
}

/// Where the auditor is in its rounds, and what it has found.
#[derive(Default)]
struct Audit {
    /// The sample begins after this booking.
    after: BookingNo,
    /// What is broken, by rule and name, as far as this round has come.
    found: BTreeSet<(&'static str, String)>,
    /// The same of the round before: it counts until this one is complete.
    before: BTreeSet<(&'static str, String)>,
}

impl Audit {
    /// Checks the next sample; gives how many bookings it looked at.
    fn next(&mut self, store: &dyn Store) -> Result<u64, StoreError> {
        let Sample { report, bookings, next } = verify_sample(store.reader()?.as_ref(), self.after, SAMPLE)?;
        for check in report.checks {
            for name in check.broken {
                let broken = (check.name, name);
                if !self.before.contains(&broken) && !self.found.contains(&broken) {
                    tracing::error!(
                        rule = broken.0,
                        what = broken.1,
                        "an invariant is broken; run `lastseat verify`"
                    );
                }
                self.found.insert(broken);
            }
        }
        self.after = next;
        if next == BookingNo(0) {
            self.before = std::mem::take(&mut self.found);
        }
        Ok(bookings)
    }

    /// How many things are broken, as far as is known now.
    fn violations(&self) -> u64 {
        self.before.union(&self.found).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use lastseat_store_sqlite::FILE_NAME;

    use super::super::fixture;
    use super::*;

    #[tokio::test]
    async fn what_is_broken_counts_until_a_round_without_it() {
        let (dir, store, engine) = fixture::engine();
        fixture::book(&engine, "class").await;
        engine.drain().await;
        let change = |sql: &str| {
            let database = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
            assert_eq!(database.execute(sql, []).unwrap(), 1);
        };
        let mut audit = Audit::default();
        assert_eq!(audit.next(store.as_ref()).unwrap(), 1);
        assert_eq!(audit.violations(), 0);
        change("UPDATE pools SET confirmed = 2");
        audit.next(store.as_ref()).unwrap();
        assert_eq!(audit.violations(), 1);
        change("UPDATE pools SET confirmed = 1");
        audit.next(store.as_ref()).unwrap();
        assert_eq!(audit.violations(), 0);
    }
}
