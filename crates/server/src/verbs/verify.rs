//! `lastseat verify`.

use lastseat_store::verify::{Report, verify};

use crate::failure::Failure;
use crate::options::DataOptions;
use crate::output;
use crate::table::table;

const EXAMPLES: &str = "\
Nothing is changed; the server may be running. Exit code 1: something is broken.

Example:
  lastseat verify --data /var/lib/lastseat";

/// Check every invariant on the data, also beside a running server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let place = args.data.place()?;
    // A database that the environment names goes before a directory.
    output::say(&format!("checking {place}"));
    let store = place.look()?;
    let report = verify(store.as_ref()).map_err(anyhow::Error::from)?;
    if args.json {
        output::json(&report)?;
    } else {
        output::data(&text(&report))?;
    }
    if report.ok { Ok(()) } else { Err(Failure::NotSoSaid) }
}

/// One line per rule, and under those that are broken what breaks them.
fn text(report: &Report) -> String {
    let mut rows = Vec::new();
    for check in &report.checks {
        let status = if check.broken.is_empty() { "ok" } else { "BROKEN" };
        rows.push(vec![status.to_owned(), check.checked.to_string(), check.name.replace('_', " ")]);
        rows.extend(check.broken.iter().map(|name| vec![String::new(), String::new(), format!("  {name}")]));
    }
    table(&["STATUS", "CHECKED", "RULE"], &rows)
}
