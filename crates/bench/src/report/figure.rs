//! A figure: what was measured, what it is held against, and whether that is good enough.

use std::fmt;

use lastseat_bench::text::grouped;

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    /// Things per second.
    PerSecond,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Megabytes (10^6 bytes).
    Megabytes,
    /// Things.
    Count,
}

/// A number with its unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Amount(pub(crate) f64, pub(crate) Unit);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, unit) = *self;
        match unit {
            Unit::PerSecond => write!(f, "{}/s", grouped(value)),
            Unit::Millis => write!(f, "{value:.3} ms"),
            Unit::Seconds => write!(f, "{value:.2} s"),
            Unit::Megabytes => write!(f, "{value:.0} MB"),
            Unit::Count => f.write_str(&grouped(value)),
        }
    }
}

/// The same thing measured in several rounds.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Samples {
    values: Vec<f64>,
    unit: Unit,
}

impl Samples {
    pub(crate) const fn new(unit: Unit) -> Self {
        Self { values: Vec::new(), unit }
    }

    /// One round only.
    #[cfg(test)]
    pub(crate) fn once(value: f64, unit: Unit) -> Self {
        Self { values: vec![value], unit }
    }

    pub(crate) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The middle one, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    pub(crate) fn amount(&self) -> Amount {
        Amount(self.median(), self.unit)
    }
}

impl fmt::Display for Samples {
    /// The median, with the smallest and the largest where there are several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.amount())?;
        if self.values.len() > 1 {
            let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            write!(f, " ({} to {})", Amount(least, self.unit), Amount(most, self.unit))?;
        }
        Ok(())
    }
}

/// A target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Bound {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
}

impl Bound {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// What a figure is held against.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Check {
    /// Another measurement of the same run: the ratio of the medians is bound.
    Ratio {
        /// What the other one is.
        beside: String,
        /// The other one.
        baseline: Samples,
        /// For ours divided by the other.
        bound: Bound,
    },
    /// A fixed limit.
    Limit(Bound),
}

/// What was measured.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Figure {
    /// What it is.
    pub(crate) what: String,
    /// Ours.
    pub(crate) ours: Samples,
    /// What it is held against.
    pub(crate) check: Check,
    /// What else there is to say.
    pub(crate) note: Option<String>,
}

impl Figure {
    /// Ours beside a baseline.
    pub(crate) fn ratio(
        what: impl Into<String>,
        ours: &Samples,
        beside: impl Into<String>,
        baseline: &Samples,
        bound: Bound,
    ) -> Self {
        let check = Check::Ratio { beside: beside.into(), baseline: baseline.clone(), bound };
        Self { what: what.into(), ours: ours.clone(), check, note: None }
    }

    /// Ours under a fixed limit.
    pub(crate) fn limit(what: impl Into<String>, ours: &Samples, bound: Bound) -> Self {
        Self { what: what.into(), ours: ours.clone(), check: Check::Limit(bound), note: None }
    }

    pub(crate) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// What is compared with the bound.
    fn judged(&self) -> (f64, Bound) {
        match &self.check {
            Check::Ratio { baseline, bound, .. } => (self.ours.median() / baseline.median(), *bound),
            Check::Limit(bound) => (self.ours.median(), *bound),
        }
    }

    /// Whether the target is met. What could not be measured does not meet it.
    pub(crate) fn passes(&self) -> bool {
        let (value, bound) = self.judged();
        bound.holds(value)
    }

    /// The cells of its row: what, ours, beside what, that, ratio, target, verdict.
    pub(crate) fn cells(&self) -> [String; 7] {
        let verdict = if self.passes() { "met" } else { "MISSED" }.to_owned();
        let (value, bound) = self.judged();
        let sign = match bound {
            Bound::AtLeast(_) => '≥',
            Bound::AtMost(_) => '≤',
        };
        let (Bound::AtLeast(number) | Bound::AtMost(number)) = bound;
        let (what, ours) = (self.what.clone(), self.ours.to_string());
        match &self.check {
            Check::Ratio { beside, baseline, .. } => [
                what,
                ours,
                beside.clone(),
                baseline.to_string(),
                format!("{value:.2}"),
                format!("{sign} {number}"),
                verdict,
            ],
            Check::Limit(_) => {
                let target = format!("{sign} {}", Amount(number, self.ours.unit));
                [what, ours, String::new(), String::new(), String::new(), target, verdict]
            }
        }
    }

    /// By how much the target is missed, in words.
    pub(crate) fn shortfall(&self) -> Option<String> {
        let (value, bound) = self.judged();
        (!bound.holds(value)).then(|| {
            let (Bound::AtLeast(target) | Bound::AtMost(target)) = bound;
            let percent = (value / target - 1.0).abs() * 100.0;
            let side = if matches!(bound, Bound::AtLeast(_)) { "below" } else { "above" };
            format!("{}: {percent:.0} % {side} the target", self.what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        let mut samples = Samples::new(Unit::PerSecond);
        values.iter().for_each(|value| samples.push(*value));
        samples
    }

    #[test]
    fn the_median_withstands_one_bad_round() {
        assert!((samples(&[100.0, 1.0, 110.0]).median() - 100.0).abs() < 1e-9);
        assert!((samples(&[100.0, 110.0]).median() - 105.0).abs() < 1e-9);
        assert_eq!(samples(&[61_234.4, 1_000.0, 999_999.5]).to_string(), "61,234/s (1,000/s to 1,000,000/s)");
    }

    #[test]
    fn a_ratio_is_judged_by_its_bound() {
        let figure = |ours: f64, bound| Figure::ratio("a", &samples(&[ours]), "b", &samples(&[100.0]), bound);
        assert!(figure(50.0, Bound::AtLeast(0.5)).passes());
        let miss = figure(40.0, Bound::AtLeast(0.5));
        assert!(!miss.passes());
        assert_eq!(miss.shortfall().unwrap(), "a: 20 % below the target");
        assert_eq!(miss.cells(), ["a", "40/s", "b", "100/s", "0.40", "≥ 0.5", "MISSED"].map(str::to_owned));
        assert!(figure(120.0, Bound::AtMost(1.2)).passes());
        assert_eq!(figure(180.0, Bound::AtMost(1.2)).shortfall().unwrap(), "a: 50 % above the target");
    }

    #[test]
    fn a_limit_has_the_unit_of_what_it_limits_and_nothing_measured_is_a_miss() {
        let start = Figure::limit("start", &Samples::once(1.5, Unit::Seconds), Bound::AtMost(2.0));
        assert_eq!(start.cells()[5..], ["≤ 2.00 s".to_owned(), "met".to_owned()]);
        assert!(!Figure::limit("nothing", &Samples::new(Unit::Seconds), Bound::AtMost(2.0)).passes());
    }
}
