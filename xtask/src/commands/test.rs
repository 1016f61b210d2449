//! `cargo xtask test`: everything that must hold before a change is done.

use std::process::ExitCode;

use crate::checks::{advisories, docs, purity, tidy};
use crate::commands::{generate, setup};
use crate::run::{Workspace, run as run_program, run_and_read};
use crate::steps::{Outcome, Steps};
use crate::tally::Tally;

/// The nextest profile of `.config/nextest.toml` that writes a report, and the report's place below the workspace's root.
const NEXTEST_PROFILE: &str = "ci";
const NEXTEST_REPORT: &str = "target/nextest/ci/junit.xml";

/// The tests that start browsers, kill servers or run for long.
const HEAVY_TESTS: &str = "test(/browser_|crash_|schemathesis_|simulation/)";

/// Set up what is missing, then run every check and every test.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what takes little time: no set-up, no dependency checks, no documentation, no tests with browsers, crashes
    /// or simulations.
    #[arg(long)]
    quick: bool,
}

/// Runs the steps. What fails has been said by then, and the sums are the last line, so there is nothing to add.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> ExitCode {
    let mut steps = Steps::default();
    let cargo = |args: &[&str]| -> anyhow::Result<Outcome> {
        run_program(&mut workspace.cargo(args)).map(|()| Outcome::Passed)
    };
    if !args.quick {
        steps.check("set-up", || setup::run(workspace, &setup::Args {}).map(|()| Outcome::Passed));
    }
    steps.check("formatting", || cargo(&["fmt", "--all", "--check"]));
    steps.check("tidiness", || tidy::check(&workspace.root).map(|()| Outcome::Passed));
    steps.check("documents", || docs::check(&workspace.root).map(|()| Outcome::Passed));
    steps.check("purity of the core", || purity::check(workspace).map(|()| Outcome::Passed));
    if !args.quick {
        steps
            .check("bans, licences and sources", || cargo(&["deny", "check", "bans", "licenses", "sources"]));
        steps.check("advisories", || advisories::check(workspace));
    }
    steps.check("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]));
    // Tests of every crate may start the program, so it is built before the first of them runs.
    steps.check("build", || cargo(&["build", "--workspace", "--bins", "--tests"]));
    steps.tests("tests", || nextest(workspace, args));
    if !args.quick {
        steps.tests("documentation's examples", || doc_tests(workspace));
        steps.check("documentation", || {
            let mut doc = workspace.cargo(["doc", "--workspace", "--no-deps"]);
            run_program(doc.env("RUSTDOCFLAGS", "--deny warnings")).map(|()| Outcome::Passed)
        });
    }
    steps.check("generated files", || generate::check(workspace).map(|()| Outcome::Passed));
    if steps.finish().failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn nextest(workspace: &Workspace, args: &Args) -> (Tally, anyhow::Result<()>) {
    let report = workspace.root.join(NEXTEST_REPORT);
    // So that the report of an earlier run is not read; there need not be one.
    let _ = std::fs::remove_file(&report);
    let mut command = workspace.cargo(["nextest", "run", "--workspace", "--profile", NEXTEST_PROFILE]);
    if args.quick {
        command.args(["--filterset", &format!("not {HEAVY_TESTS}")]);
    }
    let outcome = run_program(&mut command);
    match Tally::from_junit(&report) {
        Ok(tally) => (tally, outcome),
        // What went wrong before a report was written says more than that there is none.
        Err(unread) => (Tally::default(), outcome.and(Err(unread))),
    }
}

fn doc_tests(workspace: &Workspace) -> (Tally, anyhow::Result<()>) {
    match run_and_read(&mut workspace.cargo(["test", "--workspace", "--doc"])) {
        Ok((output, outcome)) => (Tally::of_libtest(&output), outcome),
        Err(error) => (Tally::default(), Err(error)),
    }
}
