//! `lastseat key`.

use crate::kit::{as_admin, command, finish, server};

#[test]
fn a_key_is_shown_when_it_is_made_works_and_can_be_revoked() {
    let server = server();
    let made = as_admin(&server, &["key", "create", "--role", "operator", "--name", "Front desk"]).ok();
    let secret = made.out.trim();
    assert!(secret.len() >= 32 && !secret.contains(char::is_whitespace), "{made:?}");
    let as_desk = |args: &[&str]| {
        finish(command().args(args).args(["--url", &server.base_url()]).env("LASTSEAT_KEY", secret))
    };
    as_desk(&["booking", "list"]).ok();
    as_desk(&["key", "list"]).refused(2, "forbidden");

    let table = as_admin(&server, &["key", "list"]).ok().out;
    assert!(table.contains("Front desk") && table.starts_with("ID "), "{table}");
    assert!(!table.contains(secret));
    let keys = as_admin(&server, &["key", "list", "--json"]).ok().json();
    let desk = keys.as_array().unwrap().iter().find(|key| key["name"] == "Front desk").unwrap();
    as_admin(&server, &["key", "revoke", desk["id"].as_str().unwrap()]).ok();
    as_desk(&["booking", "list"]).refused(2, "check --key or LASTSEAT_KEY");
    as_admin(&server, &["key", "revoke", "../keys"]).refused(2, "is no id of a key");
}

#[test]
fn without_a_key_people_are_told_where_to_find_one() {
    let server = server();
    let said = finish(command().args(["key", "list", "--url", &server.base_url()]));
    said.refused(2, "admin.key in the server's data directory");
}
