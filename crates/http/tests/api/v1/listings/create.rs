use serde_json::{Value, json};

use crate::support::{Ask, Server, places};

#[tokio::test]
async fn a_listing_is_made_by_admins_only_and_shown_to_everybody() {
    let server = Server::start().await;
    server.post("/v1/listings", &places()).ask().await.problem(401, "unauthenticated");
    server.post("/v1/listings", &places()).key(&server.operator).ask().await.problem(403, "forbidden");
    let made = server.post("/v1/listings", &places()).key(&server.admin).ask().await.ok(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let shown = server.get(made.header("location")).ask().await.ok(200);
    assert_eq!(shown.json, made.json);
    let mut body = made.json;
    for field in ["id", "created_at"] {
        body[field] = Value::from("...");
    }
    body.sort_all_objects();
    insta::assert_json_snapshot!(body, @r#"
    {
      "category": "gig",
      "city": "Tashkent",
      "created_at": "...",
      "currency": "UZS",
      "description": null,
      "ends_at": "2090-12-25T01:00:00Z",
      "id": "...",
      "kind": "places",
      "policy": {
        "cancel_until_seconds": 0,
        "hold_max_seconds": 1800,
        "hold_seconds": 600,
        "max_open_holds": null,
        "max_per_customer": null,
        "max_quantity": 10,
        "payment": [
          "receipt",
          "external"
        ],
        "payment_instructions": "Card 8600",
        "review_seconds": 86400,
        "waitlist": true
      },
      "pools": [
        {
          "capacity": 10,
          "key": "standard",
          "price": 2500000,
          "title": "Worker"
        }
      ],
      "sale_closes_at": null,
      "sale_opens_at": null,
      "starts_at": "2090-12-24T17:00:00Z",
      "status": "published",
      "timezone": "Asia/Tashkent",
      "title": "Warehouse night shift",
      "venue": null,
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn a_draft_is_not_there_for_the_public() {
    let server = Server::start().await;
    let mut spec = places();
    spec["status"] = json!("draft");
    let listing = server.listing(&spec).await;
    server.get(&format!("/v1/listings/{listing}")).ask().await.problem(404, "not_found");
    server.get(&format!("/v1/listings/{listing}")).key("wrong").ask().await.problem(401, "unauthenticated");
    server.get(&format!("/v1/listings/{listing}")).key(&server.integrator).ask().await.ok(200);
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let server = Server::start().await;
    let post = |text: String| {
        server
            .request(reqwest::Method::POST, "/v1/listings")
            .text("application/json", text)
            .key(&server.admin)
    };
    let with = |name: &str, value: Value| {
        let mut spec = places();
        spec[name] = value;
        spec.to_string()
    };
    for (name, value, field) in [
        ("title", json!(""), "title"),
        ("titel", json!("x"), "titel"),
        ("currency", json!("EURO"), "currency"),
        ("timezone", json!("Mars/Base"), "timezone"),
        ("kind", json!("beds"), "kind"),
        ("policy", json!([["receipt"]]), "policy"),
        ("policy", json!({"hold_seconds": 0}), "policy.hold_seconds"),
        ("policy", json!({"hold": 0}), "policy.hold"),
        ("pools", json!([["standard", null, 1, 1]]), "pools[0]"),
        ("pools", json!([{"key": "a", "capacity": -1}]), "pools[0].capacity"),
        ("starts_at", json!("tomorrow"), "starts_at"),
        ("min_nights", json!(2), "min_nights"),
        ("resources", json!([]), "resources"),
    ] {
        let answer = post(with(name, value)).ask().await.problem(422, "invalid");
        assert_eq!(answer.json["errors"][0]["field"], field, "{}", answer.text);
    }
    let twice =
        r#"{"kind":"places","title":"a","timezone":"UTC","currency":"EUR","seating":{"plan":{"a":1,"a":2}}}"#;
    post(twice.to_owned()).ask().await.invalid(&["seating.plan.a"]);
}
