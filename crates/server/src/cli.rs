//! The command line as clap sees it. Help texts are short, and end with examples.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::verbs::{
    backup, bench, booking, config, copy, demo, doctor, import, key, listing, migrate, openapi, reference,
    restore, serve, verify, waitlist,
};

const EXAMPLES: &str = "\
Every option is also a variable LASTSEAT_<NAME> and a key in lastseat.toml. The command line
beats the environment, the environment beats the file; `lastseat config` shows what holds and why.

Exit codes: 0 done, 1 what was asked does not hold, 2 wrong use or configuration,
3 could not be done.

Examples:
  lastseat demo                          a server with sample listings, gone when it ends
  lastseat serve --data /var/lib/lastseat --listen 0.0.0.0:8080
  lastseat verify --data /var/lib/lastseat
  LASTSEAT_KEY=... lastseat booking list --state in_review";

/// Book limited places, rooms, seats and time slots; the last one is sold exactly once.
#[derive(Debug, Parser)]
#[command(name = "lastseat", version, after_help = EXAMPLES, max_term_width = 100, subcommand_value_name = "VERB")]
#[command(subcommand_help_heading = "Verbs")]
pub(crate) struct Cli {
    /// Read settings from this file [default: lastseat.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "General options")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(demo::Args),
    Serve(Box<serve::Args>),
    Verify(verify::Args),
    Listing(listing::Args),
    Booking(booking::Args),
    Waitlist(waitlist::Args),
    Key(key::Args),
    Import(import::Args),
    Migrate(migrate::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Copy(copy::Args),
    Doctor(doctor::Args),
    Openapi(openapi::Args),
    Config(Box<config::Args>),
    Bench(bench::Args),
    #[command(hide = true)]
    Reference(reference::Args),
}
