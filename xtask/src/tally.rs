//! How many tests passed and failed, read from what the test runners report.

use std::path::Path;

use anyhow::{Context, bail};

/// A number of tests that passed, and of those that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One thing that holds.
    pub(crate) const PASS: Self = Self { passed: 1, failed: 0 };
    /// One thing that does not hold.
    pub(crate) const FAIL: Self = Self { passed: 0, failed: 1 };

    /// The sum of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }

    /// Reads the sums of a JUnit report, as nextest writes it.
    pub(crate) fn from_junit(path: &Path) -> anyhow::Result<Self> {
        let report = std::fs::read_to_string(path)
            .with_context(|| format!("there is no report {}", path.display()))?;
        Self::of_junit(&report).with_context(|| format!("cannot read the sums of {}", path.display()))
    }

    fn of_junit(report: &str) -> anyhow::Result<Self> {
        let Some(head) = report.split_once("<testsuites").and_then(|(_, rest)| rest.split_once('>')) else {
            bail!("it has no <testsuites> element");
        };
        let sum = |name: &str| -> anyhow::Result<u64> {
            let (_, rest) =
                head.0.split_once(&format!(" {name}=\"")).with_context(|| format!("no sum of {name}"))?;
            let digits = rest.split('"').next().unwrap_or_default();
            digits.parse().with_context(|| format!("{name} is no number: {digits}"))
        };
        let failed = sum("failures")? + sum("errors")?;
        Ok(Self { passed: sum("tests")?.saturating_sub(failed), failed })
    }

    /// Adds up the `test result:` lines that `cargo test` prints.
    pub(crate) fn of_libtest(output: &str) -> Self {
        let number_before = |line: &str, word: &str| -> u64 {
            let before = line.split_once(word).map_or("", |(before, _)| before).trim_end();
            before.rsplit(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
        };
        output
            .lines()
            .filter(|line| line.starts_with("test result:"))
            .map(|line| Self {
                passed: number_before(line, " passed"),
                failed: number_before(line, " failed"),
            })
            .fold(Self::default(), Self::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextests_report_is_added_up() {
        let report =
            r#"<?xml version="1.0"?><testsuites name="x" tests="12" failures="2" errors="1" time="1.5">"#;
        assert_eq!(Tally::of_junit(report).unwrap(), Tally { passed: 9, failed: 3 });
        assert!(Tally::of_junit("<nothing/>").is_err());
    }

    #[test]
    fn cargo_tests_lines_are_added_up() {
        let output = "running 4 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            something else\n\
            test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(Tally::of_libtest(output), Tally { passed: 13, failed: 2 });
    }
}
