//! The benchmark report: every figure that the project promises, measured beside its baseline in the same run.
//!
//! - [`figures`]: one file per figure
//! - [`figure`]: samples, bounds, verdicts; [`table`], [`markdown`]: how they are shown
//! - [`lab`]: where data goes, how many rounds, runtimes; [`machine`]: what it all ran on
//! - [`rows`]: the baseline "the same rows by bare rusqlite"
//! - [`postgres`]: a PostgreSQL to measure on, and the baseline "the same rows by one statement"
//! - [`constant`]: a server that gives everybody the same answer
//! - [`server`], [`redis`]: the processes that are measured over the network
//! - [`bulk`]: a file with millions of bookings
//!
//! To add a figure, add a file in `figures` and its line in [`figures::ALL`].
#![allow(clippy::print_stdout, reason = "printing the table is what this program is for")]

mod bulk;
mod constant;
mod figure;
mod figures;
mod lab;
mod machine;
mod markdown;
mod postgres;
mod redis;
mod rows;
mod server;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Parser;

use crate::figures::Entry;
use crate::lab::Lab;
use crate::machine::Machine;

/// As in the server: measured with another allocator the figures would be of another program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the report is written, from the workspace's root.
const REPORT: &str = "docs/benchmarks.md";

/// Measures Lastseat beside its baselines, prints a table, and writes docs/benchmarks.md.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench --")]
struct Args {
    /// Measure only these; nothing is written to the report then
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// One short round of each, to see that it works; nothing is written to the report
    #[arg(long)]
    quick: bool,
    /// Rounds of everything that is compared; the report gives medians
    #[arg(long, value_name = "N", default_value_t = lab::ROUNDS, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// Put the data here, on a disk and not in memory [default: bench-data beside the programs]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Become a server that gives everybody an answer of so many bytes
    #[arg(long, value_name = "BYTES", hide = true)]
    constant_answer: Option<usize>,
    /// Write the report there instead
    #[arg(long, value_name = "FILE", default_value = REPORT)]
    output: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        bail!("this is a debug build, its figures would mean nothing; use `cargo xtask bench`");
    }
    if let Some(bytes) = args.constant_answer {
        return constant::serve(bytes);
    }
    let chosen = choose(&args.only)?;
    let lab = Lab::new(args.dir.as_deref(), args.rounds, args.quick)?;
    let begun = Instant::now();
    let machine = Machine::look(lab.dir())?;
    eprintln!("{machine}");
    let mut measured = Vec::new();
    for entry in chosen {
        eprintln!("measuring {} ...", entry.name);
        let figures = (entry.measure)(&lab).with_context(|| format!("cannot measure {}", entry.name))?;
        println!("{}", table::render(entry, &figures));
        measured.push((entry, figures));
    }
    eprintln!("all of it took {:.0} s", begun.elapsed().as_secs_f64());
    let misses = measured.iter().flat_map(|(_, figures)| figures).filter(|figure| !figure.passes()).count();
    println!(
        "{}",
        if misses == 0 { "every target is met".to_owned() } else { format!("{misses} targets missed") }
    );
    if args.quick || !args.only.is_empty() {
        eprintln!("a partial run: {} stays as it is", args.output.display());
        return Ok(());
    }
    let report = markdown::render(&machine, &lab, &measured);
    std::fs::write(&args.output, report)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    eprintln!("wrote {}", args.output.display());
    Ok(())
}

fn choose(only: &[String]) -> anyhow::Result<Vec<&'static Entry>> {
    let all = figures::ALL;
    if let Some(unknown) = only.iter().find(|name| all.iter().all(|entry| entry.name != name.as_str())) {
        let names: Vec<_> = all.iter().map(|entry| entry.name).collect();
        bail!("there is no figure {unknown}; there is {}", names.join(", "));
    }
    Ok(all.iter().filter(|entry| only.is_empty() || only.iter().any(|name| name == entry.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_chosen_by_name_and_unknown_names_are_refused() {
        assert_eq!(choose(&[]).unwrap().len(), figures::ALL.len());
        let one = choose(&["lapse".to_owned()]).unwrap();
        assert_eq!(one.iter().map(|entry| entry.name).collect::<Vec<_>>(), ["lapse"]);
        assert!(choose(&["nothing".to_owned()]).err().unwrap().to_string().contains("hot-pool"));
    }
}
