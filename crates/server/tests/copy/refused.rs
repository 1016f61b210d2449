//! What is not copied, and what is said then.

use lastseat_testkit::Postgres;

use crate::real::{booking, places};
use crate::{copy, copying, refused, said, shop, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_needs_an_idle_sound_source_and_an_empty_target() {
    let postgres = Postgres::start().unwrap();
    let url = |name: &str| postgres.create_database(name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let (old_dir, new_dir) = (text(&old), text(&new));
    let shop_url = url("shop");

    let mut server = shop::serve(&old);
    let api = shop::api(&server);
    let listing = api.listing(&places(3)).await;
    api.book(&booking(&listing, "somebody")).await;
    refused(&old_dir, &shop_url, 3, "another server is running");
    assert_eq!(server.terminate().unwrap(), 0);

    refused(&old_dir, &old_dir, 2, "are the same");
    refused(&new_dir, &shop_url, 2, "there is no database in");
    refused(&shop_url, &new_dir, 2, "there are no tables of Lastseat");
    refused(&old_dir, "mysql://app:hunter2@db/shop", 2, "postgres://");
    assert!(!new.exists(), "nothing was made for a copy that was not begun");

    let foreign = url("foreign");
    postgres.sql("foreign", "CREATE TABLE invoices (no integer)").unwrap();
    refused(&old_dir, &foreign, 2, "tables of another application");
    let gone = copying(&old_dir, "postgres://app:hunter2@127.0.0.1:1/shop").output().unwrap();
    assert_eq!(gone.status.code(), Some(3), "{}", said(&gone));
    assert!(
        said(&gone).contains("cannot reach PostgreSQL") && !said(&gone).contains("hunter2"),
        "{}",
        said(&gone)
    );

    let other = url("other");
    let mut node = shop::node(&other);
    refused(&old_dir, &other, 3, "stop all of them first");
    refused(&other, &new_dir, 3, "stop all of them first");
    assert_eq!(node.terminate().unwrap(), 0);
    refused(&old_dir, &other, 2, "there is something else in");

    copy(&old_dir, &shop_url);
    let mut node = shop::node(&shop_url);
    let api = shop::api(&node);
    api.book(&booking(&listing, "somebody else")).await;
    assert_eq!(node.terminate().unwrap(), 0);
    refused(&old_dir, &shop_url, 2, "there is something else in");
    refused(&shop_url, &old_dir, 2, "there is something else in");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_or_cannot_be_held_is_named_and_nothing_is_copied() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database("shop").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old");
    let mut server = shop::serve(&old);
    let api = shop::api(&server);
    let listing = api.listing(&places(3)).await;
    api.book(&booking(&listing, "somebody")).await;
    assert_eq!(server.terminate().unwrap(), 0);
    let file = rusqlite::Connection::open(old.join("lastseat.db")).unwrap();

    file.execute("UPDATE pools SET held = held + 1", []).unwrap();
    refused(&text(&old), &url, 1, "counters are true");
    file.execute("UPDATE pools SET held = held - 1", []).unwrap();

    file.execute("UPDATE api_keys SET name = ?1", ["a\0b"]).unwrap();
    refused(&text(&old), &url, 3, "has a text with a NUL");
    file.execute("UPDATE api_keys SET name = 'admin'", []).unwrap();
    drop(file);
    assert_eq!(copy(&text(&old), &url)["was_there"], false);

    // Whatever is lost or changed on its way is found, and by its table.
    postgres.sql("shop", "UPDATE bookings SET note = 'changed'").unwrap();
    refused(&text(&old), &url, 2, "there is something else in");
}
