use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Server, places};

async fn put(server: &Server, listing: &str, body: Value) -> Answer {
    let path = format!("/v1/listings/{listing}/pools");
    server.request(Method::PUT, &path).json(&body).key(&server.admin).ask().await
}

#[tokio::test]
async fn capacity_below_what_is_in_use_is_refused_with_the_numbers() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    server.book(&listing).await;
    server.book(&listing).await;
    let body = json!({"pools": [{"key": "standard", "capacity": 1}]});
    let refused = put(&server, &listing, body).await.problem(409, "capacity_in_use");
    assert_eq!(
        (&refused.json["pools"][0]["key"], &refused.json["pools"][0]["held"]),
        (&json!("standard"), &json!(2))
    );
    let changed = put(&server, &listing, json!({"pools": [{"key": "standard", "capacity": 2, "price": 5}]}))
        .await
        .ok(200);
    assert_eq!(changed.json["pools"][0]["capacity"], 2);
    let again = server.post("/v1/bookings", &crate::support::booking(&listing)).ask().await;
    again.problem(409, "sold_out");
}

#[tokio::test]
async fn a_stretch_of_nights_is_repriced_at_once() {
    let server = Server::start().await;
    let spec = json!({"kind": "nights", "title": "Hotel", "timezone": "Europe/Rome", "currency": "EUR",
        "calendar": {"from": "2090-12-01", "until": "2090-12-10"},
        "resources": [{"key": "double", "capacity": 2, "price": 9900}]});
    let listing = server.listing(&spec).await;
    let body = json!({"resource": "double", "from": "2090-12-03", "until": "2090-12-05", "price": 14900, "blocked": 1});
    put(&server, &listing, body).await.ok(200);
    let path =
        format!("/v1/listings/{listing}/availability?from=2090-12-02&until=2090-12-06&resource=double");
    let shown = server.get(&path).ask().await.ok(200);
    let pools = shown.json["pools"].as_array().unwrap();
    let told: Vec<_> = pools
        .iter()
        .map(|pool| {
            (
                pool["key"].as_str().unwrap(),
                pool["price"].as_i64().unwrap(),
                pool["available"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("double/2090-12-02", 9900, 2),
            ("double/2090-12-03", 14900, 1),
            ("double/2090-12-04", 14900, 1),
            ("double/2090-12-05", 9900, 2)
        ]
    );
    let stay = json!({"listing_id": listing, "stay": {"resource": "double", "check_in": "2090-12-02", "check_out": "2090-12-04"},
        "customer": {"name": "A"}});
    let booked = server.post("/v1/bookings", &stay).ask().await.ok(201);
    assert_eq!(booked.json["total"], 9900 + 14900);
    assert_eq!(
        booked.json["lines"][1],
        json!({"pool": "double/2090-12-03", "quantity": 1, "unit_price": 14900})
    );
}

#[tokio::test]
async fn wrong_requests_are_named() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    put(&server, &listing, json!({})).await.invalid(&["pools"]);
    put(&server, &listing, json!({"pools": [{"key": "standard"}], "price": 1})).await.invalid(&["price"]);
    put(&server, &listing, json!({"pools": [["standard", 1]]})).await.invalid(&["pools[0]"]);
    put(&server, &listing, json!({"resource": "a", "from": "x", "until": "2090-01-01"}))
        .await
        .invalid(&["from"]);
    put(&server, &listing, json!({"pools": [{"key": "standard", "capacity": -1}]}))
        .await
        .invalid(&["pools[0].capacity", "pools[0]"]);
    let path = format!("/v1/listings/{listing}/pools");
    let ask = server.request(Method::PUT, &path).json(&json!({})).key(&server.operator);
    ask.ask().await.problem(403, "forbidden");
}

#[tokio::test]
async fn new_numbers_are_no_edit_of_the_listing_but_show_in_it() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let path = format!("/v1/listings/{listing}");
    for (price, tag) in [(5, "\"1+1\""), (6, "\"1+2\"")] {
        let body = json!({"pools": [{"key": "standard", "capacity": 12, "price": price}]});
        let changed = put(&server, &listing, body).await.ok(200);
        assert_eq!((changed.json["version"].as_i64(), changed.header("etag")), (Some(1), tag));
        let seen = server.get(&path).header("if-none-match", "\"1\"").ask().await.ok(200);
        assert_eq!((&seen.json, seen.header("etag")), (&changed.json, tag));
        assert_eq!(seen.json["pools"][0]["price"], price);
        assert_eq!(server.get(&path).header("if-none-match", tag).ask().await.status, 304);
    }
    // Whoever edits it has missed nothing.
    let edit = server.request(Method::PATCH, &path).json(&json!({"title": "Day shift"})).key(&server.admin);
    let edited = edit.header("if-match", "\"1\"").ask().await.ok(200);
    assert_eq!((edited.json["version"].as_i64(), edited.header("etag")), (Some(2), "\"2+2\""));
    // What is sold and told elsewhere follows.
    let booked = server.post("/v1/bookings", &crate::support::booking(&listing)).ask().await.ok(201);
    assert_eq!(booked.json["total"], 6);
    let shown = server.get(&format!("{path}/availability")).ask().await.ok(200);
    assert_eq!(
        (&shown.json["pools"][0]["capacity"], &shown.json["pools"][0]["price"]),
        (&json!(12), &json!(6))
    );
    // A new pool is an edit.
    let body = json!({"pools": [{"key": "vip", "capacity": 1}]});
    assert_eq!(put(&server, &listing, body).await.ok(200).json["version"], 3);
}
