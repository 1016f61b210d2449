//! `lastseat import`.

use serde_json::{Value, json};

use crate::kit::{as_admin, create_listing, places, server};

/// A file of that name with this text.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    (dir, path.to_string_lossy().into_owned())
}

#[test]
fn json_lines_become_bookings_once() {
    let server = server();
    let listing = create_listing(&server, &places(2));
    let line = |number: u32| {
        json!({
            "listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "state": "confirmed",
            "customer": {"name": format!("Sample {number}")}, "paid": 2_500_000, "external_id": format!("old-{number}"),
        })
    };
    let text = format!("{}\n\n{}\n", line(1), line(2));
    let (_dir, path) = file("old.jsonl", &text);
    let said = as_admin(&server, &["import", &path]).ok();
    assert_eq!(said.out, "imported 2, skipped 0 that were there, refused 0\n");
    let said = as_admin(&server, &["import", &path, "--json"]).ok();
    let told: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    assert!(told.iter().all(|line| line["status"] == "skipped"), "{told:?}");
    server.verify().unwrap();
}

#[test]
fn csv_becomes_bookings_and_a_refused_line_is_named_by_its_number() {
    let server = server();
    let listing = create_listing(&server, &places(2));
    let text = format!(
        "listing_id,pool,quantity,customer.name,customer.phone,state,paid,external_id\n\
         {listing},standard,2,\"Sample, Aziza\",+998 00,confirmed,5000000,a-1\n\
         {listing},standard,1,Jonas Sample,,confirmed,,a-2\n\
         {listing},standing,1,Maya Sample,,confirmed,,a-3\n"
    );
    let (_dir, path) = file("old.csv", &text);
    let said = as_admin(&server, &["import", &path]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, "imported 1, skipped 0 that were there, refused 2\n"),
        "{said:?}"
    );
    assert!(said.err.contains("line 3: ") && said.err.contains("line 4: "), "{said:?}");
    let made = as_admin(&server, &["booking", "list", "--json"]).ok().json();
    assert_eq!(
        (made[0]["customer"]["name"].as_str(), made[0]["paid"].as_i64()),
        (Some("Sample, Aziza"), Some(5_000_000))
    );
    server.verify().unwrap();
}

#[test]
fn a_bad_cell_refuses_its_line_alone() {
    let server = server();
    let listing = create_listing(&server, &places(5));
    let text = format!(
        "listing_id,pool,customer.name,state,paid,external_id\r\n\
         {listing},standard,Aziza Sample,confirmed,five,a-1\r\n\
         \r\n\
         {listing},standard,Bobur Sample,confirmed,2500000,a-2\r\n\
         {listing},standard\r\n\
         {listing},standing,Chara Sample,confirmed,,a-3\r\n\
         {listing},standard,Dina Sample,confirmed,1.5,a-4\r\n"
    );
    let (_dir, path) = file("old.csv", &text);
    let said = as_admin(&server, &["import", &path, "--json"]).refused(1, "imported 1, skipped 0");
    let told: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|line| (line["line"].as_u64(), line["status"].as_str())).collect();
    let wanted = [(2, "refused"), (4, "imported"), (5, "refused"), (6, "refused"), (7, "refused")];
    assert_eq!(told, wanted.map(|(line, status)| (Some(line), Some(status))));
    let said = as_admin(&server, &["import", &path]).refused(1, "line 2: `paid` must be a whole number");
    assert_eq!(said.out, "imported 0, skipped 1 that were there, refused 4\n");
    let (_dir, path) = file("bad.csv", "listing_id,paid\nlst_1,five\n");
    as_admin(&server, &["import", &path]).refused(1, "line 2: `paid` must be a whole number");
}

#[test]
fn many_lines_go_in_parts_and_keep_their_numbers() {
    let server = server();
    let listing = create_listing(&server, &places(5));
    let note = "x".repeat(150);
    let mut text = String::new();
    // More than one part: the lines are padded by long names.
    for number in 1..=20_000 {
        let name = format!("{note} {number}");
        let line = json!({
            "listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "state": "cancelled",
            "customer": {"name": name}, "external_id": number.to_string(),
        });
        text.push_str(&format!("{line}\n"));
    }
    text.push_str("{\"listing_id\": 1}\n");
    assert!(text.len() > 5 * 1024 * 1024);
    let (_dir, path) = file("many.jsonl", &text);
    let said = as_admin(&server, &["import", &path]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, "imported 20000, skipped 0 that were there, refused 1\n"),
        "{said:?}"
    );
    assert!(said.err.contains("line 20001: "), "{said:?}");
}

#[test]
fn files_that_cannot_be_read_send_nothing() {
    let server = server();
    let (_dir, path) = file("old.csv", "listing_id,price\nlst_1,5\n");
    as_admin(&server, &["import", &path]).refused(2, "unknown column `price`");
    as_admin(&server, &["import", "/nonexistent.csv"]).refused(2, "cannot read /nonexistent.csv");
    let made = as_admin(&server, &["booking", "list", "--json"]).ok().json();
    assert_eq!(made, json!([]));
}
