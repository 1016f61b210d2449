//! The database's clock, as a node knows it between two looks at it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// How much two clocks may drift apart: a microsecond in so many.
const DRIFT: i64 = 10_000;

/// What says so much less than was expected, in microseconds, is not an answer that was on its way for long, but a clock
/// that was set back.
const LATE: i64 = 2_000_000;

/// What time it is at the database, from what it said when it was asked, carried on by this machine's monotonic clock.
/// For sleeping, for caches, and for what the database compares with its own clock; decisions under locks take the time
/// from the database itself.
///
/// An answer is older when it is read than when it was given. So of all answers the one counts that puts the clock
/// furthest ahead: it came the quickest.
#[derive(Debug)]
pub(crate) struct KnownTime {
    clock: Clock,
    begun: Instant,
    at: Mutex<At>,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    /// The database's clock at `begun`, at least.
    ahead: i64,
    /// When that was last looked at, after `begun`.
    looked: i64,
    /// The latest that the database's clock has said.
    seen: i64,
}

impl KnownTime {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, begun: Instant::now(), at: Mutex::default() }
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn at(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the database's clock says, in microseconds, and gives the instant that counts.
    pub(crate) fn saw(&self, micros: i64) -> Time {
        let now = self.elapsed();
        let mut at = self.at();
        let told = micros - now;
        let before = at.ahead - (now - at.looked) / DRIFT;
        let was_set = told + LATE < before;
        let ahead = if was_set { told } else { told.max(before) };
        let seen = if was_set { micros } else { micros.max(at.seen) };
        *at = At { ahead, looked: now, seen };
        match &self.clock {
            Clock::Database => Time::from_millis(micros / 1_000),
            Clock::Fixed(fixed) => Time::from_millis(fixed.load(Ordering::SeqCst)),
        }
    }

    /// The database's clock says something else than was supposed: nothing that it said before counts any more.
    pub(crate) fn set(&self, micros: i64) {
        let now = self.elapsed();
        *self.at() = At { ahead: micros - now, looked: now, seen: micros };
    }

    /// Between which microseconds the database's clock must be for `at` to be no older than `age` milliseconds.
    pub(crate) fn range(&self, at: Time, age: i64) -> (i64, i64) {
        match &self.clock {
            Clock::Database => (at.millis() * 1_000, (at.millis() + age) * 1_000),
            Clock::Fixed(_) => (i64::MIN, i64::MAX),
        }
    }

    /// About what time it is, and hardly ever later than it is.
    pub(crate) fn now(&self) -> Time {
        match &self.clock {
            Clock::Database => {
                let at = *self.at();
                Time::from_millis((at.ahead + self.elapsed()).max(at.seen) / 1_000)
            }
            Clock::Fixed(fixed) => Time::from_millis(fixed.load(Ordering::SeqCst)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_that_came_the_quickest_counts_until_the_clock_is_set() {
        let known = KnownTime::new(Clock::Database);
        let elapsed = known.elapsed();
        let hour = 3_600_000_000;
        assert_eq!(known.saw(hour + elapsed), Time::from_millis((hour + elapsed) / 1_000));
        // One that was on its way for a second.
        known.saw(hour + known.elapsed() - 1_000_000);
        let ahead = known.now().millis() * 1_000 - known.elapsed();
        assert!((hour - 2_000..=hour + 2_000).contains(&ahead), "{ahead}");
        known.saw(hour / 2);
        assert!(known.now().millis() < hour / 2 / 1_000 + 10_000, "it was set back");
        known.set(hour / 2 - 1_500_000);
        assert!(known.now().millis() < hour / 2 / 1_000, "it was set back a little");
    }
}
