//! Ids that are none, ids of other things, and things of other people.

use lastseat_testkit::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::health::Healthy;
use crate::real::{Api, ask, booking, places};

/// Texts that are no id of a booking.
fn no_ids() -> Vec<String> {
    let mut all: Vec<String> = [
        "1",
        "bkg_",
        "bkg_x",
        "null",
        "undefined",
        "%20",
        "%00",
        "bkg_01h455vb4pex5vsknk084sn02q%0a",
        "BKG_01H455VB4PEX5VSKNK084SN02Q",
        "bkg_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "01h455vb4pex5vsknk084sn02q",
        "bkg-01h455vb4pex5vsknk084sn02q",
        "bkg_01h455vb4pex5vsknk084sn02",
        "bkg_01h455vb4pex5vsknk084sn02qq",
        "bkg_01h455vb4pex5vsknk084sn02u",
        "lst_01h455vb4pex5vsknk084sn02q",
        "bkg_01h455vb4pex5vsknk084sn02q",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("x".repeat(10_000));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_name_nothing_are_not_found_on_every_route() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let healthy = Healthy::beside(&api).await;
    let money = json!({ "payment": { "amount": 1, "currency": "UZS", "reference": "x" } });
    let verbs: Vec<(Method, &str, Value)> = vec![
        (Method::GET, "", Value::Null),
        (Method::GET, "/events", Value::Null),
        (Method::GET, "/receipts", Value::Null),
        (Method::GET, "/receipts/1", Value::Null),
        (Method::POST, "/confirm", money),
        (Method::POST, "/approve", json!({})),
        (Method::POST, "/reject", json!({ "reason": "no" })),
        (Method::POST, "/cancel", json!({})),
        (Method::POST, "/extend", json!({ "seconds": 60 })),
        (Method::POST, "/reschedule", json!({ "lines": [{ "pool": "standard", "quantity": 1 }] })),
        (Method::POST, "/refund", json!({ "amount": 1, "reference": "x" })),
    ];
    for id in no_ids() {
        for (method, verb, body) in &verbs {
            let path = format!("/v1/bookings/{id}{verb}");
            let mut request = api.request(method.clone(), &path).bearer_auth(&api.admin);
            if !body.is_null() {
                request = request.json(body);
            }
            let what = format!("{method} {path:.80}");
            ask(request).await.problem(&what, 404, "not_found");
        }
        let id = id.replace("bkg", "lst");
        for (method, verb, body) in [
            (Method::GET, "", Value::Null),
            (Method::GET, "/availability", Value::Null),
            (Method::PATCH, "", json!({ "title": "x" })),
            (Method::PUT, "/pools", json!({ "pools": [{ "key": "standard", "capacity": 1 }] })),
        ] {
            let path = format!("/v1/listings/{id}{verb}");
            let mut request = api.request(method.clone(), &path).bearer_auth(&api.admin);
            if !body.is_null() {
                request = request.json(&body);
            }
            ask(request).await.problem(&format!("{method} {path:.80}"), 404, "not_found");
        }
    }
    for id in [
        json!("lst_x"),
        json!("bkg_01h455vb4pex5vsknk084sn02q"),
        json!("lst_01h455vb4pex5vsknk084sn02q"),
        json!(""),
    ] {
        let mut body = booking(&listing, "x");
        body["listing_id"] = id.clone();
        let answer = ask(api.post("/v1/bookings", &body)).await;
        assert!(
            matches!((answer.status.as_u16(), answer.code()), (404, "not_found") | (422, "invalid")),
            "{id}: {}",
            answer.text
        );
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_of_others_cannot_be_seen_or_touched() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let (mine, other) =
        (api.book(&booking(&listing, "me")).await, api.book(&booking(&listing, "other")).await);
    let integrator = api.key("integrator").await;
    let verbs = [
        ("cancel", json!({})),
        ("extend", json!({ "seconds": 60 })),
        ("reschedule", json!({ "lines": [{ "pool": "standard", "quantity": 2 }] })),
    ];
    let path = |verb: &str| format!("/v1/bookings/{}{verb}", other.id());
    let wrong_tokens = [
        mine.token(),
        String::new(),
        "x".to_owned(),
        other.token()[1..].to_owned(),
        other.token().to_uppercase(),
        "x".repeat(5_000),
    ];
    for token in &wrong_tokens {
        ask(api.get(&path("")).header("booking-token", token)).await.problem("reading", 404, "not_found");
        ask(api.get(&format!("{}?token={token}", path("")))).await.problem(
            "reading by link",
            404,
            "not_found",
        );
        for (verb, body) in &verbs {
            let request = api.post(&path(&format!("/{verb}")), body).header("booking-token", token);
            ask(request).await.problem(verb, 404, "not_found");
        }
    }
    // Without any credential; with a key that is none; with a key of somebody who did not make it.
    ask(api.get(&path(""))).await.problem("nobody", 401, "unauthenticated");
    ask(api.get(&path("")).bearer_auth("lsk_nonsense")).await.problem("a wrong key", 401, "unauthenticated");
    ask(api.get(&path("")).bearer_auth(&integrator)).await.problem("a foreign key", 404, "not_found");
    let cancel = api.post(&path("/cancel"), &json!({})).bearer_auth(&integrator);
    ask(cancel).await.problem("a foreign key", 404, "not_found");
    let row = ask(api.get(&path("")).bearer_auth(&api.admin)).await.ok(200).json;
    assert_eq!((row["state"].as_str(), row["version"].as_i64()), (Some("held"), Some(1)));
    ask(api.get(&path("")).header("booking-token", other.token())).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_needed_and_each_role_has_its_limits() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let (operator, integrator) = (api.key("operator").await, api.key("integrator").await);
    let calls: Vec<(Method, String, Value, bool)> = vec![
        (Method::POST, "/v1/listings".into(), places(1), false),
        (Method::PATCH, format!("/v1/listings/{listing}"), json!({ "title": "x" }), false),
        (
            Method::PUT,
            format!("/v1/listings/{listing}/pools"),
            json!({ "pools": [{ "key": "standard", "capacity": 1 }] }),
            false,
        ),
        (Method::POST, "/v1/keys".into(), json!({ "role": "admin", "name": "x" }), false),
        (Method::GET, "/v1/keys".into(), Value::Null, false),
        (Method::GET, "/v1/events".into(), Value::Null, true),
    ];
    for (method, path, body, for_operators) in calls {
        let request = |key: Option<&str>| {
            let mut request = api.request(method.clone(), &path);
            if let Some(key) = key {
                request = request.bearer_auth(key);
            }
            if body.is_null() { request } else { request.json(&body) }
        };
        let what = format!("{method} {path}");
        ask(request(None)).await.problem(&what, 401, "unauthenticated");
        ask(request(Some("lsk_nonsense"))).await.problem(&what, 401, "unauthenticated");
        ask(request(Some(&integrator))).await.problem(&what, 403, "forbidden");
        let answer = ask(request(Some(&operator))).await;
        if for_operators {
            answer.ok(200);
        } else {
            answer.problem(&what, 403, "forbidden");
        }
    }
    assert_eq!(api.stock(&listing).await.0, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integrator_lists_what_it_made_and_nothing_else() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let integrator = api.key("integrator").await;
    api.book(&booking(&listing, "somebody")).await;
    let theirs =
        ask(api.post("/v1/bookings", &booking(&listing, "theirs")).bearer_auth(&integrator)).await.ok(201);
    let listed = ask(api.get("/v1/bookings").bearer_auth(&integrator)).await.ok(200).json;
    let ids: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [theirs.id()]);
    ask(api.get("/v1/bookings")).await.problem("nobody", 401, "unauthenticated");
}
