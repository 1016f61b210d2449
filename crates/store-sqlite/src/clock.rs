//! The one place where the system's clock is read. Everything else is given the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lastseat_core::time::Time;

/// Where a store takes its time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Milliseconds since the epoch that a test sets.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        match self {
            Self::System => system_now(),
            Self::Fixed(millis) => Time::from_millis(millis.load(Ordering::SeqCst)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the one reader of the system's clock")]
fn system_now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
