//! Races on a real PostgreSQL and a real Redis.

use std::time::{Duration, Instant};

use lastseat_bench::race::{self, Ground, Options, Run, Strategy};
use lastseat_scratch::Postgres;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

fn options(users: usize, capacity: i64, think_ms: u64) -> Options {
    Options { users, capacity, think: Duration::from_millis(think_ms), limit: None }
}

/// Runs one strategy on `postgres`, and checks that nothing of it is left there.
fn run_on(postgres: &Postgres, strategy: Strategy, options: Options) -> anyhow::Result<Run> {
    let ground = Ground::prepare(&[strategy], Some(&postgres.url()), None)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let run = runtime.block_on(race::run(strategy, &options, &ground, &CancellationToken::new()))?;
    let left = schemas_left(postgres)?;
    anyhow::ensure!(left == 0, "{left} schemas are left after {run:?}");
    Ok(run)
}

fn schemas_left(postgres: &Postgres) -> anyhow::Result<usize> {
    let sql = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lastseat_race_%'";
    Ok(postgres.sql("postgres", sql)?.len())
}

#[test]
fn every_strategy_but_naive_sells_exactly_what_there_is() {
    let postgres = Postgres::start().unwrap();
    for strategy in Strategy::ALL {
        if strategy == Strategy::Naive {
            continue;
        }
        let run = run_on(&postgres, strategy, options(50, 123, 0)).unwrap();
        assert_eq!((run.sold, run.refused, run.oversold), (123, 50, 0), "{run:?}");
        assert!(run.bookings_per_second > 0.0 && run.p99_ms >= run.p50_ms && run.p50_ms > 0.0, "{run:?}");
        assert!(run.notes.is_empty(), "{run:?}");
    }
}

#[test]
fn naive_sells_the_last_place_to_everybody_who_was_thinking() {
    let postgres = Postgres::start().unwrap();
    let run = run_on(&postgres, Strategy::Naive, options(20, 1, 200)).unwrap();
    // All 20, unless the machine is so busy that some come when the first has booked.
    assert!(run.oversold > 0 && run.sold == 1 + run.oversold && run.errors == 0, "{run:?}");
}

#[test]
fn who_knows_about_locks_thinks_before_taking_them() {
    let postgres = Postgres::start().unwrap();
    for strategy in [Strategy::ForUpdate, Strategy::RedisLock, Strategy::Lastseat] {
        let begun = Instant::now();
        let run = run_on(&postgres, strategy, options(10, 20, 300)).unwrap();
        assert_eq!((run.sold, run.refused, run.oversold), (20, 10, 0), "{run:?}");
        // Two bookings and a refusal each, if all think at the same time; thirty in a row would take nine seconds.
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(9), "{took:?}");
        assert!(run.p50_ms < 300.0, "thinking is not waiting: {run:?}");
    }
}

#[test]
fn who_compares_sees_our_engine_on_postgresql_and_on_sqlite() {
    let postgres = Postgres::start().unwrap();
    let compared = [Strategy::GuardedUpdate, Strategy::Lastseat];
    let ground = Ground::prepare(&compared, Some(&postgres.url()), None).unwrap();
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (options, stop) = (options(20, 50, 0), CancellationToken::new());
    let report = runtime.block_on(race::run_all(&compared, &options, &ground, &stop, |_| {})).unwrap();
    let rows: Vec<_> =
        report.runs.iter().map(|run| (run.strategy.as_str(), run.store.as_str(), run.sold)).collect();
    let wanted =
        [("guarded-update", "PostgreSQL", 50), ("lastseat", "PostgreSQL", 50), ("lastseat", "SQLite", 50)];
    assert_eq!(rows, wanted);
    assert_eq!(schemas_left(&postgres).unwrap(), 0);
}

#[test]
fn a_database_that_another_application_uses_can_be_raced_on() {
    let postgres = Postgres::start().unwrap();
    postgres.sql("postgres", "CREATE TABLE bookings (id bigint); INSERT INTO bookings VALUES (7)").unwrap();
    for strategy in [Strategy::ForUpdate, Strategy::Lastseat] {
        let run = run_on(&postgres, strategy, options(5, 10, 0)).unwrap();
        assert_eq!((run.store.as_str(), run.sold, run.oversold), ("PostgreSQL", 10, 0), "{run:?}");
    }
    let found = postgres.sql("postgres", "SELECT id FROM bookings").unwrap();
    assert_eq!(found, [[Some("7".to_owned())]], "theirs is as it was");
}

#[test]
fn users_beyond_the_connections_wait_for_one() {
    let postgres = Postgres::builder().set("max_connections", "20").start().unwrap();
    let run = run_on(&postgres, Strategy::GuardedUpdate, options(300, 400, 0)).unwrap();
    assert_eq!((run.sold, run.refused, run.errors, run.oversold), (400, 300, 0, 0), "{run:?}");
    assert!(run.notes[0].contains("connections instead of 128"), "{run:?}");
}

#[test]
fn a_race_that_is_stopped_or_has_a_limit_leaves_nothing_behind() {
    let postgres = Postgres::start().unwrap();
    for strategy in Strategy::ALL {
        let limit = Some(Duration::from_millis(300));
        let run = run_on(&postgres, strategy, Options { limit, ..options(30, 200_000, 0) }).unwrap();
        assert!(run.sold > 0 && run.sold < 200_000 && run.refused == 0, "{run:?}");
    }
}

#[test]
fn a_database_that_is_not_there_is_told_in_a_sentence() {
    let url = "postgres://somebody:secret@127.0.0.1:9/nothing";
    let ground = Ground::prepare(&[Strategy::ForUpdate], Some(url), None).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let stop = CancellationToken::new();
    let run = runtime.block_on(race::run(Strategy::ForUpdate, &options(1, 1, 0), &ground, &stop));
    let told = format!("{:#}", run.unwrap_err());
    assert!(told.contains("cannot connect to the PostgreSQL") && !told.contains("secret"), "{told}");
}
