//! `lastseat bench`.

use crate::kit::command;
use crate::kit::{create_listing, finish, lastseat, places, server};

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
fn strategies_and_stores_that_are_not_there_yet_are_refused() {
    let race = |args: &[&str]| lastseat(&[["bench", "race"].as_slice(), args].concat());
    race(&["--strategy", "naive"]).refused(2, "does not have this strategy yet");
    race(&["--strategy", "hope"]).refused(2, "there is no strategy hope");
    race(&["--database-url", "postgres://x"]).refused(2, "does not support");
    race(&["--users", "0"]).refused(2, "--users");
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
