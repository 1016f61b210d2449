//! PostgreSQL servers started for a while.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use lastseat_scratch::{Postgres, Replication, wait_until};

/// The first column of the first row.
fn one(server: &Postgres, text: &str) -> String {
    server.sql("postgres", text).unwrap()[0][0].clone().unwrap()
}

#[test]
fn a_fresh_server_has_defaults_except_for_what_was_set() {
    let server = Postgres::builder()
        .set("max_connections", "200")
        .set("max_connections", "300")
        .set("cluster_name", "the shop's")
        .start()
        .unwrap();
    assert_eq!(one(&server, "SHOW max_connections"), "300");
    assert_eq!(one(&server, "SHOW cluster_name"), "the shop's");
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(one(&server, &format!("SHOW {setting}")), "on");
    }
    assert_eq!(one(&server, "SHOW server_encoding"), "UTF8");
    let rows = server.sql("postgres", "SELECT 1, NULL; SELECT 'two', ''").unwrap();
    assert_eq!(rows, [[Some("1".to_owned()), None], [Some("two".to_owned()), Some(String::new())]]);
}

#[test]
fn databases_of_one_server_know_nothing_of_each_other() {
    let server = Postgres::start().unwrap();
    let url = server.create_database("first").unwrap();
    assert_eq!(url, server.url_of("first"));
    server.create_database("second").unwrap();
    server.sql("first", "CREATE TABLE seats (no int)").unwrap();
    let error = format!("{:#}", server.sql("second", "SELECT * FROM seats").unwrap_err());
    assert!(error.contains("\"seats\" does not exist"), "{error}");
    assert!(server.create_database("not \"plain\"").is_err());
}

#[tokio::test]
async fn the_socket_answers_and_a_wrong_password_opens_nothing() {
    let server = Postgres::start().unwrap();
    for url in [server.url(), server.socket_url_of("postgres")] {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.simple_query("SELECT 1").await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        let (start, rest) = url.split_once('@').unwrap();
        let wrong = format!("{start}x@{rest}");
        let Err(error) = tokio_postgres::connect(&wrong, tokio_postgres::NoTls).await else {
            panic!("a wrong password opens {wrong}");
        };
        assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::INVALID_PASSWORD));
    }
}

#[test]
fn what_was_committed_survives_each_way_to_stop() {
    let mut server = Postgres::start().unwrap();
    let (url, first) = (server.url(), server.process_id());
    server.sql("postgres", "CREATE TABLE seats (no int); INSERT INTO seats VALUES (1)").unwrap();

    server.stop_immediate().unwrap();
    assert!(server.sql("postgres", "SELECT 1").is_err());
    server.start_again().unwrap();
    assert!(server.log().contains("not properly shut down"), "{}", server.log());
    server.sql("postgres", "INSERT INTO seats VALUES (2)").unwrap();

    server.kill().unwrap();
    server.start_again().unwrap();
    server.sql("postgres", "INSERT INTO seats VALUES (3)").unwrap();

    server.stop_fast().unwrap();
    server.start_again().unwrap();
    assert_eq!(one(&server, "SELECT count(*) FROM seats"), "3");
    assert_eq!(server.url(), url);
    assert_ne!(server.process_id(), first);
    assert!(server.start_again().is_err(), "it runs already");
}

#[test]
fn nobody_else_may_look_into_a_servers_directory() {
    let server = Postgres::start().unwrap();
    let found = std::fs::metadata(server.data_dir().parent().unwrap()).unwrap();
    assert_eq!(found.mode() & 0o077, 0);
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let server = Postgres::start().unwrap();
    server.pause().unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.sql("postgres", "SELECT 1").unwrap().len());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!asking.is_finished());
        server.resume();
        assert_eq!(asking.join().unwrap(), 1);
    });
}

#[test]
fn replicas_follow_and_one_can_be_promoted() {
    let mut primary = Postgres::builder().set("max_connections", "120").start().unwrap();
    primary.sql("postgres", "CREATE TABLE seats (no int)").unwrap();
    let waited_for = primary.replica(Replication::Synchronous).unwrap();
    let other = primary.replica(Replication::Asynchronous).unwrap();
    let states = primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication ORDER BY 1").unwrap();
    assert_eq!(states, [[Some("async".to_owned())], [Some("sync".to_owned())]]);

    primary.sql("postgres", "INSERT INTO seats VALUES (1)").unwrap();
    for replica in [&waited_for, &other] {
        wait_until(Duration::from_secs(10), "the row", || {
            (one(replica, "SELECT count(*) FROM seats") == "1").then_some(())
        })
        .unwrap();
        let error = format!("{:#}", replica.sql("postgres", "INSERT INTO seats VALUES (2)").unwrap_err());
        assert!(error.contains("read-only"), "{error}");
    }
    assert!(primary.promote().is_err(), "it is one");
    assert_eq!(one(&waited_for, "SHOW max_connections"), "120");

    // The one that was copied while the primary already waited for another: it must not go on waiting for that.
    primary.stop_immediate().unwrap();
    other.promote().unwrap();
    other.sql("postgres", "INSERT INTO seats VALUES (2)").unwrap();
    let url = Postgres::url_of_any(&[&primary, &waited_for, &other], "postgres");
    assert_eq!(url.matches("127.0.0.1:").count(), 3);
    // The client is led past the one that is down and the one that takes no writes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one("WITH new AS (INSERT INTO seats VALUES (3)) SELECT count(*) FROM seats", &[]).await
    });
    assert_eq!(count.unwrap().get::<_, i64>(0), 2, "the snapshot is older than the insertion");
}

#[test]
fn many_start_at_once_on_ports_of_their_own() {
    let servers: Vec<Postgres> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(|| Postgres::start().unwrap())).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let ports: std::collections::BTreeSet<String> =
        servers.iter().map(|server| one(server, "SHOW port")).collect();
    assert_eq!(ports.len(), servers.len());
    assert!(servers.iter().all(|server| ports.contains(&server.port().to_string())));
}

#[test]
fn a_dropped_server_is_gone_with_its_data_even_when_paused() {
    for paused in [false, true] {
        let server = Postgres::start().unwrap();
        let (id, data) = (server.process_id(), server.data_dir());
        if paused {
            server.pause().unwrap();
        }
        let start = Instant::now();
        drop(server);
        assert!(start.elapsed() < Duration::from_secs(30), "it is not waited for");
        assert!(!data.exists());
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }
}
