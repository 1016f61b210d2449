//! What there is when schemathesis is led: a listing of each kind, bookings in the state that each operation asks for, some
//! who wait, and bodies that are accepted. `hooks.py` says how they are used.

use lastseat_testkit::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::KEY;
use crate::real::{Api, ask, pdf, places, receipt};

/// Bookings for each operation: more than it changes, and few enough to be made quickly.
const EACH: usize = 12;

/// What a place costs.
const PRICE: i64 = 2_500_000;

/// Makes it all.
pub(crate) async fn things(server: &TestServer) -> Value {
    let api = Api { admin: KEY.to_owned(), ..Api::of(server) };
    let show = api.listing(&show()).await;
    let edited = api.listing(&places(1_000)).await;
    let listings = [show.clone(), api.listing(&nights()).await, api.listing(&slots()).await];
    // One that is sold out, with some who wait.
    let full = api.listing(&places(1)).await;
    api.book(&crate::real::booking(&full, "who has it")).await;
    let mut waiting = Vec::new();
    for _ in 0..EACH {
        let wish = fill(&wish(), waiting.len());
        let joined = ask(api.post(&format!("/v1/listings/{full}/waitlist"), &wish)).await.ok(201);
        waiting.push(joined.id());
    }
    let seen = [&listings[..], std::slice::from_ref(&full)].concat();
    let mut ids = json!({
        "listing": seen, "waitlist": waiting,
        "POST /v1/listings/{id}/waitlist": [full], "GET /v1/listings/{id}/waitlist": [full],
        "PATCH /v1/listings/{id}": [edited], "PUT /v1/listings/{id}/pools": [edited],
    });
    let mut all = Vec::new();
    for verb in
        ["confirm", "cancel", "extend", "payment", "reschedule", "approve", "reject", "refund", "receipts"]
    {
        let bookings = bookings_for(&api, &show, verb).await;
        let path = if verb == "receipts" {
            "GET /v1/bookings/{id}/receipts".to_owned()
        } else {
            format!("POST /v1/bookings/{{id}}/{verb}")
        };
        ids[path] = json!(bookings);
        all.extend(bookings);
    }
    ids["GET /v1/bookings/{id}/receipts/{n}"] = ids["GET /v1/bookings/{id}/receipts"].clone();
    ids["booking"] = json!(all);
    json!({ "ids": ids, "bodies": bodies(&show), "values": values(&listings) })
}

/// Bookings with which this can be done.
async fn bookings_for(api: &Api, listing: &str, verb: &str) -> Vec<String> {
    let mut bookings = Vec::new();
    for number in 0..EACH {
        let held = api.book(&fill(&booking(listing), number)).await;
        let to = |verb: &str| format!("/v1/bookings/{}/{verb}", held.id());
        let pay = api.post(&to("confirm"), &fill(&payment(), number)).bearer_auth(KEY);
        match verb {
            "approve" | "reject" | "receipts" => {
                let form = receipt(pdf("x"), "receipt.pdf", "application/pdf");
                let upload = api.request(Method::POST, &to("payment")).multipart(form);
                ask(upload.header("booking-token", held.token())).await.ok(200);
            }
            "refund" => {
                ask(pay).await.ok(200);
                ask(api.post(&to("cancel"), &json!({})).bearer_auth(KEY)).await.ok(200);
            }
            "cancel" if number % 2 == 0 => drop(ask(pay).await.ok(200)),
            _ => {}
        }
        bookings.push(held.id());
    }
    bookings
}

/// A body with its number.
fn fill(body: &Value, number: usize) -> Value {
    serde_json::from_str(&body.to_string().replace("{}", &format!("of the test {number}"))).unwrap()
}

fn show() -> Value {
    let mut show = places(1_000);
    show["pools"] = json!([
        { "key": "standard", "capacity": 1_000, "price": PRICE },
        { "key": "balcony", "capacity": 1_000, "price": PRICE },
    ]);
    show["policy"]["hold_max_seconds"] = json!(86_400);
    show
}

fn nights() -> Value {
    json!({
        "kind": "nights", "title": "Hotel", "timezone": "Asia/Tashkent", "currency": "UZS",
        "resources": [{ "key": "double", "capacity": 5, "price": 100 }],
        "calendar": { "from": "2090-12-01", "until": "2091-01-01" }
    })
}

fn slots() -> Value {
    json!({
        "kind": "slots", "title": "Pitch", "timezone": "Europe/Berlin", "currency": "EUR", "slot_minutes": 60,
        "resources": [{ "key": "pitch", "capacity": 1, "price": 100 }],
        "calendar": { "from": "2090-12-01", "until": "2090-12-03" },
        "opening_hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "until": "22:00" }]
    })
}

fn booking(listing: &str) -> Value {
    json!({
        "listing_id": listing, "lines": [{ "pool": "standard", "quantity": 1 }],
        "customer": { "name": "Customer {}", "external_id": "customer {}" }
    })
}

fn wish() -> Value {
    json!({
        "lines": [{ "pool": "standard", "quantity": 1 }],
        "customer": { "name": "Waits {}", "external_id": "waits {}" }
    })
}

fn payment() -> Value {
    json!({ "payment": { "amount": PRICE, "currency": "UZS", "reference": "payment {}" } })
}

/// For each operation, bodies that are accepted.
fn bodies(show: &str) -> Value {
    let pools = |capacity: i64| json!({ "pools": [{ "key": "standard", "capacity": capacity }] });
    let line = |pool: &str| json!({ "lines": [{ "pool": pool, "quantity": 1 }] });
    let mut imported = booking(show);
    (imported["state"], imported["external_id"]) = (json!("held"), json!("import {}"));
    let file = json!({ "file": String::from_utf8(pdf("of the test")).unwrap() });
    json!({
        "POST /v1/listings": [places(10), nights(), slots()],
        "PATCH /v1/listings/{id}": [{ "title": "A listing {}" }],
        "PUT /v1/listings/{id}/pools": [pools(2_000), pools(1_500)],
        "POST /v1/listings/{id}/waitlist": [wish()],
        "POST /v1/bookings": [booking(show)],
        "POST /v1/bookings/import": [imported],
        "POST /v1/bookings/{id}/confirm": [payment()],
        "POST /v1/bookings/{id}/cancel": [{ "reason": "No time {}" }, {}],
        "POST /v1/bookings/{id}/extend": [{ "seconds": 60 }],
        "POST /v1/bookings/{id}/payment": [{ "receipt": file }],
        "POST /v1/bookings/{id}/reschedule": [line("balcony"), line("standard")],
        "POST /v1/bookings/{id}/approve": [{}],
        "POST /v1/bookings/{id}/reject": [{ "reason": "It is blurred {}" }],
        "POST /v1/bookings/{id}/refund": [{ "amount": 1, "reference": "refund {}" }],
        "POST /v1/keys": [{ "role": "integrator", "name": "Key {}" }],
    })
}

/// Values that mean something, by the names of fields and parameters.
fn values(listings: &[String]) -> Value {
    json!({
        "listing_id": listings,
        "pool": ["standard", "double/2090-12-24", "pitch/2090-12-01T09:00Z"], "resource": ["double", "pitch"],
        "kind": ["places", "nights", "slots"], "timezone": ["Asia/Tashkent"], "currency": ["UZS", "EUR"],
        "check_in": ["2090-12-24"], "check_out": ["2090-12-26"], "starts_at": ["2090-12-01T09:00:00Z", null],
        "amount": [PRICE, 1], "n": ["1"], "title": ["A listing"], "name": ["Dilnoza K."]
    })
}
