//! `lastseat bench race`.

use std::time::Duration;

use lastseat_bench::race::{self, DEFAULT_THINK_MS, Strategy};

use crate::failure::Failure;
use crate::options::not_supported;

/// Strategies that are planned and not there yet.
const PLANNED: &[&str] =
    &["naive", "for-update", "optimistic", "guarded-update", "skip-locked", "redis-lock"];
/// The name for all of them.
const ALL: &str = "all";

const EXAMPLES: &str = "\
Each user looks, thinks, books, and begins again until refused as sold out. This version has the
strategy lastseat: the engine in this process, on a fresh file. Exit code 1: lastseat oversold.

Example:
  lastseat bench race --strategy lastseat --users 200 --capacity 1000 --think-ms 0";

/// The race laboratory: strategies against overselling, side by side
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which strategy; all compares those there are
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
    /// A PostgreSQL database to race on; this version does not support it yet
    #[arg(long, value_name = "URL", hide_short_help = true)]
    database_url: Option<String>,
    /// A Redis server to race on; this version does not support it yet
    #[arg(long, value_name = "URL", hide_short_help = true)]
    redis_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let strategies = strategies(&args.strategy)?;
    let instead = "the strategy lastseat needs none";
    if args.database_url.is_some() {
        return Err(not_supported("database-url", "races on PostgreSQL", instead));
    }
    if args.redis_url.is_some() {
        return Err(not_supported("redis-url", "races on Redis", instead));
    }
    let (users, capacity) = (race::MAX_USERS, race::MAX_CAPACITY);
    if !(1..=users).contains(&args.users) || !(1..=capacity).contains(&args.capacity) {
        return Err(Failure::usage(format_args!("--users must be 1 to {users}, --capacity 1 to {capacity}")));
    }
    let think = Duration::from_millis(args.think_ms);
    let options = race::Options { strategies, users: args.users, capacity: args.capacity, think };
    let report = race::run(&options).await?;
    super::print(&report, args.json)?;
    super::judge(report.lastseat_oversold())
}

fn strategies(name: &str) -> Result<Vec<Strategy>, Failure> {
    if name == ALL {
        return Ok(Strategy::ALL.to_vec());
    }
    match name.parse() {
        Ok(strategy) => Ok(vec![strategy]),
        Err(_) if PLANNED.contains(&name) => Err(Failure::usage(format_args!(
            "--strategy {name}: this version of lastseat does not have this strategy yet; there is lastseat"
        ))),
        Err(wrong) => Err(Failure::usage(format_args!("--strategy: {wrong}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_that_are_not_there_are_told_apart_from_those_that_never_will_be() {
        assert_eq!(strategies("lastseat").unwrap(), [Strategy::Lastseat]);
        assert_eq!(strategies("all").unwrap(), Strategy::ALL);
        for name in PLANNED {
            assert!(strategies(name).unwrap_err().to_string().contains("yet"), "{name}");
        }
        assert!(!strategies("hope").unwrap_err().to_string().contains("yet"));
    }
}
