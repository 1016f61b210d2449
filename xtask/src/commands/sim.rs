//! `cargo xtask sim`: many more seeds of the simulations than the ordinary tests try.

use anyhow::bail;

use crate::run::{Workspace, run_and_read};
use crate::tally::Tally;

/// The package that holds the simulations.
const PACKAGE: &str = "lastseat-engine";

/// What their tests have in their names: of one node whose store fails, and of several nodes on one database.
const TESTS: &str = "keeps_every_promise";

/// Run the simulations of engine and store over many seeds: one node whose store fails, and several nodes on one
/// database. A failure prints its seed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds to try of each.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    seeds: u64,
    /// Only this seed, the one that a failure printed, with its steps.
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Build with optimizations: worth it from some ten thousand seeds on.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let mut command = workspace.cargo(["test", "-p", PACKAGE]);
    command.env("LASTSEAT_SIM_SEEDS", args.seeds.to_string());
    if let Some(seed) = args.seed {
        command.env("LASTSEAT_SIM_SEED", seed.to_string());
    }
    if args.release {
        command.arg("--release");
    }
    command.args([TESTS, "--", "--nocapture"]);
    let (output, outcome) = run_and_read(&mut command)?;
    outcome?;
    if Tally::of_libtest(&output).passed == 0 {
        bail!("{PACKAGE} has no test with `{TESTS}` in its name");
    }
    Ok(())
}
