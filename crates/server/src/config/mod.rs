//! Configuration. Every option of every verb is a flag, a variable `LASTSEAT_<NAME>` and a key in
//! `lastseat.toml`; the command line beats the environment beats the file.
//!
//! The flags that clap knows are the only list. What the environment and the file say is checked against
//! them and then handed to clap as the flags' default values, so there is one way in which values are read.
//!
//! - [`mod@file`]: `lastseat.toml`, with line numbers
//! - [`environment`]: the variables
//! - [`layers`]: which keys there are, and the check of one value
//! - [`effective`]: what holds in the end, and why
//!
//! To add a setting, add a flag.

pub(crate) mod effective;
mod environment;
mod file;
pub(crate) mod layers;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, FromArgMatches};

use crate::cli::Cli;
use crate::failure::Failure;
use layers::{Given, Known};

/// The file that is read if nobody names one and it is there.
const DEFAULT_FILE: &str = "lastseat.toml";
/// The setting that names the file; it is not a key of the file.
pub(crate) const FILE_KEY: &str = "config";

/// A command line with all that was given beside it.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What is to be done.
    pub(crate) cli: Cli,
    /// The same as clap saw it.
    pub(crate) matches: ArgMatches,
    /// What the environment and the file say, by key.
    pub(crate) given: Given,
    /// What deserves a word, but does not stop anything.
    pub(crate) warnings: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help, the version, or a wrong command line; clap says it.
    Clap(clap::Error),
    /// Wrong configuration.
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Reads the command line `args` (with the program's name), the `variables` and the file.
pub(crate) fn read(
    command: Command,
    args: &[OsString],
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Parsed, Stop> {
    // Help must be had even where the configuration is broken.
    if let Err(error) = command.clone().try_get_matches_from(args)
        && matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::InvalidSubcommand
                | ErrorKind::UnknownArgument
        )
    {
        return Err(error.into());
    }
    let known = Known::of(&command);
    let (mut given, warnings) = environment::read(&known, variables)?;
    if let Some(path) = file_path(args, &given) {
        file::read(&known, &path, &mut given)?;
    }
    let matches = layers::with_defaults(command, &given).try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches)?;
    Ok(Parsed { cli, matches, given, warnings })
}

/// The file to read: the one that is named, or the default one if it is there.
fn file_path(args: &[OsString], given: &Given) -> Option<PathBuf> {
    let flag = format!("--{FILE_KEY}");
    let mut args = args.iter().skip(1).map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--");
    while let Some(arg) = args.next() {
        if arg == flag {
            return args.next().map(|path| PathBuf::from(path.into_owned()));
        }
        if let Some(path) = arg.strip_prefix(&flag).and_then(|rest| rest.strip_prefix('=')) {
            return Some(path.into());
        }
    }
    given.get(FILE_KEY).map(|value| PathBuf::from(&value.text)).or_else(|| {
        let default = PathBuf::from(DEFAULT_FILE);
        default.exists().then_some(default)
    })
}

#[cfg(test)]
mod tests;
