//! The verbs, one per file: its flags, what it does, and how it says so.

pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod booking;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod listing;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod reference;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod verify;
pub(crate) mod waitlist;

use crate::cli::Verb;
use crate::config::Parsed;
use crate::failure::Failure;

/// Does what the command line asks.
pub(crate) async fn run(parsed: Parsed) -> Result<(), Failure> {
    let Parsed { cli, matches, given, .. } = parsed;
    match cli.verb {
        Verb::Demo(args) => demo::run(args).await,
        Verb::Serve(args) => serve::run(*args).await,
        Verb::Verify(args) => verify::run(&args),
        Verb::Listing(args) => listing::run(args).await,
        Verb::Booking(args) => booking::run(args).await,
        Verb::Waitlist(args) => waitlist::run(args).await,
        Verb::Key(args) => key::run(args).await,
        Verb::Import(args) => import::run(args).await,
        Verb::Migrate(args) => migrate::run(&args),
        Verb::Backup(args) => backup::run(&args),
        Verb::Restore(args) => restore::run(&args),
        Verb::Copy(args) => copy::run(args).await,
        Verb::Doctor(args) => doctor::run(args).await,
        Verb::Openapi(_) => openapi::run(),
        Verb::Config(args) => config::run(&args, &matches, &given),
        Verb::Bench(args) => bench::run(args).await,
        Verb::Reference(args) => reference::run(&args),
    }
}
