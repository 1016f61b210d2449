//! `lastseat reference`: the references in `docs/`, written from the program itself.

mod cli;
mod metrics;
mod settings;

use clap::{CommandFactory, ValueEnum};

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output;

/// Print a part of the documentation as Markdown
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which part
    #[arg(value_name = "PART")]
    part: Part,
}

/// A part of the documentation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    /// The verbs: docs/cli.md
    Cli,
    /// The settings: docs/configuration.md
    Config,
    /// The metrics: docs/metrics.md
    Metrics,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    output::data(&match args.part {
        Part::Cli => cli::page(&command),
        Part::Config => settings::page(&command),
        Part::Metrics => metrics::page()?,
    })
}

/// The note under each page's title.
const GENERATED: &str = "*Written by `cargo xtask generate`; edit the program, not this page.*";

/// A text as a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_every_verb_is_explained() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {} has no help", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }

    #[test]
    fn texts_fit_into_the_width_that_help_is_written_for() {
        fn check(command: &clap::Command) {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in after.lines() {
                assert!(line.chars().count() <= 98, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn pages_name_what_there_is() {
        let mut command = Cli::command();
        command.build();
        let page = cli::page(&command);
        assert!(
            page.contains("## lastseat booking approve\n") && !page.contains("lastseat reference"),
            "{page}"
        );
        let page = settings::page(&command);
        assert!(page.contains("| `log_level` | `LASTSEAT_LOG_LEVEL` |"), "{page}");
        assert!(!page.contains("`help`") && !page.contains("`version`"), "{page}");
    }
}
