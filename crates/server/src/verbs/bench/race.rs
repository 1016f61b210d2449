//! `lastseat bench race`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lastseat_bench::race::{self, CancellationToken, DEFAULT_THINK_MS, Ground, GroundError, Strategy, chart};

use crate::failure::Failure;
use crate::options::Secret;
use crate::output;
use crate::serving::{EXIT_CODE, Signals};

/// The name for all of them.
const ALL: &str = "all";

const EXAMPLES: &str = "\
Strategies:
  naive           read, think, write; it oversells
  for-update      SELECT ... FOR UPDATE, then the booking
  optimistic      a version column, and up to 10 tries
  guarded-update  one conditional statement that counts and inserts
  skip-locked     a row per place, FOR UPDATE SKIP LOCKED LIMIT 1
  redis-lock      SET NX PX 5000, 10 retries 50 ms apart, then the transaction
  lastseat        this program's engine, in this process: on PostgreSQL with --database-url, else
                  on a file; all shows both

Each user thinks, books, and begins again until refused as sold out. Everything happens in a
schema of its own, which is dropped afterwards. Without --database-url and --redis-url the
strategies that need them race on servers that are started in temporary directories, if the
programs are installed (Debian: postgresql, redis-server). Ctrl-C ends the race, cleans up,
and prints what there is.
Exit code 1: lastseat oversold.

Examples:
  lastseat bench race --strategy naive --users 20 --capacity 1
  lastseat bench race --strategy all --users 128 --capacity 5000 --think-ms 0 --svg race.svg";

/// The race laboratory: strategies against overselling, side by side
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which strategy; all compares them
    #[arg(long, value_name = "NAME", default_value = "lastseat")]
    strategy: String,
    /// How many users
    #[arg(long, value_name = "N", default_value_t = 100)]
    users: usize,
    /// How many places
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    capacity: i64,
    /// How long each thinks between looking and booking
    #[arg(long, value_name = "MS", default_value_t = DEFAULT_THINK_MS)]
    think_ms: u64,
    /// A PostgreSQL database to race on [default: one of our own]
    #[arg(long, value_name = "URL")]
    database_url: Option<Secret>,
    /// A Redis server to race on [default: one of our own]
    #[arg(long, value_name = "URL")]
    redis_url: Option<Secret>,
    /// Write a chart there
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let strategies = strategies(&args.strategy)?;
    let (users, capacity) = (race::MAX_USERS, race::MAX_CAPACITY);
    if !(1..=users).contains(&args.users) || !(1..=capacity).contains(&args.capacity) {
        return Err(Failure::usage(format_args!("--users must be 1 to {users}, --capacity 1 to {capacity}")));
    }
    let think = Duration::from_millis(args.think_ms);
    let options = race::Options { users: args.users, capacity: args.capacity, think, limit: None };
    let stop = CancellationToken::new();
    tokio::spawn(stop_when_told(Signals::new()?, stop.clone()));
    let ground = prepare(strategies.clone(), args.database_url, args.redis_url).await?;
    output::say(&format!("racing on {ground}"));
    let begins = |strategy: Strategy| output::say(&format!("{} ...", strategy.as_str()));
    let report = race::run_all(&strategies, &options, &ground, &stop, begins).await?;
    super::print(&report, args.json)?;
    if args.json {
        report.notes().iter().for_each(|note| output::say(note));
    }
    if let Some(file) = args.svg {
        write_chart(&file, &report)?;
    }
    super::judge(report.lastseat_oversold())
}

/// The first signal ends the race; whoever sends a second one does not want to wait for that.
async fn stop_when_told(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    output::say("stopping");
    stop.cancel();
    signals.next().await;
    std::process::exit(EXIT_CODE);
}

/// The databases, on a thread that may wait for servers to start.
async fn prepare(
    strategies: Vec<Strategy>,
    database_url: Option<Secret>,
    redis_url: Option<Secret>,
) -> Result<Ground, Failure> {
    let prepared = tokio::task::spawn_blocking(move || {
        let url = |secret: Option<Secret>| secret.map(|Secret(url)| url);
        let (database_url, redis_url) = (url(database_url), url(redis_url));
        Ground::prepare(&strategies, database_url.as_deref(), redis_url.as_deref())
    });
    match prepared.await.context("cannot prepare the race")? {
        Ok(ground) => Ok(ground),
        Err(wrong @ (GroundError::DatabaseUrl { .. } | GroundError::RedisUrl { .. })) => {
            Err(Failure::usage(wrong))
        }
        Err(missing @ GroundError::NoServer { .. }) => Err(Failure::unable(missing)),
    }
}

fn write_chart(file: &Path, report: &race::Report) -> Result<(), Failure> {
    std::fs::write(file, chart::draw(report)).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

fn strategies(name: &str) -> Result<Vec<Strategy>, Failure> {
    if name == ALL {
        return Ok(Strategy::ALL.to_vec());
    }
    let one = name.parse::<Strategy>();
    one.map(|strategy| vec![strategy])
        .map_err(|wrong| Failure::usage(format_args!("--strategy: {wrong}, and {ALL}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_one_or_all_and_nothing_else() {
        assert_eq!(strategies("skip-locked").unwrap(), [Strategy::SkipLocked]);
        assert_eq!(strategies("all").unwrap(), Strategy::ALL);
        let wrong = strategies("hope").unwrap_err().to_string();
        assert!(
            wrong.contains("there is no strategy hope") && wrong.contains("lastseat, and all"),
            "{wrong}"
        );
    }
}
