use serde_json::{Value, json};

use crate::support::{Ask, Server, booking, free_places, places};

#[tokio::test]
async fn a_booking_that_has_to_be_paid_is_held_and_says_how_to_pay() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let answer = server.book(&listing).await;
    assert_eq!(answer.header("location"), format!("/v1/bookings/{}", answer.id()));
    assert_eq!(answer.header("etag"), "\"1\"");
    let mut body = answer.json;
    for field in ["id", "reference", "listing_id", "created_at", "due_at", "token"] {
        assert!(body[field].is_string(), "{field}");
        body[field] = Value::from("...");
    }
    body.sort_all_objects();
    insta::assert_json_snapshot!(body, @r#"
    {
      "created_at": "...",
      "currency": "UZS",
      "customer": {
        "email": null,
        "external_id": null,
        "name": "Dilnoza K.",
        "phone": null,
        "telegram_id": null
      },
      "decided_at": null,
      "decided_by": null,
      "due_at": "...",
      "ends_at": "2090-12-25T01:00:00Z",
      "id": "...",
      "lines": [
        {
          "pool": "standard",
          "quantity": 1,
          "unit_price": 2500000
        }
      ],
      "listing_id": "...",
      "note": null,
      "paid": 0,
      "payment": [
        "receipt",
        "external"
      ],
      "payment_instructions": "Card 8600",
      "reason": null,
      "reference": "...",
      "refund_due": 0,
      "refunded": 0,
      "starts_at": "2090-12-24T17:00:00Z",
      "state": "held",
      "token": "...",
      "total": 2500000,
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn two_hundred_want_the_last_place_and_one_gets_it() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1)).await;
    let body = booking(&listing);
    let asks = (0..200).map(|_| server.post("/v1/bookings", &body).ask());
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        let answer = answer.problem(409, "sold_out");
        assert_eq!(answer.json["pools"][0]["key"], "standard");
        assert_eq!(answer.json["pools"][0]["available"], 0);
    }
}

#[tokio::test]
async fn the_same_key_gives_the_same_booking_with_the_same_token() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let ask = |body: Value| server.post("/v1/bookings", &body).idempotent("k-1").ask();
    let first = ask(booking(&listing)).await.ok(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = ask(booking(&listing)).await.ok(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    assert_eq!(again.header("location"), first.header("location"));
    let reordered = format!(
        r#"{{ "customer": {{"email": null, "name": "Dilnoza K."}}, "note": null,
             "lines": [{{"quantity": 1, "pool": "standard"}}], "listing_id": "{listing}" }}"#
    );
    let again = server.request(reqwest::Method::POST, "/v1/bookings").text("application/json", reordered);
    assert_eq!(again.idempotent("k-1").ask().await.ok(201).json, first.json);
    let mut other = booking(&listing);
    other["note"] = json!("window");
    ask(other).await.problem(422, "idempotency_mismatch");
    // Another caller's key of the same name is another key.
    let body = booking(&listing);
    let theirs =
        server.post("/v1/bookings", &body).idempotent("k-1").key(&server.integrator).ask().await.ok(201);
    assert_ne!(theirs.id(), first.id());
}

#[tokio::test]
async fn refusals_come_in_their_documented_order() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let post = |kind: &'static str, body: String| {
        server.request(reqwest::Method::POST, "/v1/bookings").text(kind, body)
    };
    let json = "application/json";
    let too_large = format!("{{\"note\":\"{}\"}}", "x".repeat(1024 * 1024));
    post("text/plain", too_large).key("wrong").ask().await.problem(413, "too_large");
    post("text/plain", "{".to_owned()).key("wrong").ask().await.problem(415, "unsupported_media_type");
    post(json, "{".to_owned()).key("wrong").ask().await.problem(400, "malformed");
    let mut body = booking("lst_01h455vb4pex5vsknk084sn02q");
    body["lines"] = json!(7);
    post(json, body.to_string()).key("wrong").ask().await.problem(401, "unauthenticated");
    post(json, body.to_string()).ask().await.problem(404, "not_found");
    body["listing_id"] = json!(listing);
    post(json, body.to_string()).ask().await.invalid(&["lines"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let wrong: &[(Value, &str)] = &[
        (json!({"lines": []}), "lines"),
        (json!({"lines": [{"pool": "standard", "quantity": 0}]}), "lines[0].quantity"),
        (json!({"lines": [{"pool": "standard", "quantity": -1}]}), "lines[0].quantity"),
        (json!({"lines": [{"pool": "standard", "quantity": "1"}]}), "lines[0].quantity"),
        (json!({"lines": [{"pool": "standard", "quantity": 1.5}]}), "lines[0].quantity"),
        (json!({"lines": [{"pool": "vip", "quantity": 1}]}), "lines[0].pool"),
        (json!({"lines": [["standard", 1]]}), "lines[0]"),
        (json!({"lines": null}), "lines"),
        (json!({"customer": null}), "customer"),
        (json!({"customer": ["A"]}), "customer"),
        (json!({"customer": {"name": ""}}), "customer.name"),
        (json!({"customer": {"name": "a\u{0}b"}}), "customer.name"),
        (json!({"customer": {"name": "x".repeat(1_000_000)}}), "customer.name"),
        (json!({"customer": {"name": "A", "emial": "a@b"}}), "customer.emial"),
        (json!({"stay": {"resource": "a", "check_in": "2026-01-01", "check_out": "2026-01-02"}}), "lines"),
        (json!({"best_available": {"quantity": 2}, "lines": null}), "best_available"),
        (json!({"quantity": 2}), "quantity"),
        (json!({"expected_total": "2"}), "expected_total"),
    ];
    for (change, field) in wrong {
        let mut body = booking(&listing);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = server.post("/v1/bookings", &body).ask().await.problem(422, "invalid");
        assert_eq!(answer.json["errors"][0]["field"], **field, "{}", answer.text);
    }
    let many: Vec<_> = (0..10_000).map(|_| json!({"pool": "standard", "quantity": 1})).collect();
    let mut body = booking(&listing);
    body["lines"] = json!(many);
    server.post("/v1/bookings", &body).ask().await.invalid(&["lines"]);
    server.post("/v1/bookings?dry_run=1", &booking(&listing)).ask().await.invalid(&["dry_run"]);
}

#[tokio::test]
async fn another_price_than_expected_is_told() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let mut body = booking(&listing);
    body["expected_total"] = json!(1);
    let answer = server.post("/v1/bookings", &body).ask().await.problem(409, "price_changed");
    assert_eq!(answer.json["total"], 2_500_000);
    body["expected_total"] = json!(2_500_000);
    server.post("/v1/bookings", &body).ask().await.ok(201);
}
