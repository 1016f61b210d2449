//! What may be wrong with a database when a node is started: one sentence that says what to do, an exit code, and no
//! secret anywhere.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lastseat_testkit::{Replication, free_port, lastseat_command};

use crate::shop::{DATABASE, node, password, postgres};

/// The password of the URLs.
const PASSWORD: &str = "hunter2-and-more";

/// The longest that a start may take that cannot succeed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest sentence, in characters.
const SENTENCE: usize = 400;

fn lastseat(args: &[&str], url: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command: Command = lastseat_command().unwrap();
    command.args(args).args(["--database-url", url]).current_dir(dir.path());
    if args[0] == "serve" {
        command.args(["--listen", "127.0.0.1:0", "--log-level", "trace"]);
    }
    command.output().unwrap()
}

/// Asserts that this ends with that code and one sentence with these words, and tells no secret.
#[track_caller]
fn refused(args: &[&str], url: &str, secret: &str, code: i32, words: &str) {
    let begun = Instant::now();
    let output = lastseat(args, url);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let what = format!("{args:?} with {words:?} ended with {:?}: {out}{err}", output.status.code());
    assert_eq!(output.status.code(), Some(code), "{what}");
    assert!(err.contains(words), "{what}");
    assert!(!out.contains(secret) && !err.contains(secret), "a secret is told: {what}");
    // What is logged on the way, with everything logged, is not what is said in the end.
    let said: Vec<&str> = err.lines().filter(|line| line.starts_with("lastseat: ")).collect();
    assert_eq!(said.len(), 1, "{what}");
    assert!(said[0].chars().count() < SENTENCE && !err.contains("panicked"), "{what}");
    assert!(out.is_empty() && begun.elapsed() < PATIENCE, "{what}");
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_one_sentence_and_no_secret() {
    let postgres = postgres();
    let secret = password(&postgres);
    let foreign = postgres.create_database("foreign_tables").unwrap();
    postgres.sql("foreign_tables", "CREATE TABLE customers (id int)").unwrap();
    let newer = postgres.create_database("newer").unwrap();
    postgres
        .sql("newer", "CREATE TABLE lastseat_schema (version int); INSERT INTO lastseat_schema VALUES (99)")
        .unwrap();
    let missing = postgres.url_of("missing");
    let empty = postgres.create_database("empty").unwrap();
    let replica = postgres.replica(Replication::Asynchronous).unwrap();
    for verb in ["serve", "verify"] {
        refused(&[verb], &foreign, &secret, 2, "another application");
        refused(&[verb], &newer, &secret, 3, "schema version 99");
        refused(&[verb], &missing, &secret, 2, "\"missing\" does not exist");
    }
    refused(&["verify"], &empty, &secret, 2, "no tables of Lastseat");
    refused(&["serve"], &replica.url_of("empty"), &secret, 2, "read-only");
    let wrong = format!("postgres://lastseat:{PASSWORD}@{}/empty", postgres.address());
    refused(&["serve"], &wrong, PASSWORD, 2, "password authentication failed");
    // No host takes writes at the moment; one may be promoted.
    let any = format!("{}?target_session_attrs=read-write", replica.url_of("empty"));
    refused(&["serve"], &any, &secret, 3, "does not allow writes");
}

#[test]
fn a_url_that_makes_no_sense_or_leads_nowhere_is_refused_with_one_sentence_and_no_secret() {
    let nobody = free_port().unwrap();
    let with = |rest: &str| format!("postgres://app:{PASSWORD}@{rest}");
    for verb in ["serve", "verify"] {
        refused(&[verb], &with(&format!("127.0.0.1:{nobody}/shop")), PASSWORD, 3, "cannot reach PostgreSQL");
        refused(&[verb], &with("no-such-host.invalid/shop"), PASSWORD, 3, "cannot reach PostgreSQL");
        refused(&[verb], &with("127.0.0.1/shop?colour=red"), PASSWORD, 2, "colour");
        refused(&[verb], &with("127.0.0.1:many/shop"), PASSWORD, 2, "port");
        refused(&[verb], &with("127.0.0.1"), PASSWORD, 2, "no database");
        refused(&[verb], "postgres:///shop", PASSWORD, 2, "no host");
        refused(&[verb], "postgres://", PASSWORD, 2, "database URL");
        refused(&[verb], &format!("mysql://app:{PASSWORD}@127.0.0.1/shop"), PASSWORD, 2, "postgres://");
        refused(&[verb], &format!("the one with {PASSWORD}"), PASSWORD, 2, "postgres://");
        refused(&[verb], "", PASSWORD, 2, "database URL");
    }
}

#[test]
fn a_server_that_lets_nobody_in_is_told_of_and_keeps_nobody_from_another_one() {
    // Its kernel takes connections, and nobody behind it answers: a machine that hangs.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = listener.local_addr().unwrap();
    refused(
        &["serve"],
        &format!("postgres://app:{PASSWORD}@{hangs}/shop?connect_timeout=1"),
        PASSWORD,
        3,
        "does not answer",
    );
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let other = postgres.address().to_string();
    let any = url.replace(&other, &format!("{hangs},{other}")) + "?connect_timeout=1";
    drop(node(&any).start().unwrap());
}

#[test]
fn the_password_of_the_database_is_never_shown() {
    let postgres = postgres();
    let secret = password(&postgres);
    let url = postgres.create_database(DATABASE).unwrap();
    for args in [&["config"][..], &["config", "--json"]] {
        let output = lastseat(args, &url);
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && text.contains("database_url"), "{text}");
        assert!(!text.contains(&secret), "{text}");
    }
    // With everything logged, a database that goes away and comes back.
    let mut postgres = postgres;
    let mut node = node(&url).args(["--log-level", "trace"]).start().unwrap();
    postgres.stop_immediate().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    postgres.start_again().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(node.terminate().unwrap(), 0);
    let said = format!("{}{}", node.stdout(), node.stderr());
    assert!(said.contains("serving") && !said.contains(&secret), "{said}");
}
