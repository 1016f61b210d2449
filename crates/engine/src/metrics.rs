//! What is counted, in base units.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use lastseat_core::event::EventKind;
use lastseat_core::refusal::Code;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// How a booking changed: the part of the event after `booking.`, or the code of a refusal.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// The engine's metrics. Others may add theirs to the registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    bookings: Family<OutcomeLabel, Counter>,
    batch_size: Histogram,
    batch_seconds: Histogram,
    pub(crate) due_lag: Histogram,
    pub(crate) overloaded: Counter,
    violations: Gauge,
    audited: Counter,
    queue: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("lastseat");
        let metrics = Self {
            registry: Mutex::default(),
            bookings: Family::default(),
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            batch_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            due_lag: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            overloaded: Counter::default(),
            violations: Gauge::default(),
            audited: Counter::default(),
            queue: Gauge::default(),
        };
        // The library appends `_total` to counters.
        registry.register("bookings", "Transitions and refusals, by outcome", metrics.bookings.clone());
        registry.register("batch_size", "Commands decided in one transaction", metrics.batch_size.clone());
        registry.register(
            "batch_seconds",
            "Time from the first command of a batch to its commit",
            metrics.batch_seconds.clone(),
        );
        registry.register("due_lag_seconds", "How late what was due was done", metrics.due_lag.clone());
        registry.register(
            "overloaded",
            "Commands refused because the queue was full",
            metrics.overloaded.clone(),
        );
        registry.register(
            "invariant_violations",
            "Broken invariants that the auditor sees now",
            metrics.violations.clone(),
        );
        registry.register(
            "audited_bookings",
            "Bookings that the auditor has checked",
            metrics.audited.clone(),
        );
        registry.register("queue_length", "Commands that wait", metrics.queue.clone());
        // All outcomes are there from the start, at zero: the first of a kind shows as a rise.
        EventKind::ALL.iter().for_each(|kind| metrics.event(*kind, 0));
        Code::ALL.iter().for_each(|code| metrics.refused(*code, 0));
        Self { registry: Mutex::new(registry), ..metrics }
    }
}

impl Metrics {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        text::encode(&mut out, &registry).expect("writing to a string cannot fail");
        out
    }

    /// Lets others add their metrics; names get the prefix `lastseat_`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Notes what the auditor found: how many bookings it looked at, and how many invariants are broken.
    pub fn audited(&self, bookings: u64, violations: u64) {
        self.audited.inc_by(bookings);
        self.violations.set(i64::try_from(violations).unwrap_or(i64::MAX));
    }

    pub(crate) fn batch(&self, commands: usize, seconds: f64) {
        #[allow(clippy::cast_precision_loss, reason = "batches are small")]
        self.batch_size.observe(commands as f64);
        self.batch_seconds.observe(seconds);
    }

    pub(crate) fn event(&self, kind: EventKind, count: u64) {
        if let Some(outcome) = kind.as_str().strip_prefix("booking.") {
            self.bookings.get_or_create(&OutcomeLabel { outcome }).inc_by(count);
        }
    }

    pub(crate) fn refused(&self, code: Code, count: u64) {
        self.bookings.get_or_create(&OutcomeLabel { outcome: code.as_str() }).inc_by(count);
    }

    pub(crate) fn queue_length(&self, length: usize) {
        self.queue.set(i64::try_from(length).unwrap_or(i64::MAX));
    }
}

/// A counter that wraps an atomic, for those who register their own.
pub type AtomicCounter = Counter<u64, AtomicU64>;
