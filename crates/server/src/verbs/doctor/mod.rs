//! `lastseat doctor`: whether a data directory and its machine are fit to serve from.
//!
//! - [`directory`]: who may look into it, and how much room there is
//! - [`database`]: schema, SQLite, whether the file is whole, the clock against what was written
//! - [`disk`]: how long a write takes until it is safe
//! - [`postgres`]: a PostgreSQL instead
//! - [`machine`]: limits of the process

mod database;
mod directory;
mod disk;
mod machine;
mod postgres;

use serde::Serialize;

use crate::failure::Failure;
use crate::options::{DataOptions, FilesOptions};
use crate::output;
use crate::place::Place;
use crate::serving::files;
use crate::table::table;

const EXAMPLES: &str = "\
Nothing is changed; the server may be running. A database file is read as a whole. Exit code 1: a
check failed; warnings are no failures. Whether the data itself is right is for `lastseat verify`.

Example:
  lastseat doctor --data /var/lib/lastseat";

/// Check the data directory, the disk and the machine
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    files: FilesOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    name: &'static str,
    /// How it came out.
    status: Status,
    /// What was found, and what to do about it.
    detail: String,
}

impl Check {
    fn new(name: &'static str, status: Status, detail: impl Into<String>) -> Self {
        Self { name, status, detail: detail.into() }
    }
}

/// All checks.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether none failed.
    ok: bool,
    /// In the order in which they were made.
    checks: Vec<Check>,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let bucket = args.files.bucket()?;
    let mut checks = match args.data.place()? {
        Place::Database(target) => postgres::check(&target),
        Place::Directory(data) => {
            let mut checks = directory::check(&data);
            if data.is_dir() {
                checks.extend(database::check(&data));
                checks.push(disk::check(&data));
            }
            checks
        }
    };
    if let Some(bucket) = bucket {
        let (status, detail) = match files::reach(&bucket).await {
            Ok(_) => (Status::Ok, format!("{bucket} answers")),
            Err(failure) => (Status::Failed, failure.to_string()),
        };
        checks.push(Check::new("receipts", status, detail));
    }
    checks.push(machine::check());
    let ok = checks.iter().all(|check| check.status != Status::Failed);
    let report = Report { ok, checks };
    if args.json {
        output::json(&report)?;
    } else {
        let rows: Vec<Vec<String>> = report
            .checks
            .iter()
            .map(|check| {
                let status = match check.status {
                    Status::Ok => "ok",
                    Status::Warning => "WARNING",
                    Status::Failed => "FAILED",
                };
                vec![status.to_owned(), check.name.to_owned(), check.detail.clone()]
            })
            .collect();
        output::data(&table(&["STATUS", "CHECK", "FOUND"], &rows))?;
    }
    if ok { Ok(()) } else { Err(Failure::NotSoSaid) }
}
