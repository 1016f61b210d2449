//! Latencies and their percentiles.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest latency that is told apart from longer ones, in microseconds: ten minutes.
const MAX_MICROS: u64 = 600_000_000;
/// Significant decimal digits that the histogram keeps.
const DIGITS: u8 = 3;

/// A latency in whole microseconds, at least 1 and at most 71 minutes.
#[must_use]
pub fn micros(latency: Duration) -> u32 {
    u32::try_from(latency.as_micros()).unwrap_or(u32::MAX).max(1)
}

/// What share of the answers came within which time, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half of them.
    pub p50_ms: f64,
    /// 90 of 100.
    pub p90_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// 999 of 1,000.
    pub p999_ms: f64,
    /// All.
    pub max_ms: f64,
}

impl Percentiles {
    /// The percentiles of latencies in microseconds; zeros where there are none.
    #[must_use]
    pub fn of(latencies: &[u32]) -> Self {
        let mut histogram =
            Histogram::<u64>::new_with_bounds(1, MAX_MICROS, DIGITS).expect("the bounds are in order");
        for &latency in latencies {
            histogram.saturating_record(u64::from(latency));
        }
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: histogram.max() as f64 / 1000.0,
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = self;
        write!(
            f,
            "p50 {p50_ms:.2} ms, p90 {p90_ms:.2} ms, p99 {p99_ms:.2} ms, p99.9 {p999_ms:.2} ms, \
             longest {max_ms:.2} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let latencies: Vec<u32> = (1..=10_000).rev().map(|n| n * 10).collect();
        let p = Percentiles::of(&latencies);
        let near =
            |value: f64, wanted: f64| assert!((value / wanted - 1.0).abs() < 0.002, "{value} {wanted}");
        near(p.p50_ms, 50.0);
        near(p.p90_ms, 90.0);
        near(p.p99_ms, 99.0);
        near(p.p999_ms, 99.9);
        near(p.max_ms, 100.0);
    }

    #[test]
    fn the_shortest_and_the_longest_latency_are_kept_in_bounds() {
        assert_eq!(micros(Duration::ZERO), 1);
        assert_eq!(micros(Duration::from_secs(1 << 40)), u32::MAX);
        assert!(Percentiles::of(&[u32::MAX]).max_ms >= 600_000.0);
        assert_eq!(Percentiles::of(&[]), Percentiles::default());
    }
}
