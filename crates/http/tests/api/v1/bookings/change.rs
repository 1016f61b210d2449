//! Everything that happens to a booking after it was made.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Server, booking, free_places, places};

fn post(server: &Server, of: &Answer, verb: &str, body: &Value) -> RequestBuilder {
    server.post(&format!("/v1/bookings/{}/{verb}", of.id()), body)
}

fn money(reference: &str) -> Value {
    json!({"payment": {"amount": 2_500_000, "currency": "UZS", "reference": reference}})
}

#[tokio::test]
async fn money_confirms_a_hold_once_and_a_second_payment_is_to_go_back() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let confirm = |body: &Value| post(&server, &made, "confirm", body).key(&server.operator);
    let paid = confirm(&money("bank-1")).ask().await.ok(200);
    assert_eq!(paid.json["state"], "confirmed");
    assert_eq!((&paid.json["paid"], &paid.json["decided_by"]), (&json!(2_500_000), &json!("operator")));
    assert_eq!(paid.header("etag"), "\"2\"");
    assert!(paid.json.get("token").is_none());
    let again = confirm(&money("bank-1")).ask().await.ok(200);
    assert_eq!(again.json, paid.json);
    let twice = confirm(&money("bank-2")).ask().await.ok(200);
    assert_eq!(twice.json["refund_due"], 2_500_000);
    let body = json!({"amount": 2_500_000, "reference": "back-1"});
    let back = post(&server, &made, "refund", &body).key(&server.operator).ask().await.ok(200);
    assert_eq!((&back.json["refund_due"], &back.json["refunded"]), (&json!(0), &json!(2_500_000)));
    post(&server, &made, "refund", &json!({"amount": 1, "reference": "x"}))
        .key(&server.operator)
        .ask()
        .await
        .invalid(&["amount"]);
}

#[tokio::test]
async fn wrong_money_is_refused_with_what_is_missing() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let confirm = |body: Value| post(&server, &made, "confirm", &body).key(&server.operator).ask();
    confirm(json!({"payment": {"amount": 1, "currency": "UZS", "reference": "a"}}))
        .await
        .invalid(&["payment.amount"]);
    confirm(json!({"payment": {"amount": 1, "currency": "EUR", "reference": "a"}}))
        .await
        .invalid(&["payment.currency"]);
    confirm(json!({"payment": {"amount": -1, "currency": "UZS", "reference": ""}}))
        .await
        .invalid(&["payment.reference", "payment.amount"]);
    confirm(json!({"payment": [1, "UZS", "a"]})).await.invalid(&["payment"]);
    confirm(json!({"payment": null})).await.invalid(&["payment"]);
    confirm(json!({})).await.invalid(&["payment"]);
    confirm(json!({"payment": {"amount": 9e99, "currency": "UZS", "reference": "a"}}))
        .await
        .invalid(&["payment.amount"]);
}

#[tokio::test]
async fn the_owner_may_cancel_but_not_approve() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let owner = |verb: &str, body: Value| post(&server, &made, verb, &body).token(&made.token()).ask();
    for verb in ["approve", "confirm", "reject", "refund"] {
        let body = match verb {
            "approve" => json!({}),
            "confirm" => money("a"),
            "reject" => json!({"reason": "no"}),
            _ => json!({"amount": 1, "reference": "a"}),
        };
        owner(verb, body).await.problem(403, "forbidden");
        // And broken requests are no way around it.
        owner(verb, json!({"nonsense": 1})).await.problem(403, "forbidden");
    }
    owner("approve", json!([])).await.problem(403, "forbidden");
    let gone = owner("cancel", json!({"reason": "ill"})).await.ok(200);
    assert_eq!((&gone.json["state"], &gone.json["reason"]), (&json!("cancelled"), &json!("ill")));
    let refused = owner("cancel", json!({})).await.problem(409, "wrong_state");
    assert_eq!((&refused.json["state"], &refused.json["decided_by"]), (&json!("cancelled"), &json!("owner")));
    assert_eq!(refused.json["decided_at"], gone.json["decided_at"]);
}

#[tokio::test]
async fn nobody_elses_credential_changes_a_booking() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let (made, other) = (server.book(&listing).await, server.book(&listing).await);
    let cancel = || post(&server, &made, "cancel", &json!({}));
    cancel().ask().await.problem(401, "unauthenticated");
    cancel().key("wrong").ask().await.problem(401, "unauthenticated");
    cancel().token(&other.token()).ask().await.problem(404, "not_found");
    cancel().key(&server.integrator).ask().await.problem(404, "not_found");
    let missing = server.post("/v1/bookings/bkg_01h455vb4pex5vsknk084sn02q/cancel", &json!({"nonsense": 1}));
    missing.key(&server.operator).ask().await.problem(404, "not_found");
    let theirs = server.post("/v1/bookings", &booking(&listing)).key(&server.integrator).ask().await.ok(201);
    post(&server, &theirs, "extend", &json!({"seconds": 1}))
        .key(&server.integrator)
        .ask()
        .await
        .problem(403, "forbidden");
    post(&server, &theirs, "cancel", &json!({})).key(&server.integrator).ask().await.ok(200);
}

#[tokio::test]
async fn an_old_version_is_told_and_changes_nothing() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let extend = |seen: &str| {
        post(&server, &made, "extend", &json!({"seconds": 60})).token(&made.token()).header("if-match", seen)
    };
    let stale = extend("\"7\"").ask().await.problem(409, "stale_version");
    assert_eq!(stale.json["version"], 1);
    extend("7").ask().await.invalid(&["If-Match"]);
    let longer = extend("\"1\"").ask().await.ok(200);
    assert_ne!(longer.json["due_at"], made.json["due_at"]);
    extend("\"2\"").ask().await.problem(409, "wrong_state");
}

#[tokio::test]
async fn the_same_key_answers_a_change_as_at_first() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let extend =
        || post(&server, &made, "extend", &json!({"seconds": 60})).token(&made.token()).idempotent("e");
    let first = extend().ask().await.ok(200);
    post(&server, &made, "cancel", &json!({})).token(&made.token()).ask().await.ok(200);
    let again = extend().ask().await.ok(200);
    assert_eq!((again.header("idempotency-replayed"), again.header("etag")), ("true", "\"2\""));
    assert_eq!(again.json, first.json);
    let other = post(&server, &made, "extend", &json!({"seconds": 61})).token(&made.token()).idempotent("e");
    other.ask().await.problem(422, "idempotency_mismatch");
    let bad = post(&server, &made, "extend", &json!({"seconds": 60})).token(&made.token()).idempotent("a b");
    bad.ask().await.invalid(&["Idempotency-Key"]);
}

#[tokio::test]
async fn a_booking_is_moved_at_once_or_not_at_all() {
    let server = Server::start().await;
    let mut spec = free_places(2);
    spec["pools"] = json!([{"key": "standard", "capacity": 2}, {"key": "balcony", "capacity": 1}]);
    let listing = server.listing(&spec).await;
    let made = server.book(&listing).await;
    let to = |pool: &str, quantity: i64| {
        let body = json!({"lines": [{"pool": pool, "quantity": quantity}]});
        post(&server, &made, "reschedule", &body).token(&made.token()).ask()
    };
    to("balcony", 2).await.problem(409, "sold_out");
    to("nowhere", 1).await.invalid(&["lines[0].pool"]);
    let moved = to("balcony", 1).await.ok(200);
    assert_eq!(moved.json["lines"], json!([{"pool": "balcony", "quantity": 1, "unit_price": 0}]));
    let both = json!({"lines": [], "slot": {"resource": "a", "starts_at": "2030-01-01T00:00:00Z"}});
    post(&server, &made, "reschedule", &both).token(&made.token()).ask().await.invalid(&["lines"]);
}

#[tokio::test]
async fn a_change_without_fields_needs_no_body() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}/cancel", made.id());
    let bare = server.request(reqwest::Method::POST, &path).token(&made.token());
    assert_eq!(bare.ask().await.ok(200).json["state"], "cancelled");
    let path = format!("/v1/bookings/{}/reject", made.id());
    let bare = server.request(reqwest::Method::POST, &path).key(&server.operator);
    bare.ask().await.problem(415, "unsupported_media_type");
}
