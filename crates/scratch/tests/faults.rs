//! Lines to PostgreSQL that break around a commit.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::time::Duration;

use lastseat_scratch::{Fault, Postgres, Proxy, wait_until};
use tokio_postgres::{Client, NoTls};

/// How long to wait for something that must come.
const SOON: Duration = Duration::from_secs(10);

/// How long to wait for something that must not come.
const NOT_SOON: Duration = Duration::from_millis(300);

struct Scene {
    proxy: Proxy,
    postgres: Postgres,
}

impl Scene {
    fn set() -> Self {
        let postgres = Postgres::start().unwrap();
        postgres.sql("postgres", "CREATE TABLE seats (no int)").unwrap();
        let proxy = Proxy::start(postgres.address(), Duration::from_millis(1)).unwrap();
        Self { proxy, postgres }
    }

    /// A client in a transaction that takes a seat, whose commit will meet the fault.
    async fn client_before_commit(&self, fault: Fault) -> Client {
        let url = self.postgres.url_through(&self.proxy, "postgres");
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        self.proxy.arm(b"COMMIT", fault);
        client.batch_execute("BEGIN; INSERT INTO seats VALUES (1)").await.unwrap();
        client
    }

    fn seats(&self) -> String {
        self.postgres.sql("postgres", "SELECT count(*) FROM seats").unwrap()[0][0].clone().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_swallowed_has_happened() {
    let scene = Scene::set();
    let client = scene.client_before_commit(Fault::SwallowAnswers).await;
    let commit = tokio::spawn(async move { client.batch_execute("COMMIT").await });
    wait_until(SOON, "the seat", || (scene.seats() == "1").then_some(())).unwrap();
    tokio::time::sleep(NOT_SOON).await;
    assert!(!commit.is_finished(), "the client waits");
    scene.proxy.cut();
    let error = commit.await.unwrap().unwrap_err();
    assert!(error.as_db_error().is_none(), "the server refused nothing: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_commit_happens_after_its_client_has_given_up() {
    let scene = Scene::set();
    let client = scene.client_before_commit(Fault::HoldRequests).await;
    let commit = tokio::time::timeout(NOT_SOON, client.batch_execute("COMMIT")).await;
    assert!(commit.is_err() && scene.proxy.has_struck());
    drop(client);
    tokio::time::sleep(NOT_SOON).await;
    assert_eq!(scene.seats(), "0");
    scene.proxy.heal();
    wait_until(SOON, "the seat", || (scene.seats() == "1").then_some(())).unwrap();
    wait_until(SOON, "the connection's end", || (scene.proxy.connections() == 0).then_some(())).unwrap();
}
