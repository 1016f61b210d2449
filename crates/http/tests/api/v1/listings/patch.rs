use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Server, booking, places};

async fn patch(server: &Server, listing: &str, body: Value) -> Answer {
    server
        .request(Method::PATCH, &format!("/v1/listings/{listing}"))
        .json(&body)
        .key(&server.admin)
        .ask()
        .await
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_counts_the_version() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let body =
        json!({"title": "Day shift", "venue": "Depot 5", "city": null, "policy": {"hold_seconds": 60}});
    let edited = patch(&server, &listing, body).await.ok(200);
    assert_eq!(edited.header("etag"), "\"2\"");
    assert_eq!((&edited.json["title"], &edited.json["city"]), (&json!("Day shift"), &Value::Null));
    assert_eq!(edited.json["policy"]["payment"], json!(["receipt", "external"]));
    let merge = server.request(Method::PATCH, &format!("/v1/listings/{listing}")).key(&server.admin);
    merge.text("application/merge-patch+json", "{\"title\":\"Late shift\"}").ask().await.ok(200);
}

#[tokio::test]
async fn an_old_version_is_told() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    patch(&server, &listing, json!({"title": "A"})).await.ok(200);
    let path = format!("/v1/listings/{listing}");
    let stale = server.request(Method::PATCH, &path).json(&json!({"title": "B"})).key(&server.admin);
    let stale = stale.header("if-match", "\"1\"").ask().await.problem(409, "stale_version");
    assert_eq!(stale.json["version"], 2);
}

#[tokio::test]
async fn refusals_come_in_their_order() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let send = |listing: &str, key: Option<&str>, body: &str| {
        let ask = server.request(Method::PATCH, &format!("/v1/listings/{listing}"));
        let ask = ask.text("application/json", body.to_owned());
        match key {
            Some(key) => ask.key(key).ask(),
            None => ask.ask(),
        }
    };
    let none = "lst_01h455vb4pex5vsknk084sn02q";
    send(none, None, "{").await.problem(400, "malformed");
    send(none, None, "{}").await.problem(401, "unauthenticated");
    send(none, Some(&server.operator), "{}").await.problem(404, "not_found");
    send(&listing, Some(&server.operator), "[]").await.problem(403, "forbidden");
    send(&listing, Some(&server.admin), "[]").await.invalid(&["body"]);
    send(&listing, Some(&server.admin), r#"{"title":"a","title":"b"}"#).await.invalid(&["title"]);
    send(&listing, Some(&server.admin), r#"{"policy":[]}"#).await.invalid(&["policy"]);
    send(&listing, Some(&server.admin), r#"{"titel":"b"}"#).await.invalid(&["titel"]);
    let unknown =
        send(&listing, Some(&server.admin), r#"{"policy":{"foo":1}}"#).await.invalid(&["policy.foo"]);
    assert_eq!(unknown.json["errors"][0]["message"], "is not a field of this request");
    send(&listing, Some(&server.admin), r#"{"titel":null}"#).await.invalid(&["titel"]);
    send(&listing, Some(&server.admin), r#"{"title":null}"#).await.invalid(&["title"]);
    send(&listing, Some(&server.admin), r#"{"policy":{"foo":null}}"#).await.invalid(&["policy.foo"]);
    send(&listing, Some(&server.admin), r#"{"policy":{"hold_seconds":"x"}}"#)
        .await
        .invalid(&["policy.hold_seconds"]);
    send(&listing, Some(&server.admin), r#"{"pools":[{"key":"standard"}]}"#)
        .await
        .invalid(&["pools[0].capacity"]);
    send(&listing, Some(&server.admin), r#"{"currency":"EUR"}"#).await.invalid(&["currency"]);
    send(&listing, Some(&server.admin), r#"{"min_nights":2,"resources":[]}"#)
        .await
        .invalid(&["min_nights", "resources"]);
}

#[tokio::test]
async fn a_cancelled_listing_takes_its_bookings_with_it() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    patch(&server, &listing, json!({"status": "cancelled"})).await.ok(200);
    let shown = server.get(&format!("/v1/bookings/{}", made.id())).token(&made.token()).ask().await.ok(200);
    assert_eq!(
        (&shown.json["state"], &shown.json["reason"]),
        (&json!("cancelled"), &json!("listing_cancelled"))
    );
    server.post("/v1/bookings", &booking(&listing)).ask().await.problem(409, "not_on_sale");
}
