//! `lastseat bench`.

use std::time::Duration;

use lastseat_scratch::{Postgres, Process, wait_until};
use rustix::process::Signal;

use crate::kit::command;
use crate::kit::{create_listing, finish, lastseat, places, server};

/// How long things may take that take a second.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn a_race_of_the_engine_sells_exactly_what_there_is() {
    let args = [
        "bench",
        "race",
        "--strategy",
        "lastseat",
        "--users",
        "20",
        "--capacity",
        "50",
        "--think-ms",
        "0",
        "--json",
    ];
    let report = lastseat(&args).ok().json();
    let run = &report["runs"][0];
    assert_eq!(
        (run["strategy"].as_str(), run["sold"].as_i64(), run["oversold"].as_i64()),
        (Some("lastseat"), Some(50), Some(0))
    );
}

#[test]
fn races_that_cannot_be_run_are_refused_with_what_to_change() {
    let race = |args: &[&str]| lastseat(&[["bench", "race"].as_slice(), args].concat());
    race(&["--strategy", "hope"]).refused(2, "there is no strategy hope");
    race(&["--users", "0"]).refused(2, "--users");
    race(&["--strategy", "naive", "--database-url", "mysql://x"]).refused(2, "--database-url");
    race(&["--strategy", "redis-lock", "--redis-url", "http://x"]).refused(2, "--redis-url");
    let nobody = "postgres://somebody:secret@127.0.0.1:9/nothing";
    let answer = race(&["--strategy", "naive", "--database-url", nobody]).refused(3, "cannot connect");
    assert!(!answer.err.contains("secret"), "{}", answer.err);
}

#[test]
fn the_naive_way_oversells_the_last_place_and_that_is_no_failure_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let chart = dir.path().join("race.svg");
    let mut race = command();
    race.args([
        "bench",
        "race",
        "--strategy",
        "naive",
        "--users",
        "20",
        "--capacity",
        "1",
        "--json",
        "--svg",
    ]);
    let report = finish(race.arg(&chart)).ok().json();
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(1));
    let run = &report["runs"][0];
    let oversold = run["oversold"].as_i64().unwrap();
    assert!(oversold > 0 && run["sold"] == 1 + oversold, "{run}");
    assert!(std::fs::read_to_string(chart).unwrap().contains(&format!("oversold by {oversold}")));
}

#[test]
fn without_its_programs_a_race_says_what_to_install_or_to_name() {
    let mut race = command();
    race.args(["bench", "race", "--strategy", "for-update"]);
    race.env("LASTSEAT_TEST_POSTGRES", "/nowhere").env("PATH", "/nowhere");
    finish(&mut race).refused(3, "--database-url");
}

#[test]
fn a_race_that_is_interrupted_cleans_up_and_says_what_it_has() {
    const SCHEMAS: &str = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lastseat_race_%'";
    const BOOKINGS: &str =
        "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'bookings' AND n_live_tup > 500";
    let postgres = Postgres::start().unwrap();
    let mut race = command();
    race.args([
        "bench",
        "race",
        "--strategy",
        "for-update",
        "--capacity",
        "1000000",
        "--think-ms",
        "0",
        "--json",
    ]);
    race.args(["--database-url", &postgres.url()]);
    let mut race = Process::spawn("the race", race).unwrap();
    wait_until(DEADLINE, "bookings", || postgres.sql("postgres", BOOKINGS).ok()?.pop()).unwrap();
    assert_eq!(race.end_by(Signal::INT, DEADLINE).unwrap().code(), Some(0), "{}", race.stderr());
    let report: serde_json::Value = serde_json::from_str(&race.stdout()).unwrap();
    assert!(report["runs"][0]["sold"].as_i64().unwrap() > 0, "{report}");
    assert!(race.stderr().contains("stopped before all users were refused"), "{}", race.stderr());
    assert!(postgres.sql("postgres", SCHEMAS).unwrap().is_empty());
}

#[test]
fn a_crowd_and_a_steady_load_are_counted() {
    let server = server();
    let listing = create_listing(&server, &places(5));
    let run = |args: &[&str]| {
        finish(command().args(args).args(["--listing", &listing, "--url", &server.base_url()]))
    };
    let crowd = run(&["bench", "crowd", "--users", "20", "--json"]).ok().json();
    assert_eq!((crowd["201"].as_u64(), crowd["409"].as_u64()), (Some(5), Some(15)), "{crowd}");
    let book = run(&["bench", "book", "--rate", "50", "--seconds", "1", "--json"]).ok().json();
    assert_eq!((book["201"].as_u64(), book["409"].as_u64()), (Some(0), Some(50)), "{book}");
    assert!(run(&["bench", "crowd", "--users", "2"]).ok().out.contains("409 refused"));
    run(&["bench", "crowd", "--users", "0"]).refused(2, "--users");
}

#[test]
fn a_server_that_is_not_there_cannot_be_measured() {
    let crowd = |url: &str| lastseat(&["bench", "crowd", "--listing", "lst_1", "--url", url]);
    crowd("http://127.0.0.1:9").refused(3, "is the server running");
    crowd("https://127.0.0.1:9").refused(2, "TLS");
}
