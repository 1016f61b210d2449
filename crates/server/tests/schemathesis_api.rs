//! The API against its own description: schemathesis reads `/openapi.json` of the real binary, asks whatever it
//! permits and forbids, and looks at each answer.
#![allow(clippy::print_stdout, reason = "what a test prints is shown when it fails")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod real;
#[path = "schemathesis/things.rs"]
mod things;

use std::collections::BTreeMap;
use std::process::Command;

use lastseat_testkit::{TestServer, python_tool};
use real::{Api, ask};
use serde_json::{Value, json};

/// The key under which it asks.
const KEY: &str = "lsk_of-a-test-of-the-whole-api";
/// How long a run lasts that makes up everything, in seconds.
const SECONDS: &str = "80";
/// How long one lasts that is led.
const LED_SECONDS: &str = "50";
/// Most cases of one operation in one phase.
const CASES: &str = "30";
/// What requests are drawn from.
const SEED: &str = "1";
/// How many events it makes at least where it is led, and of how many kinds.
const LEAST_CHANGES: (usize, usize) = (250, 10);
/// The directory of `hooks.py` and of what it must not expect.
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis");

fn start() -> TestServer {
    // So that logs are read afterwards: what is an error there is one here.
    TestServer::builder().env("LASTSEAT_ADMIN_KEY", KEY).args(["--log-level", "warn"]).start().unwrap()
}

/// Runs it with these arguments; it must find nothing, and leave a server that is well.
async fn run(server: &TestServer, things: &Value, seconds: &str, args: &[&str]) {
    let api = Api { admin: KEY.to_owned(), ..Api::of(server) };
    let keys = ask(api.get("/v1/keys").bearer_auth(KEY)).await.ok(200).json;
    let own_key = keys["items"][0]["id"].as_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(python_tool("schemathesis").unwrap());
    command.current_dir(dir.path()).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", HOOKS);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("THINGS", things.to_string()).env("OWN_KEY", own_key);
    command
        .args(["--config-file", &format!("{HOOKS}/schemathesis.toml"), "run"])
        .arg(server.url("/openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {KEY}")]);
    command.args(["--max-time", seconds, "--max-examples", CASES, "--seed", SEED, "--request-timeout", "30"]);
    command.args(["--no-color", "--warnings", "off", "--continue-on-failure"]).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.lines().rev().take(8).collect::<Vec<_>>().join("\n"));

    ask(api.get("/readyz")).await.ok(200);
    ask(api.get("/v1/keys").bearer_auth(KEY)).await.ok(200);
    let log = server.stderr();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    server.verify().unwrap();
}

/// Whatever the description permits or forbids.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_fault_in_the_answers_to_what_it_makes_up() {
    let server = start();
    run(&server, &json!({}), SECONDS, &[]).await;
}

/// Led to what there is, so that requests get further than to "not found".
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_fault_in_the_answers_about_what_there_is() {
    let server = start();
    let api = Api { admin: KEY.to_owned(), ..Api::of(&server) };
    let things = things::things(&server).await;
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_headers_conformance,response_schema_conformance";
    let before = api.events("").await.0.len();
    run(&server, &things, LED_SECONDS, &["--checks", checks]).await;
    let events = api.events("").await.0.split_off(before);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        *kinds.entry(event["type"].as_str().unwrap()).or_default() += 1;
    }
    // How many requests fit into its time differs with the load of the machine: this has been 1,063 to 1,490, of 15 kinds.
    println!("{} events: {kinds:?}", events.len());
    let (least, of_kinds) = LEAST_CHANGES;
    let is_enough = events.len() >= least && kinds.len() >= of_kinds;
    assert!(is_enough, "its requests changed too little: {} events, {kinds:?}", events.len());
}
