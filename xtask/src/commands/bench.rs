//! `cargo xtask bench`: the benchmark report.

use crate::run::{Workspace, run as run_program};

/// Measure, print each figure beside its baseline, and write docs/benchmarks.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Passed on to the report; `-- --help` shows what it takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    // The report starts the real server, and takes it from beside itself.
    run_program(&mut workspace.cargo(["build", "--release", "-p", "lastseat-server"]))?;
    let report = ["run", "--release", "-p", "lastseat-bench", "--bin", "lastseat-bench-report", "--"];
    run_program(workspace.cargo(report).args(&args.rest))
}
