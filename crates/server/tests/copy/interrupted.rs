//! A copy that is killed leaves nothing behind that hinders the next one.

use std::process::Stdio;
use std::time::Duration;

use lastseat_testkit::{Postgres, wait_until};

use crate::{copy, copying, seen, shop, text};

/// How long the copy may take to come to the lock.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a copy until it waits for the table `imports`, which comes late, and kills it there.
fn kill_in_the_middle(postgres: &Postgres, database: &str, from: &str, to: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = postgres.url_of(database);
    let blocker = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE imports IN ACCESS EXCLUSIVE MODE").await.unwrap();
        client
    });
    let mut process = copying(from, to).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass";
    wait_until(LIMIT, "the copy to come to the imports", || {
        (postgres.sql(database, waiting).unwrap()[0][0].as_deref() == Some("1")).then_some(())
    })
    .unwrap();
    assert!(process.try_wait().unwrap().is_none());
    process.kill().unwrap();
    process.wait().unwrap();
    drop(blocker);
    drop(runtime);
}

#[test]
fn a_copy_that_is_killed_in_the_middle_leaves_an_empty_target_and_can_be_made_again() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database("shop").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    tokio::runtime::Runtime::new().unwrap().block_on(shop::fill(&old));
    let old_dir = text(&old);
    // The tables must be there to be locked: a database that was migrated is empty too.
    let migrated =
        lastseat_testkit::lastseat_command().unwrap().args(["migrate", "--database-url", &url]).status();
    assert!(migrated.unwrap().success());

    kill_in_the_middle(&postgres, "shop", &old_dir, &url);
    for table in ["listings", "bookings", "events", "batches", "api_keys"] {
        let rows = postgres.sql("shop", &format!("SELECT count(*) FROM {table}")).unwrap();
        assert_eq!(rows[0][0].as_deref(), Some("0"), "{table}");
    }
    assert_eq!(copy(&old_dir, &url)["was_there"], false);
    seen::assert_same(seen::directory(&old).as_ref(), seen::database(&url).as_ref());

    kill_in_the_middle(&postgres, "shop", &url, &text(&new));
    assert!(new.join("lastseat.db.copying").exists(), "it was in the middle");
    assert!(!new.join("lastseat.db").exists());
    assert_eq!(copy(&url, &text(&new))["was_there"], false);
    seen::assert_same(seen::database(&url).as_ref(), seen::directory(&new).as_ref());
    assert!(!new.join("lastseat.db.copying").exists());
}
