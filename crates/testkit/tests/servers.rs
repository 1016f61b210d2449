//! Starting, killing and restarting servers; with a shell script in the place of the real binary.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use lastseat_testkit::{Redis, ServerBuilder, TestServer, wait_until};

/// Behaves at its edges as `lastseat serve --data DIR --listen ADDR` does.
const STAND_IN: &str = r#"#!/bin/sh
data=$3; address=$5
if [ "$1" = verify ]; then echo "{\"ok\": true, \"in\": \"$3\"}"; exit 0; fi
if [ "$6" = --broken ]; then echo "the data directory is of no use" >&2; exit 3; fi
mkdir -p "$data"
[ -f "$data/admin.key" ] || echo "key-of-$$" > "$data/admin.key"
trap 'echo drained >&2; exit 0' TERM
echo "run with $6 in $GREETING, leaking ${LASTSEAT_LEAK:-nothing}" >&2
echo "listening on http://$address"
while :; do sleep 0.02; done
"#;

fn stand_in() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lastseat");
    std::fs::write(&path, STAND_IN).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (dir, path)
}

fn builder(binary: &PathBuf) -> ServerBuilder {
    TestServer::builder().binary(binary).arg("--pace").env("GREETING", "haste")
}

#[test]
fn a_killed_server_comes_back_on_the_same_address_and_data() {
    let (_dir, binary) = stand_in();
    let mut server = builder(&binary).start().unwrap();
    let (url, key) = (server.base_url(), server.admin_key().unwrap());
    assert!(url.starts_with("http://127.0.0.1:"));
    assert!(key.starts_with("key-of-"), "without its newline: {key:?}");

    server.kill().unwrap();
    assert!(!server.is_running());
    server.restart().unwrap();

    assert!(server.is_running());
    assert_eq!((server.base_url(), server.admin_key().unwrap()), (url, key));
    let said = "run with --pace in haste, leaking nothing\n";
    wait_until(Duration::from_secs(5), "both greetings", || {
        (server.stderr() == said.repeat(2)).then_some(())
    })
    .unwrap();
}

#[test]
fn a_terminated_server_drains_and_gives_its_exit_code() {
    let (_dir, binary) = stand_in();
    let mut server = builder(&binary).start().unwrap();
    assert_eq!(server.terminate().unwrap(), 0);
    assert!(server.stderr().ends_with("drained\n"), "{}", server.stderr());
}

#[test]
fn a_paused_server_does_nothing_until_it_goes_on() {
    let (_dir, binary) = stand_in();
    let mut server = builder(&binary).start().unwrap();
    server.pause().unwrap();
    assert!(server.wait_for_end(Duration::from_millis(100)).is_err(), "it is still there");
    let state = || {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", server.process_id())).unwrap();
        status.rsplit_once(") ").unwrap().1.chars().next()
    };
    wait_until(Duration::from_secs(5), "it to stop", || (state() == Some('T')).then_some(())).unwrap();
    server.resume().unwrap();
    assert_eq!(server.terminate().unwrap(), 0);
}

#[test]
fn a_dropped_server_is_gone_with_its_temporary_data() {
    let (_dir, binary) = stand_in();
    let server = builder(&binary).start().unwrap();
    let (id, data) = (server.process_id(), server.data_dir().to_owned());
    assert!(data.is_dir());
    drop(server);
    assert!(!data.exists());
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let (_dir, binary) = stand_in();
    let error = TestServer::builder().binary(&binary).arg("--broken").start().unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("the data directory is of no use"), "{error}");
}

#[test]
fn verify_runs_on_the_servers_own_data() {
    let (_dir, binary) = stand_in();
    let server = builder(&binary).start().unwrap();
    assert_eq!(server.verify().unwrap()["in"], server.data_dir().to_string_lossy().as_ref());
}

#[test]
fn a_server_with_a_database_and_its_verbs_are_told_the_same_url() {
    let (_dir, binary) = stand_in();
    let url = "postgres://127.0.0.1/shop";
    let server = TestServer::builder().binary(&binary).database_url(url).start().unwrap();
    assert_eq!(server.verify().unwrap()["in"], url);
    let said = "run with --database-url in ";
    wait_until(Duration::from_secs(5), "its greeting", || server.stderr().contains(said).then_some(()))
        .unwrap();
    let words: Vec<_> = server.command("verify").get_args().map(ToOwned::to_owned).collect();
    assert_eq!(words, ["verify", "--database-url", url]);
}

#[test]
fn redis_keeps_what_it_acknowledged_through_a_kill() {
    use std::io::{Read, Write};
    let ask = |redis: &Redis, command: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(redis.socket()).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let mut redis = Redis::start().unwrap();
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
    assert!(ask(&redis, "CONFIG GET appendfsync").contains("always"));
    assert_eq!(ask(&redis, "SET seat taken"), "+OK\r\n+OK\r\n");
    redis.kill().unwrap();
    redis.restart().unwrap();
    assert!(ask(&redis, "GET seat").contains("taken"));
    redis.restart_empty().unwrap();
    assert!(!ask(&redis, "GET seat").contains("taken"));
}
