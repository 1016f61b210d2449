//! `lastseat key`: API keys of a running server.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use crate::failure::Failure;

/// Create, list and revoke API keys of a running server
#[derive(Debug, clap::Args)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(create::Args),
    List(list::Args),
    Revoke(revoke::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Create(args) => create::run(args).await,
        Verb::List(args) => list::run(args).await,
        Verb::Revoke(args) => revoke::run(args).await,
    }
}
