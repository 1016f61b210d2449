use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Answer, Ask, Server, booking, other_png, places, png};

/// What files may be is tested where they are looked at.
fn receipt() -> Vec<u8> {
    png()
}

fn form(file: Vec<u8>) -> Form {
    Form::new().part("receipt", Part::bytes(file).file_name("evil.html").mime_str("text/html").unwrap())
}

fn upload(server: &Server, of: &Answer, form: Form) -> reqwest::RequestBuilder {
    let path = format!("/v1/bookings/{}/payment", of.id());
    server.request(reqwest::Method::POST, &path).multipart(form)
}

#[tokio::test]
async fn a_receipt_is_looked_at_and_approved() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let sent = upload(&server, &made, form(receipt()).text("note", "paid at noon")).token(&made.token());
    let sent = sent.ask().await.ok(200);
    assert_eq!((&sent.json["state"], sent.header("etag")), (&json!("in_review"), "\"2\""));
    let path = format!("/v1/bookings/{}/receipts", made.id());
    let receipts = server.get(&path).key(&server.operator).ask().await.ok(200);
    let first = &receipts.json["items"][0];
    assert_eq!(
        (&first["n"], &first["media_type"], &first["note"]),
        (&json!(1), &json!("image/png"), &json!("paid at noon"))
    );
    assert!(first.get("file").is_none());
    let file = server.get(&format!("{path}/1")).key(&server.operator).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "image/png");
    assert_eq!(file.headers()["x-content-type-options"], "nosniff");
    assert!(file.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(file.bytes().await.unwrap().len() as u64, first["size"].as_u64().unwrap());
    for n in ["0", "2", "x", "-1", "99999999999999999999"] {
        server.get(&format!("{path}/{n}")).key(&server.operator).ask().await.problem(404, "not_found");
    }
    server.get(&path).token(&made.token()).ask().await.problem(403, "forbidden");
    server.get(&format!("{path}/1")).ask().await.problem(401, "unauthenticated");

    let approve =
        || server.post(&format!("/v1/bookings/{}/approve", made.id()), &json!({})).key(&server.operator);
    let approved = approve().ask().await.ok(200);
    assert_eq!((&approved.json["state"], &approved.json["paid"]), (&json!("confirmed"), &json!(2_500_000)));
    let twice = approve().ask().await.problem(409, "wrong_state");
    assert_eq!(twice.json["decided_by"], "operator");
}

#[tokio::test]
async fn a_receipt_whose_file_is_gone_is_unavailable_and_the_booking_stands() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    upload(&server, &made, form(receipt())).token(&made.token()).ask().await.ok(200);
    for file in std::fs::read_dir(server.data().join("receipts")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let path = format!("/v1/bookings/{}/receipts/1", made.id());
    let gone = server.get(&path).key(&server.operator).ask().await.problem(503, "unavailable");
    assert_eq!(gone.header("retry-after"), "60");
    assert!(gone.json["detail"].as_str().unwrap().contains("from a backup"), "{}", gone.json);
    let approve = server.post(&format!("/v1/bookings/{}/approve", made.id()), &json!({}));
    approve.key(&server.operator).ask().await.ok(200);
}

#[tokio::test]
async fn what_is_no_receipt_is_refused_by_its_content() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let page = b"<html><script>alert(1)</script></html>".to_vec();
    let named = Part::bytes(page).file_name("receipt.png").mime_str("image/png").unwrap();
    let send = |form: Form| upload(&server, &made, form).token(&made.token()).ask();
    send(Form::new().part("receipt", named)).await.invalid(&["receipt"]);
    send(form(Vec::new())).await.invalid(&["receipt"]);
    send(Form::new().text("note", "no file")).await.invalid(&["receipt"]);
    send(form(receipt()).text("amount", "5")).await.invalid(&["amount"]);
    send(form(receipt()).part("receipt", Part::bytes(receipt()))).await.invalid(&["receipt"]);
    send(form(receipt()).text("note", "x".repeat(2001))).await.invalid(&["note"]);
    send(form(receipt()).text("note", "a\u{0}b")).await.invalid(&["note"]);
    send(form(receipt()).part("note", Part::bytes(vec![0xff]))).await.invalid(&["note"]);
    let shown = server.get(&format!("/v1/bookings/{}", made.id())).token(&made.token()).ask().await;
    assert_eq!(shown.json["state"], "held");
}

#[tokio::test]
async fn a_receipt_over_ten_mebibytes_is_too_large_and_one_below_is_not() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let padded = |len: usize| {
        let mut file = receipt();
        file.resize(len, 0);
        file
    };
    let limit = 10 * 1024 * 1024;
    let send = |len: usize| upload(&server, &made, form(padded(len))).token(&made.token()).ask();
    send(limit + 1).await.problem(413, "too_large");
    send(limit + 1024 * 1024).await.problem(413, "too_large");
    // Right at the limit it is looked at, and refused for the rubbish behind its end, or cleaned of it.
    assert_ne!(send(limit).await.status, 413);
}

#[tokio::test]
async fn broken_forms_and_missing_rights_come_in_their_order() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}/payment", made.id());
    let post = |kind: &str, body: &'static str| server.request(reqwest::Method::POST, &path).text(kind, body);
    post("text/plain", "x").ask().await.problem(415, "unsupported_media_type");
    post("multipart/form-data", "x").ask().await.problem(400, "malformed");
    post("multipart/form-data; boundary=x", "--x\r\nrubbish").ask().await.problem(400, "malformed");
    upload(&server, &made, form(receipt())).ask().await.problem(401, "unauthenticated");
    upload(&server, &made, form(receipt())).token("wrong").ask().await.problem(404, "not_found");
    upload(&server, &made, form(Vec::new())).key(&server.integrator).ask().await.problem(404, "not_found");
    let theirs = server.post("/v1/bookings", &booking(&listing)).key(&server.integrator).ask().await.ok(201);
    upload(&server, &theirs, form(Vec::new())).key(&server.integrator).ask().await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_same_upload_under_a_key_is_one_receipt() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let send = |file: Vec<u8>| upload(&server, &made, form(file)).token(&made.token()).idempotent("u").ask();
    let first = send(receipt()).await.ok(200);
    let again = send(receipt()).await.ok(200);
    assert_eq!((again.header("idempotency-replayed"), &again.json), ("true", &first.json));
    send(other_png()).await.problem(422, "idempotency_mismatch");
    let receipts =
        server.get(&format!("/v1/bookings/{}/receipts", made.id())).key(&server.operator).ask().await;
    assert_eq!(receipts.json["items"].as_array().unwrap().len(), 1);
    // The files of the second and third upload are gone again.
    assert_eq!(std::fs::read_dir(server.data().join("receipts")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_receipt_for_a_lapsed_hold_is_taken_if_there_is_room() {
    let server = Server::start().await;
    let mut spec = places();
    spec["policy"]["hold_seconds"] = json!(1);
    spec["pools"][0]["capacity"] = json!(1);
    let listing = server.listing(&spec).await;
    let made = server.book(&listing).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let late = upload(&server, &made, form(receipt())).token(&made.token()).ask().await.ok(200);
    assert_eq!(late.json["state"], "in_review");
}

#[tokio::test]
async fn gift_cards_are_read_and_not_taken() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}/payment", made.id());
    let pay = |body| server.post(&path, &body).token(&made.token()).ask();
    pay(json!({"gift_cards": [{"code": "A", "pin": "1"}]})).await.invalid(&["gift_cards"]);
    pay(json!({"gift_cards": [{"code": "A"}]})).await.invalid(&["gift_cards[0].pin"]);
    pay(json!({"gift_card": []})).await.invalid(&["gift_card"]);
}
