//! Commits whose outcome nobody was told: those that went through, those that did not, those that go through when their
//! client has long given up.

use std::time::Duration;

use lastseat_testkit::{Fault, Postgres, Proxy, TestServer, wait_until_async};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::real::{Answer, Api, ask, booking, places, try_ask};
use crate::shop::{DATABASE, api, node, postgres};

/// How long something that is about to happen may take.
const SOON: Duration = Duration::from_secs(20);

/// What is armed, and stands in the request: the proxy strikes the connection on which a node writes it.
const MARK: &str = "the-one-that-is-struck";

/// A node whose line to the database goes through two proxies, and one with a line of its own.
struct Two {
    postgres: Postgres,
    /// The one beside the node: when it cuts the line, the database does not see that at once.
    proxy: Proxy,
    _beside_database: Proxy,
    far: TestServer,
    near: TestServer,
}

impl Two {
    fn start() -> Self {
        let postgres = postgres();
        let url = postgres.create_database(DATABASE).unwrap();
        let beside_database = Proxy::start(postgres.address(), Duration::ZERO).unwrap();
        let proxy = Proxy::start(beside_database.address(), Duration::ZERO).unwrap();
        let far = node(&postgres.url_through(&proxy, DATABASE)).start().unwrap();
        let near = node(&url).start().unwrap();
        Self { postgres, proxy, _beside_database: beside_database, far, near }
    }

    /// How many bookings there are whose note is the mark.
    fn marked(&self) -> usize {
        let text = format!("SELECT count(*) FROM bookings WHERE note = '{MARK}'");
        self.postgres.sql(DATABASE, &text).unwrap()[0][0].as_ref().unwrap().parse().unwrap()
    }

    async fn struck(&self) {
        let struck = async || self.proxy.has_struck().then_some(());
        wait_until_async(SOON, "the proxy to strike", struck).await.unwrap();
    }
}

fn marked_booking(listing: &str) -> Value {
    let mut body = booking(listing, "somebody");
    body["note"] = MARK.into();
    body
}

fn send(request: RequestBuilder) -> JoinHandle<reqwest::Result<Answer>> {
    tokio::spawn(try_ask(request))
}

/// A request under a key.
fn keyed(api: &Api, listing: &str) -> RequestBuilder {
    api.post("/v1/bookings", &marked_booking(listing)).header("idempotency-key", "struck")
}

/// Holds up whoever writes events, in the middle of the transaction: the commit is on its way behind it.
async fn hold_up_writers(postgres: &Postgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url_of(DATABASE), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE events IN SHARE MODE").await.unwrap();
    client
}

async fn held_up(postgres: &Postgres) {
    let text = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass";
    let held_up = async || (!postgres.sql(DATABASE, text).unwrap().is_empty()).then_some(());
    wait_until_async(SOON, "a writer that waits", held_up).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_and_not_made_twice() {
    let two = Two::start();
    let (far, near) = (api(&two.far), api(&two.near));
    let listing = far.listing(&places(5)).await;
    // Without a key nothing but the batch itself tells what became of it.
    for has_key in [false, true] {
        two.proxy.arm(MARK.as_bytes(), Fault::SwallowAnswers);
        let before = two.marked();
        let first = send(if has_key {
            keyed(&far, &listing)
        } else {
            far.post("/v1/bookings", &marked_booking(&listing))
        });
        two.struck().await;
        let committed = async || (two.marked() == before + 1).then_some(());
        wait_until_async(SOON, "the commit", committed).await.unwrap();
        if has_key {
            // Somebody does not want to wait, and asks elsewhere.
            let again = ask(keyed(&near, &listing)).await.ok(201);
            assert_eq!(again.header("idempotency-replayed"), "true");
        }
        assert!(!first.is_finished(), "the answer was not swallowed");
        // The line breaks at last; the node asks what became of it.
        two.proxy.cut();
        two.proxy.heal();
        let told = first.await.unwrap().unwrap().ok(201);
        assert_eq!(two.marked(), before + 1, "it was made twice");
        let path = format!("/v1/bookings/{}", told.id());
        let seen = ask(near.get(&path).header("booking-token", told.token())).await.ok(200);
        assert_eq!(seen.json["state"], "held");
        if has_key {
            assert_eq!(ask(keyed(&near, &listing)).await.ok(201).id(), told.id());
        }
    }
    let (available, held, _) = near.stock(&listing).await;
    assert_eq!((available, held), (3, 2));
    two.near.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_never_reaches_the_database_is_decided_anew_and_made_once() {
    let two = Two::start();
    let (far, near) = (api(&two.far), api(&two.near));
    let listing = far.listing(&places(5)).await;
    two.proxy.arm(MARK.as_bytes(), Fault::HoldRequests);
    let first = send(far.post("/v1/bookings", &marked_booking(&listing)));
    two.struck().await;
    // The database lets go of a transaction in which nothing happens, and of its locks.
    let begun = std::time::Instant::now();
    near.book(&booking(&listing, "another")).await;
    let waited = begun.elapsed();
    eprintln!("another node waited {waited:?} for the locks of one that was cut off");
    assert!(waited < Duration::from_millis(4_000), "another node waited {waited:?} for its locks");
    let told = first.await.unwrap().unwrap().ok(201);
    two.proxy.heal();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(two.marked(), 1, "what was held came later, and made it once more");
    let path = format!("/v1/bookings/{}", told.id());
    ask(near.get(&path).header("booking-token", told.token())).await.ok(200);
    two.near.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_commits_after_its_node_was_killed_makes_no_duplicate() {
    let mut two = Two::start();
    let (far, near) = (api(&two.far), api(&two.near));
    let listing = far.listing(&places(5)).await;
    let holder = hold_up_writers(&two.postgres).await;
    let first = send(keyed(&far, &listing));
    held_up(&two.postgres).await;
    two.far.kill().unwrap();
    assert!(first.await.unwrap().is_err(), "a killed node has answered");
    // The customer asks elsewhere, while the backend of the dead node still has the locks.
    let again = send(keyed(&near, &listing));
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(two.marked(), 0);
    assert!(!again.is_finished(), "nothing can be decided before the other transaction has ended");
    drop(holder);
    let told = again.await.unwrap().unwrap().ok(201);
    assert_eq!(two.marked(), 1, "it was made twice");
    assert_eq!(told.header("idempotency-replayed"), "true", "the late commit was not seen: {told:?}");
    let (available, held, _) = near.stock(&listing).await;
    assert_eq!((available, held), (4, 1));
    two.near.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_commits_after_its_node_has_given_up_is_waited_for_and_told_of() {
    let two = Two::start();
    let (far, near) = (api(&two.far), api(&two.near));
    let listing = far.listing(&places(5)).await;
    let holder = hold_up_writers(&two.postgres).await;
    // Without a key: nothing but the batch itself tells what became of it.
    let first = send(far.post("/v1/bookings", &marked_booking(&listing)));
    held_up(&two.postgres).await;
    // For the node the line breaks; the backend has its orders, the commit among them, and does not notice.
    two.proxy.cut();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(two.marked(), 0);
    drop(holder);
    let told = first.await.unwrap().unwrap().ok(201);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(two.marked(), 1, "it was made twice");
    let (available, held, _) = near.stock(&listing).await;
    assert_eq!((available, held), (4, 1));
    let path = format!("/v1/bookings/{}", told.id());
    ask(near.get(&path).header("booking-token", told.token())).await.ok(200);
    two.near.verify().unwrap();
}
