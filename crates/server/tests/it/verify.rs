//! `lastseat verify`.

use crate::kit::{book, create_listing, on_data, places, server};

#[test]
fn what_is_right_is_said_to_be_right_also_while_it_is_served() {
    let mut server = server();
    let listing = create_listing(&server, &places(10));
    book(&server, &listing, "Aziza Sample");
    let report = server.verify().unwrap();
    assert_eq!(report["ok"], true);
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["broken"] == serde_json::json!([])), "{report}");
    assert!(checks.iter().any(|check| check["checked"].as_u64() > Some(0)), "{report}");
    server.terminate().unwrap();
    let said = on_data(server.data_dir(), &["verify"]).ok();
    assert!(said.out.contains("ok"), "{said:?}");
}

#[test]
fn a_counter_that_is_wrong_by_one_is_found_and_named() {
    let mut server = server();
    let listing = create_listing(&server, &places(10));
    book(&server, &listing, "Aziza Sample");
    server.terminate().unwrap();
    let file = server.data_dir().join("lastseat.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(database.execute("UPDATE pools SET held = held + 1", []).unwrap(), 1);
    drop(database);
    let said = on_data(server.data_dir(), &["verify", "--json"]).refused(1, "");
    let report = said.json();
    assert_eq!(report["ok"], false);
    let pool = format!("{listing}/standard");
    let broken: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|check| check["broken"].as_array().unwrap())
        .filter_map(|id| id.as_str())
        .collect();
    assert!(broken.contains(&pool.as_str()), "{report}");
    let said = on_data(server.data_dir(), &["verify"]).refused(1, "");
    assert!(said.out.contains(&pool), "{said:?}");
}

#[test]
fn where_there_is_no_data_there_is_nothing_to_verify() {
    let dir = tempfile::tempdir().unwrap();
    on_data(dir.path(), &["verify"]).refused(2, "there is no database in");
    on_data(dir.path(), &["verify", "--database-url", "postgres://x"]).refused(2, "does not support");
}
