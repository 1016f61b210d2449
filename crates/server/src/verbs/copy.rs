//! `lastseat copy`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use lastseat_http::receipts::Carried;
use lastseat_store::copy::{self, CopyError, TABLES, Table, Tally};
use lastseat_store::verify::verify;
use serde::Serialize;

use crate::ends::End;
use crate::failure::Failure;
use crate::output;
use crate::place::Place;
use crate::table::table;

/// Rows of one table after which something is said.
const SAY_EVERY: u64 = 100_000;

const EXAMPLES: &str = "\
Stop all servers first. Both sides are verified, and compared row by row. The target must be
empty. It is filled all at once or not at all: after an interruption do the same again. Tokens,
references, API keys and receipts stay the same; readers of the event log begin anew.

Examples:
  lastseat copy --from /var/lib/lastseat --to postgres://lastseat:...@db.example.org/lastseat
  LASTSEAT_FROM=postgres://... lastseat copy --to /var/lib/lastseat";

/// Carry everything from a data directory to PostgreSQL, or back; nothing may be serving
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What is copied: a data directory, or <postgres://user:password@host/database>
    #[arg(long, value_name = "DIR or URL", required = true)]
    from: PathBuf,
    /// Where to: an empty directory, or an empty database
    #[arg(long, value_name = "DIR or URL", required = true)]
    to: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Without the places: a URL holds a password.
impl std::fmt::Debug for Args {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Args").field("json", &self.json).finish_non_exhaustive()
    }
}

/// What was done.
#[derive(Debug, Serialize)]
struct Report {
    from: String,
    to: String,
    /// Whether all of it was there already, and was only checked.
    was_there: bool,
    tables: Vec<Rows>,
    receipts: u64,
    receipt_bytes: u64,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Rows {
    table: &'static str,
    rows: u64,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let begun = Instant::now();
    let (from, to) = (Place::parse(args.from)?, Place::parse(args.to)?);
    if from.to_string() == to.to_string() {
        return Err(Failure::usage("--from and --to are the same"));
    }
    let from = End::full(from)?;
    check(&from, "nothing was copied")?;
    let to = End::to_fill(to)?;
    let (was_there, tally, receipts) = carry(&from, &to).await?;
    let found = copy::tally(to.source()?.as_mut()).map_err(anyhow::Error::from)?;
    let differences = found.differences(&tally);
    if !differences.is_empty() {
        return Err(Failure::NotSo(format!(
            "{to} is not what was copied, in {}: do not serve it; empty it, copy again, and report this",
            differences.join(", ")
        )));
    }
    check(&to, "do not serve it")?;
    let report = Report {
        from: from.to_string(),
        to: to.to_string(),
        was_there,
        tables: TABLES.iter().map(|of| Rows { table: of.name, rows: tally.rows(of.name) }).collect(),
        receipts: receipts.files,
        receipt_bytes: receipts.bytes,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if args.json { output::json(&report) } else { output::data(&text(&report)) }
}

/// Verifies one side.
fn check(end: &End, then: &str) -> Result<(), Failure> {
    output::say(&format!("verifying {end}"));
    let report = verify(end.look()?.as_ref()).map_err(anyhow::Error::from)?;
    if report.ok {
        return Ok(());
    }
    let broken = report.checks.iter().filter(|check| !check.broken.is_empty());
    let broken: Vec<String> = broken.map(|check| check.name.replace('_', " ")).collect();
    Err(Failure::NotSo(format!(
        "{end} is broken ({}); {then}; `lastseat verify` shows what is broken",
        broken.join(", ")
    )))
}

/// Carries receipts and rows, unless the rows are there: a copy that ended before it was checked.
async fn carry(from: &End, to: &End) -> Result<(bool, Tally, Carried), Failure> {
    let mut source = from.source()?;
    let target = to.target()?;
    let there = if target.is_some() {
        None
    } else {
        let tally = copy::tally(source.as_mut()).map_err(anyhow::Error::from)?;
        let found = copy::tally(to.source()?.as_mut()).map_err(anyhow::Error::from)?;
        if !found.differences(&tally).is_empty() {
            return Err(Failure::usage(format_args!(
                "--to: there is something else in {to} already; give an empty directory or database"
            )));
        }
        output::say(&format!("everything is in {to} already"));
        Some(tally)
    };
    let receipts = from.receipts()?.carry_to(&to.receipts()?).await;
    let receipts = receipts.context("cannot copy the receipts").map_err(Failure::from)?;
    output::say(&format!("{} receipts", receipts.files));
    let (Some(target), None) = (target, &there) else {
        return Ok((true, there.unwrap_or_default(), receipts));
    };
    let mut said = Progress::default();
    let tally = copy::copy(source.as_mut(), target, &mut |table, rows| said.on(table, rows));
    said.end();
    let failed = |error: CopyError| match error {
        CopyError::Source(_) => anyhow::Error::from(error).context(format!("copying {from}")),
        CopyError::Target(_) => anyhow::Error::from(error).context(format!("copying to {to}")),
    };
    Ok((false, tally.map_err(failed)?, receipts))
}

/// Says how far it has come.
#[derive(Default)]
struct Progress {
    last: Option<(&'static str, u64)>,
}

impl Progress {
    fn on(&mut self, table: &Table, rows: u64) {
        match self.last {
            Some((name, before)) if name == table.name => {
                if rows / SAY_EVERY > before / SAY_EVERY {
                    output::say(&format!("{rows} {name} so far"));
                }
            }
            _ => self.end(),
        }
        self.last = Some((table.name, rows));
    }

    fn end(&mut self) {
        if let Some((name, rows)) = self.last.take() {
            output::say(&format!("{rows} {name}"));
        }
    }
}

fn text(report: &Report) -> String {
    let mut rows: Vec<Vec<String>> =
        report.tables.iter().map(|of| vec![of.rows.to_string(), of.table.replace('_', " ")]).collect();
    rows.push(vec![report.receipts.to_string(), "receipts".to_owned()]);
    let (from, to, seconds) = (&report.from, &report.to, report.seconds);
    let verb = if report.was_there { "checked" } else { "copied" };
    format!(
        "{}\n{verb} {from} to {to} in {seconds:.1} seconds; both are sound and hold the same\n",
        table(&["COUNT", "OF"], &rows)
    )
}
