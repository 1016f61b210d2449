//! The database's clock, as a node knows it between two looks at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use lastseat_core::time::Time;

/// Where a store takes its time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The database's.
    #[default]
    Database,
    /// Milliseconds since the epoch that a test sets.
    Fixed(Arc<AtomicI64>),
}

/// What time it was at the database when it was last asked, carried on by this machine's monotonic clock. For sleeping
/// and for caches; decisions take the time from the database itself.
#[derive(Debug)]
pub(crate) struct KnownTime {
    clock: Clock,
    begun: Instant,
    /// The database's milliseconds at `begun`.
    at_begin: AtomicI64,
    /// The database's milliseconds when it was asked last.
    seen: AtomicI64,
}

impl KnownTime {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, begun: Instant::now(), at_begin: AtomicI64::new(0), seen: AtomicI64::new(0) }
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Takes note of the database's milliseconds, and gives the instant that counts.
    pub(crate) fn saw(&self, millis: i64) -> Time {
        self.at_begin.store(millis - self.elapsed(), Ordering::Relaxed);
        self.seen.store(millis, Ordering::Relaxed);
        match &self.clock {
            Clock::Database => Time::from_millis(millis),
            Clock::Fixed(fixed) => Time::from_millis(fixed.load(Ordering::SeqCst)),
        }
    }

    /// What time it is at the database at least, as long as its clock is not set back: both clocks are read in whole
    /// milliseconds.
    pub(crate) fn at_least(&self) -> Time {
        let now = self.now();
        match &self.clock {
            Clock::Database => Time::from_millis((now.millis() - 1).max(self.seen.load(Ordering::Relaxed))),
            Clock::Fixed(_) => now,
        }
    }

    /// Between which milliseconds the database's clock must be for `at` to be no older than `age` milliseconds.
    pub(crate) fn range(&self, at: Time, age: i64) -> (i64, i64) {
        match &self.clock {
            Clock::Database => (at.millis(), at.millis() + age),
            Clock::Fixed(_) => (i64::MIN, i64::MAX),
        }
    }

    /// About what time it is.
    pub(crate) fn now(&self) -> Time {
        match &self.clock {
            Clock::Database => Time::from_millis(self.at_begin.load(Ordering::Relaxed) + self.elapsed()),
            Clock::Fixed(fixed) => Time::from_millis(fixed.load(Ordering::SeqCst)),
        }
    }
}
