//! The keys that exist, and what the environment and the file give for them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

/// How different a misspelt key may be from the one that is suggested; 1 is the same.
const MIN_LIKENESS: f64 = 0.75;
/// What a variable's name begins with.
pub(crate) const PREFIX: &str = "LASTSEAT_";

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// The variable of this name.
    Environment(String),
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// A value from beside the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Value {
    /// As it would stand after the flag.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) source: Source,
}

/// Values by key.
pub(crate) type Given = BTreeMap<String, Value>;

/// All settings, by key.
pub(crate) struct Known(BTreeMap<String, Arg>);

impl Known {
    /// The long options of all verbs. Options of one name mean the same in all verbs.
    pub(crate) fn of(command: &Command) -> Self {
        let mut known = BTreeMap::new();
        collect(command, &mut known);
        Self(known)
    }

    /// The flag behind a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Arg> {
        self.0.get(key)
    }

    /// All keys in alphabetical order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The key that somebody who wrote `key` may have meant.
    pub(crate) fn like(&self, key: &str) -> Option<&str> {
        let likeness = |candidate: &str| strsim::jaro_winkler(candidate, key);
        self.keys()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .filter(|best| likeness(best) >= MIN_LIKENESS)
    }

    /// Whether `text` could stand after the flag of `key`.
    ///
    /// # Errors
    /// What clap would say, as a fragment.
    pub(crate) fn check(&self, key: &str, text: &str) -> Result<(), String> {
        let Some(arg) = self.get(key) else { return Err("there is no such setting".to_owned()) };
        if is_switch(arg) {
            return match text {
                "true" | "false" => Ok(()),
                _ => Err(format!("must be true or false, not `{text}`")),
            };
        }
        let alone = Command::new("lastseat").no_binary_name(true).arg(arg.clone().required(false));
        let flag = arg.get_long().unwrap_or(key);
        alone.try_get_matches_from([format!("--{flag}={text}")]).map(drop).map_err(|error| {
            if let Some(why) = std::error::Error::source(&error) {
                return why.to_string();
            }
            let said = error.render().to_string();
            let lines: Vec<&str> = said.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            lines.join(" ").trim_start_matches("error: ").to_owned()
        })
    }
}

fn collect(command: &Command, known: &mut BTreeMap<String, Arg>) {
    for arg in command.get_arguments() {
        if let Some(key) = key_of(arg) {
            known.entry(key).or_insert_with(|| arg.clone());
        }
    }
    for verb in command.get_subcommands() {
        collect(verb, known);
    }
}

/// The key of a flag: its name with underscores. Positional arguments, help and version have none.
pub(crate) fn key_of(arg: &Arg) -> Option<String> {
    if matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    ) {
        return None;
    }
    arg.get_long().map(|long| long.replace('-', "_"))
}

/// The variable of a key.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}

/// Whether it is a flag without a value.
pub(crate) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Makes what was given the default values of the flags.
pub(crate) fn with_defaults(command: Command, given: &Given) -> Command {
    let command = command.mut_args(|arg| match key_of(&arg).and_then(|key| given.get(&key)) {
        Some(value) => arg.default_value(value.text.clone()).required(false),
        None => arg,
    });
    command.mut_subcommands(|verb| with_defaults(verb, given))
}
