//! `cargo xtask`: everything a developer or a build server does with this repository beyond plain Cargo.
//!
//! One verb per file in `commands`, one rule of the house per file in `checks`; `run` starts programs, `steps` times
//! and counts.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

mod checks;
mod commands;
mod run;
mod steps;
mod tally;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{bench, generate, setup, sim, test};
use crate::run::Workspace;

/// Sets up, tests and measures Lastseat.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Test(test::Args),
    Setup(setup::Args),
    Bench(bench::Args),
    Generate(generate::Args),
    Sim(sim::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Workspace::find().and_then(|workspace| match cli.verb {
        Verb::Test(args) => Ok(test::run(&workspace, &args)),
        Verb::Setup(args) => setup::run(&workspace, &args).map(|()| ExitCode::SUCCESS),
        Verb::Bench(args) => bench::run(&workspace, &args).map(|()| ExitCode::SUCCESS),
        Verb::Generate(args) => generate::run(&workspace, &args).map(|()| ExitCode::SUCCESS),
        Verb::Sim(args) => sim::run(&workspace, &args).map(|()| ExitCode::SUCCESS),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
