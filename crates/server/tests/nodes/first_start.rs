//! Several nodes start at once.

use std::time::Duration;

use lastseat_testkit::TestServer;
use tokio_postgres::NoTls;

use crate::real::{Api, booking, places};
use crate::shop::{DATABASE, postgres};

/// Nodes that start at once.
const NODES: usize = 3;

/// The lock under which the schema is changed, as in the store.
const MIGRATION_LOCK: i64 = 0x4c53_4541_7365_6174;

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_schema_and_one_admin_key_and_all_serve() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    // Somebody else is at it: all wait, then all go at the same instant.
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.unwrap();
    let starts: Vec<_> = (0..NODES)
        .map(|_| {
            let node = TestServer::builder().database_url(&url);
            std::thread::spawn(move || node.start())
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let all = lastseat_testkit::wait_until_async(Duration::from_secs(30), "nodes that wait", async || {
        let waiting = postgres.sql(DATABASE, waiting).unwrap();
        (waiting[0][0].as_deref() == Some("3")).then_some(())
    });
    all.await.unwrap();
    drop(client);
    let join = || starts.into_iter().map(|start| start.join().unwrap().unwrap()).collect();
    let nodes: Vec<TestServer> = tokio::task::block_in_place(join);

    let keys: Vec<String> = nodes.iter().filter_map(|node| node.admin_key().ok()).collect();
    assert_eq!(keys.len(), 1, "one node has made the key: {keys:?}");
    let shown: usize = nodes.iter().map(|node| node.stderr().matches("admin key: ").count()).sum();
    assert_eq!(shown, 1, "it is shown once");
    let count = |table: &str| postgres.sql(DATABASE, &format!("SELECT count(*) FROM {table}")).unwrap();
    assert_eq!(count("api_keys")[0][0].as_deref(), Some("1"));
    assert_eq!(count("lastseat_schema")[0][0].as_deref(), Some("1"));
    assert_eq!(count("event_log")[0][0].as_deref(), Some("1"));
    assert_eq!(count("meta")[0][0].as_deref(), Some("2"));

    for node in &nodes {
        let api = Api { admin: keys[0].clone(), ..Api::of(node) };
        let listing = api.listing(&places(3)).await;
        api.book(&booking(&listing, "somebody")).await;
    }
    nodes[0].verify().unwrap();
}
