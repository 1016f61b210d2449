//! `lastseat config`.

use std::collections::BTreeMap;

use clap::{ArgMatches, CommandFactory};
use serde_json::json;

use super::serve;
use crate::cli::Cli;
use crate::config::effective::{self, Effective};
use crate::config::layers::Given;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

/// Options of this verb that are not part of what it shows.
const OWN: &[&str] = &["json", "config"];

/// Show the settings that hold, and where each comes from; secrets are masked
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat config --config /etc/lastseat.toml > lastseat.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    serve: serve::Args,
    #[command(flatten)]
    client: ClientOptions,
    /// Print JSON
    #[arg(long, help_heading = "General options")]
    json: bool,
}

pub(crate) fn run(args: &Args, matches: &ArgMatches, given: &Given) -> Result<(), Failure> {
    let cli = Cli::command();
    let verb = cli.find_subcommand("config").expect("this verb is one of them");
    let (_, matches) = matches.subcommand().expect("this verb is being run");
    let all = effective::of(verb, matches, given, OWN);
    if args.json {
        let by_key: BTreeMap<&str, _> = all
            .iter()
            .map(|one| (one.key.as_str(), json!({"value": one.value, "source": one.source})))
            .collect();
        return output::json(&by_key);
    }
    output::data(&as_toml(&all))
}

/// As a file that could be read again, but for the secrets.
fn as_toml(all: &[Effective]) -> String {
    let line = |one: &Effective| match &one.value {
        Some(value) if is_bare(value) => format!("{} = {value}", one.key),
        Some(value) => format!("{} = {}", one.key, toml::Value::from(value.as_str())),
        None => format!("# {} =", one.key),
    };
    let lines: Vec<(String, &str)> = all.iter().map(|one| (line(one), one.source.as_str())).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (line, source) in lines {
        let gap = " ".repeat(width - line.chars().count());
        out.push_str(&format!("{line}{gap}  # {source}\n"));
    }
    out
}

/// Whether a value needs no quotes.
fn is_bare(value: &str) -> bool {
    matches!(value, "true" | "false") || value.parse::<i64>().is_ok_and(|number| number.to_string() == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        let one = |key: &str, value: Option<&str>| Effective {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            source: "default".to_owned(),
        };
        let text = as_toml(&[
            one("data", Some("C:\\data \"x\"")),
            one("max_connections", Some("20000")),
            one("key", None),
        ]);
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read["data"].as_str(), Some("C:\\data \"x\""));
        assert_eq!(read["max_connections"].as_integer(), Some(20_000));
        assert_eq!(read.len(), 2);
    }
}
