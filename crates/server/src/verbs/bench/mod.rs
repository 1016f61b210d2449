//! `lastseat bench`: load, and the race laboratory.

mod book;
mod crowd;
mod race;

use clap::Subcommand;
use lastseat_bench::load::LoadError;
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// Measure a running server, or race strategies against overselling
#[derive(Debug, clap::Args)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Crowd(crowd::Args),
    Book(book::Args),
    Race(race::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Crowd(args) => crowd::run(args).await,
        Verb::Book(args) => book::run(args).await,
        Verb::Race(args) => race::run(args).await,
    }
}

/// Prints a report.
fn print(report: &(impl Serialize + std::fmt::Display), as_json: bool) -> Result<(), Failure> {
    if as_json { output::json(report) } else { output::data(&report.to_string()) }
}

/// What the shell is told of overselling.
fn judge(oversold: bool) -> Result<(), Failure> {
    if oversold { Err(Failure::NotSo("more was sold than there is".to_owned())) } else { Ok(()) }
}

/// A wrong address is wrong use; the rest could not be done.
fn failure(error: anyhow::Error) -> Failure {
    match error.downcast_ref::<LoadError>() {
        Some(LoadError::Url { .. }) => Failure::usage(format_args!("--url: {error:#}")),
        _ => error.into(),
    }
}
