//! The first admin key.

use lastseat_testkit::TestServer;

use crate::kit::{as_admin, ask, on_data, server};

/// Whether a key opens what only admins may see.
fn opens(server: &TestServer, key: &str) -> bool {
    match ask(server, "GET", "/v1/keys", Some(key), None).0 {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

#[test]
fn the_first_start_shows_a_key_once_and_keeps_it_in_a_file() {
    let mut server = server();
    let key = server.admin_key().unwrap();
    assert!(opens(&server, &key));
    assert_eq!(server.stderr().matches(&key).count(), 1);
    assert!(!server.stdout().contains(&key));
    server.terminate().unwrap();
    server.restart().unwrap();
    assert!(opens(&server, &key));
    assert_eq!(server.stderr().matches(&key).count(), 1, "it is not shown again");
}

#[test]
fn a_key_that_is_given_takes_the_place_of_a_random_one_and_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let start = |key: &str| {
        TestServer::builder().data_dir(dir.path()).env("LASTSEAT_ADMIN_KEY", key).start().unwrap()
    };
    let (first, second) = ("first-key-of-my-own", "second-key-of-my-own");
    let mut server = start(first);
    assert!(opens(&server, first));
    assert!(!dir.path().join("admin.key").exists());
    assert!(!server.stderr().contains(first));
    server.terminate().unwrap();
    let mut server = start(second);
    assert!(opens(&server, second) && !opens(&server, first));
    server.terminate().unwrap();
    let server = start(first);
    assert!(opens(&server, first) && !opens(&server, second));
}

#[test]
fn a_key_that_is_too_short_is_refused_without_being_repeated() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.toml"), "admin_key = \"short-secret\"").unwrap();
    let path = dir.path().join("a.toml").to_string_lossy().into_owned();
    let said = on_data(dir.path(), &["serve", "--config", &path]).refused(2, "16 to 512 characters");
    assert!(!said.err.contains("short-secret"), "{said:?}");
}

#[test]
fn when_the_last_admin_key_is_gone_the_next_start_makes_one() {
    let mut server = server();
    let before = server.admin_key().unwrap();
    let keys = as_admin(&server, &["key", "list", "--json"]).ok().json();
    as_admin(&server, &["key", "revoke", keys[0]["id"].as_str().unwrap()]).ok();
    assert!(!opens(&server, &before));
    server.terminate().unwrap();
    server.restart().unwrap();
    let after = server.admin_key().unwrap();
    assert!(after != before && opens(&server, &after));
}
