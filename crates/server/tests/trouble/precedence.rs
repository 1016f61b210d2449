//! Where several refusals apply, the first in the documented order is told. Each step of the order is a pair: a
//! request in which both are true.

use lastseat_testkit::TestServer;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::real::{Answer, Api, ask, booking, places};

/// A server with whatever the pairs need.
struct Scene {
    api: Api,
    _server: TestServer,
}

async fn scene() -> Scene {
    let server = TestServer::start().unwrap();
    Scene { api: Api::of(&server), _server: server }
}

impl Scene {
    fn raw(&self, path: &str, kind: &str, body: String) -> RequestBuilder {
        self.api.request(Method::POST, path).header("content-type", kind).body(body)
    }

    async fn change(&self, booking: &Answer, verb: &str, body: &Value) -> RequestBuilder {
        let path = format!("/v1/bookings/{}/{verb}", booking.id());
        self.api.post(&path, body).bearer_auth(&self.api.admin)
    }

    async fn pay(&self, booking: &Answer) {
        let money = json!({ "payment": { "amount": booking.json["total"], "currency": "UZS", "reference": booking.id() } });
        ask(self.change(booking, "confirm", &money).await).await.ok(200);
    }
}

/// A listing that is sold out for everybody, limited for `somebody`, and dearer than expected.
fn expensive(capacity: i64) -> Value {
    let mut form = places(capacity);
    form["policy"]["max_per_customer"] = 1.into();
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_the_caller_is_told_before_it() {
    let scene = scene().await;
    let json = "application/json";
    let large = || format!("{{\"note\": \"{}\"", "x".repeat(1024 * 1024));
    // 413 before 415, 415 before 400, 400 before 401, 401 before 404.
    let path = "/v1/bookings/bkg_x/cancel";
    ask(scene.raw(path, "text/plain", large()).bearer_auth("x")).await.problem("413, 415", 413, "too_large");
    ask(scene.raw(path, json, large()).bearer_auth("x")).await.problem("413, 400", 413, "too_large");
    let refused = scene.raw(path, "text/plain", "{".into()).bearer_auth("x");
    ask(refused).await.problem("415, 400", 415, "unsupported_media_type");
    ask(scene.raw(path, json, "{".into()).bearer_auth("x")).await.problem("400, 401", 400, "malformed");
    ask(scene.raw(path, json, "{}".into()).bearer_auth("x")).await.problem(
        "401, 404",
        401,
        "unauthenticated",
    );
    ask(scene.raw(path, json, "{}".into())).await.problem("401, 404", 401, "unauthenticated");
    let nowhere = scene.raw("/v1/nowhere", json, "{".into());
    ask(nowhere).await.problem("404", 404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_see_is_not_found_before_anything_else() {
    let scene = scene().await;
    let listing = scene.api.listing(&places(10)).await;
    let integrator = scene.api.key("integrator").await;
    let other = scene.api.book(&booking(&listing, "other")).await;
    let wrong = json!({ "no_such_field": 1 });
    // 404 before 403 and 422: somebody else's booking, for a call that is not for integrators anyhow.
    let path = format!("/v1/bookings/{}/approve", other.id());
    ask(scene.api.post(&path, &wrong).bearer_auth(&integrator)).await.problem("404, 403", 404, "not_found");
    // 403 before 422: its own booking, the same call.
    let request = scene.api.post("/v1/bookings", &booking(&listing, "theirs")).bearer_auth(&integrator);
    let own = ask(request).await.ok(201);
    let path = format!("/v1/bookings/{}/approve", own.id());
    ask(scene.api.post(&path, &wrong).bearer_auth(&integrator)).await.problem("403, 422", 403, "forbidden");
    let token = scene.api.post(&path, &wrong).header("booking-token", own.token());
    ask(token).await.problem("403, 422", 403, "forbidden");
    let make = scene.api.post("/v1/listings", &wrong).bearer_auth(&integrator);
    ask(make).await.problem("403, 422", 403, "forbidden");
    // 404 before 422 for a draft that the public may not see.
    let mut draft = places(1);
    draft["status"] = "draft".into();
    let draft = scene.api.listing(&draft).await;
    let mut hidden = booking(&draft, "x");
    hidden["lines"] = json!(7);
    ask(scene.api.post("/v1/bookings", &hidden)).await.problem("404, 422", 404, "not_found");
    ask(scene.api.get(&format!("/v1/listings/{draft}"))).await.problem("a draft", 404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_invalid_before_its_key_is_looked_up_and_that_before_any_state() {
    let scene = scene().await;
    let mut form = places(10);
    form["policy"]["hold_seconds"] = 600.into();
    let listing = scene.api.listing(&form).await;
    let held = scene.api.book(&booking(&listing, "x")).await;
    let keyed = async |body: Value, key: &str| {
        ask(scene.change(&held, "extend", &body).await.header("idempotency-key", key)).await
    };
    let first = keyed(json!({ "seconds": 60 }), "k").await.ok(200);
    // 422 invalid before the mismatch.
    keyed(json!({ "seconds": -1 }), "k").await.invalid("invalid, mismatch", "seconds");
    ask(scene.change(&held, "cancel", &json!({})).await).await.ok(200);
    // The mismatch before the state; and a replay whatever the state is now.
    keyed(json!({ "seconds": 61 }), "k").await.problem("mismatch, state", 422, "idempotency_mismatch");
    let again = keyed(json!({ "seconds": 60 }), "k").await.ok(200);
    assert_eq!((again.json, again.headers["idempotency-replayed"].to_str().unwrap()), (first.json, "true"));
    // A refusal is not remembered.
    keyed(json!({ "seconds": 60 }), "k2").await.problem("state", 409, "wrong_state");
    keyed(json!({ "seconds": 61 }), "k2").await.problem("state again", 409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_told_before_the_version_and_the_version_before_the_sale() {
    let scene = scene().await;
    let mut form = places(10);
    form["starts_at"] = "2090-12-24T17:00:00Z".into();
    let listing = scene.api.listing(&form).await;
    let held = scene.api.book(&booking(&listing, "x")).await;
    let old = async |verb: &str, body: Value| {
        ask(scene.change(&held, verb, &body).await.header("if-match", "\"99\"")).await
    };
    // wrong_state before stale_version.
    old("approve", json!({})).await.problem("wrong_state, stale_version", 409, "wrong_state");
    // stale_version before not_on_sale: the listing closes, and the booking is to be moved.
    let close = scene.api.request(Method::PATCH, &format!("/v1/listings/{listing}"));
    ask(close.json(&json!({ "status": "closed" })).bearer_auth(&scene.api.admin)).await.ok(200);
    let two = json!({ "lines": [{ "pool": "standard", "quantity": 2 }] });
    let stale =
        old("reschedule", two.clone()).await.problem("stale_version, not_on_sale", 409, "stale_version");
    assert_eq!(stale.json["version"], 1);
    ask(scene.change(&held, "reschedule", &two).await).await.problem("not_on_sale", 409, "not_on_sale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_lapsed_is_told_as_such_before_the_version() {
    let scene = scene().await;
    let mut form = places(10);
    form["policy"]["hold_seconds"] = 1.into();
    let listing = scene.api.listing(&form).await;
    let held = scene.api.book(&booking(&listing, "x")).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    for verb in ["cancel", "approve"] {
        let request = scene.change(&held, verb, &json!({})).await.header("if-match", "\"99\"");
        let answer = ask(request).await.problem("hold_expired, stale_version", 409, "hold_expired");
        assert_eq!(answer.json["state"], "expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_reasons_not_to_sell_the_sale_comes_first_then_the_price_the_customer_and_the_stock() {
    let scene = scene().await;
    // Sold out, and `somebody` has all that one customer may have.
    let open = scene.api.listing(&expensive(1)).await;
    let first = scene.api.book(&booking(&open, "somebody")).await;
    scene.pay(&first).await;
    let mut all = booking(&open, "somebody");
    all["expected_total"] = 1.into();
    let ask_for = async |body: &Value| ask(scene.api.post("/v1/bookings", body)).await;
    // price_changed before customer_limit before sold_out.
    let answer = ask_for(&all).await.problem("price_changed, customer_limit", 409, "price_changed");
    assert_eq!(answer.json["total"], 2_500_000);
    all["expected_total"] = Value::Null;
    ask_for(&all).await.problem("customer_limit, sold_out", 409, "customer_limit");
    let answer = ask_for(&booking(&open, "other")).await.problem("sold_out", 409, "sold_out");
    assert_eq!(answer.json["pools"][0]["key"], "standard");
    assert_eq!(
        (answer.json["pools"][0]["requested"].as_i64(), answer.json["pools"][0]["available"].as_i64()),
        (Some(1), Some(0))
    );
    // not_on_sale before all of them.
    let close = scene.api.request(Method::PATCH, &format!("/v1/listings/{open}"));
    ask(close.json(&json!({ "status": "closed" })).bearer_auth(&scene.api.admin)).await.ok(200);
    all["expected_total"] = 1.into();
    ask_for(&all).await.problem("not_on_sale, price_changed", 409, "not_on_sale");
    // And a wrong field before that.
    all["lines"][0]["quantity"] = 0.into();
    ask_for(&all).await.invalid("invalid, not_on_sale", "lines[0].quantity");
}

#[tokio::test(flavor = "multi_thread")]
async fn capacity_in_use_comes_after_the_version_and_changes_nothing() {
    let scene = scene().await;
    let listing = scene.api.listing(&places(3)).await;
    scene.api.book(&booking(&listing, "a")).await;
    scene.api.book(&booking(&listing, "b")).await;
    let put = |body: &Value| {
        let put = scene.api.request(Method::PUT, &format!("/v1/listings/{listing}/pools"));
        put.json(body).bearer_auth(&scene.api.admin)
    };
    let cut = json!({ "pools": [{ "key": "standard", "capacity": 1 }] });
    ask(put(&cut).header("if-match", "\"99\"")).await.problem("version, in use", 409, "stale_version");
    let answer = ask(put(&cut)).await.problem("in use", 409, "capacity_in_use");
    let pool = &answer.json["pools"][0];
    assert_eq!(
        (pool["key"].as_str(), pool["held"].as_i64(), pool["confirmed"].as_i64()),
        (Some("standard"), Some(2), Some(0))
    );
    ask(put(&json!({ "pools": [{ "key": "standard", "capacity": -1 }] })).header("if-match", "\"99\""))
        .await
        .invalid("invalid, version", "pools[0].capacity");
    assert_eq!(scene.api.stock(&listing).await, (1, 2, 0));
}
