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
fn what_is_lost_or_stray_in_the_file_is_found() {
    let mut server = server();
    let listing = create_listing(&server, &places(10));
    let key = server.admin_key().unwrap();
    for name in ["Aziza Sample", "Bobur Sample", "Chara Sample"] {
        let booking = book(&server, &listing, name);
        let path = format!("/v1/bookings/{}/cancel", booking["id"].as_str().unwrap());
        let cancel = serde_json::json!({"reason": null});
        assert_eq!(crate::kit::ask(&server, "POST", &path, Some(&key), Some(&cancel)).0, 200);
    }
    server.terminate().unwrap();
    let file = server.data_dir().join("lastseat.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    let (first, last): (i64, i64) = database
        .query_row("SELECT min(no), max(no) FROM events", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(last - first, 6, "a listing, and two events of each booking");
    // What is planted, under which rule and by which words it is found, and how it is taken back.
    for (plant, rule, words, back) in [
        (
            "CREATE TABLE kept AS SELECT * FROM bookings WHERE no = 2; DELETE FROM bookings WHERE no = 2",
            "log_folds_to_rows",
            "booking 2 (reference ",
            "INSERT INTO bookings SELECT * FROM kept",
        ),
        (
            "INSERT INTO events SELECT no + 100, at, kind, listing_no, 3, seq, version, actor, data \
             FROM events WHERE booking_no = 3",
            "log_folds_to_rows",
            "bkg_",
            "DELETE FROM events WHERE no > 100",
        ),
        (
            "INSERT INTO idempotency VALUES (1, randomblob(16), zeroblob(16), 0, 3, 9, NULL, NULL, NULL)",
            "idempotency_keys_are_unique",
            "",
            "DELETE FROM idempotency",
        ),
        (
            "INSERT INTO idempotency VALUES (1, randomblob(16), zeroblob(16), 0, 4, 1, NULL, NULL, NULL)",
            "idempotency_keys_are_unique",
            "",
            "DELETE FROM idempotency",
        ),
        (
            "INSERT INTO idempotency VALUES (1, randomblob(16), zeroblob(16), 0, NULL, NULL, zeroblob(16), NULL, NULL)",
            "idempotency_keys_are_unique",
            "",
            "DELETE FROM idempotency",
        ),
        (
            "INSERT INTO pools VALUES (1, 7 << 32, 5, 0, 0, 0, 100, 0)",
            "counters_are_true",
            "/7.0",
            "DELETE FROM pools WHERE pool_no = 7 << 32",
        ),
        ("UPDATE pools SET kept = 2", "kept_for_who_waits", "/standard", "UPDATE pools SET kept = 0"),
        (
            "INSERT INTO waitlist (listing_no, no, id, state, group_no, first, last, least, want, customer, created_at, \
                joined_behind, skipped) VALUES (1, 1, zeroblob(16), 'waiting', -1, 0, 0, 1, '{\"any\":1}', \
                '{\"name\":\"Vera\"}', 0, 0, 0); UPDATE inventory SET waiting = 1; \
             INSERT INTO waitlist_counts VALUES (1, -1, 1)",
            "waiting_is_fair",
            "wtl_",
            "DELETE FROM waitlist; DELETE FROM waitlist_counts; UPDATE inventory SET waiting = 0",
        ),
    ] {
        on_data(server.data_dir(), &["verify"]).ok();
        database.execute_batch(plant).unwrap();
        let report = on_data(server.data_dir(), &["verify", "--json"]).refused(1, "").json();
        for check in report["checks"].as_array().unwrap() {
            let broken = check["broken"].as_array().unwrap();
            if check["name"] == rule {
                assert_eq!(broken.len(), 1, "{plant}: {report}");
                assert!(broken[0].as_str().unwrap().contains(words), "{plant}: {report}");
            } else {
                assert!(broken.is_empty(), "{plant}: {report}");
            }
        }
        database.execute_batch(back).unwrap();
    }
}

#[test]
fn where_there_is_no_data_there_is_nothing_to_verify() {
    let dir = tempfile::tempdir().unwrap();
    on_data(dir.path(), &["verify"]).refused(2, "there is no database in");
    on_data(dir.path(), &["verify", "--database-url", "postgres://x"]).refused(2, "it names no database");
}
