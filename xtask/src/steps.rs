//! A run of steps: each is announced, timed and counted, and one that fails does not keep the others from running.

use std::time::{Duration, Instant};

use crate::tally::Tally;

/// The steps that have run.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    tally: Tally,
    note: Option<String>,
}

/// How a step that does not count tests ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It holds.
    Passed,
    /// It could not be tried, for this reason, which is nobody's fault. Counts neither way.
    Skipped(String),
}

impl Steps {
    /// Runs a step that holds or does not.
    pub(crate) fn check(&mut self, name: &'static str, step: impl FnOnce() -> anyhow::Result<Outcome>) {
        self.record(name, || match step() {
            Ok(Outcome::Passed) => (Tally::PASS, None),
            Ok(Outcome::Skipped(reason)) => (Tally::default(), Some(format!("skipped: {reason}"))),
            Err(error) => (Tally::FAIL, Some(format!("{error:#}"))),
        });
    }

    /// Runs a step that counts tests. If it fails without a failed test, that counts as one.
    pub(crate) fn tests(&mut self, name: &'static str, step: impl FnOnce() -> (Tally, anyhow::Result<()>)) {
        self.record(name, || match step() {
            (tally, Ok(())) => (tally, None),
            (tally, Err(error)) => {
                let tally = if tally.failed == 0 { tally.and(Tally::FAIL) } else { tally };
                (tally, Some(format!("{error:#}")))
            }
        });
    }

    /// Prints what each step took and how it ended, and the sums as the last line; gives the sums.
    pub(crate) fn finish(self) -> Tally {
        println!("\n== summary");
        for Step { name, took, tally, note } in &self.done {
            // The rest of it was printed when the step ended.
            let note = note
                .as_deref()
                .and_then(|note| note.lines().next())
                .map(|line| format!(": {line}"))
                .unwrap_or_default();
            println!(
                "{:>8.1} s  {:>5} passed {:>3} failed  {name}{note}",
                took.as_secs_f64(),
                tally.passed,
                tally.failed
            );
        }
        let took: Duration = self.done.iter().map(|step| step.took).sum();
        println!("{:>8.1} s  in all", took.as_secs_f64());
        let sum = self.done.iter().map(|step| step.tally).fold(Tally::default(), Tally::and);
        println!("{} passed, {} failed", sum.passed, sum.failed);
        sum
    }

    fn record(&mut self, name: &'static str, step: impl FnOnce() -> (Tally, Option<String>)) {
        println!("\n== {name}");
        let start = Instant::now();
        let (tally, note) = step();
        let took = start.elapsed();
        if let Some(note) = &note {
            println!("{note}");
        }
        println!(
            "== {name}: {} ({:.1} s)",
            if tally.failed == 0 { "done" } else { "FAILED" },
            took.as_secs_f64()
        );
        self.done.push(Step { name, took, tally, note });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_but_not_the_next_step() {
        let mut steps = Steps::default();
        let mut ran = false;
        steps.check("first", || anyhow::bail!("no"));
        steps.check("second", || {
            ran = true;
            Ok(Outcome::Passed)
        });
        assert!(ran);
        assert_eq!(steps.finish(), Tally { passed: 1, failed: 1 });
    }

    #[test]
    fn tests_that_do_not_even_build_count_as_one_failure() {
        let mut steps = Steps::default();
        steps.tests("tests", || (Tally::default(), Err(anyhow::anyhow!("it does not build"))));
        assert_eq!(steps.done[0].tally, Tally::FAIL);
    }

    #[test]
    fn a_skipped_step_counts_neither_way() {
        let mut steps = Steps::default();
        steps.check("advisories", || Ok(Outcome::Skipped("no network".to_owned())));
        assert_eq!(steps.done[0].tally, Tally::default());
        assert_eq!(steps.finish(), Tally::default());
    }
}
