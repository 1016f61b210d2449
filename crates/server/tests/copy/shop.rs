//! A shop with everything in it that a store can hold: every kind of listing, bookings in every state, receipts,
//! refunds, imports, keys that were revoked, limits, idempotency keys, and an edit that is still under way.

use std::path::Path;
use std::time::Duration;

use lastseat_testkit::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::real::{Answer, Api, ask, booking, pdf, places, receipt};

/// The admin key of every server.
pub const ADMIN: &str = "lsk_of-a-test-that-copies-a-shop";
/// The idempotency key of the first booking.
const FIRST: &str = "the-first-booking";

/// What a client of the shop remembers.
pub struct Memory {
    pub listing: String,
    /// The request under [`FIRST`], and its answer.
    request: Value,
    pub first: Value,
    /// A booking that waits for its receipt to be looked at.
    pub in_review: String,
    /// The ids of all events, in the order of the log.
    pub feed: Vec<String>,
    /// Where the feed ended.
    pub cursor: String,
}

pub fn serve(dir: &Path) -> TestServer {
    TestServer::builder().data_dir(dir).env("LASTSEAT_ADMIN_KEY", ADMIN).start().unwrap()
}

pub fn node(url: &str) -> TestServer {
    TestServer::builder().database_url(url).env("LASTSEAT_ADMIN_KEY", ADMIN).start().unwrap()
}

pub fn api(server: &TestServer) -> Api {
    Api { admin: ADMIN.to_owned(), ..Api::of(server) }
}

pub async fn admin(api: &Api, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = api.request(method, path).bearer_auth(&api.admin);
    ask(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// The ids of all events in the order of the feed, and the cursor behind the last one.
pub async fn feed(api: &Api) -> (Vec<String>, String) {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let after = if cursor.is_empty() { String::new() } else { format!("&after={cursor}") };
        let page = admin(api, Method::GET, &format!("/v1/events?limit=7{after}"), None).await.ok(200).json;
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        cursor = page["next"].as_str().unwrap().to_owned();
        if items.is_empty() {
            return (ids, cursor);
        }
    }
}

impl Memory {
    /// Asks for the first booking once more.
    pub async fn replay(&self, api: &Api) -> Answer {
        ask(api.post("/v1/bookings", &self.request).header("Idempotency-Key", FIRST)).await
    }

    /// Asserts that a server has what was promised: the replay, the token, the reference, the receipt.
    pub async fn assert_kept(&self, api: &Api) {
        let replayed = self.replay(api).await.ok(201);
        assert_eq!(replayed.header("idempotency-replayed"), "true");
        for field in ["id", "reference", "token", "state", "due_at", "version"] {
            assert_eq!(replayed.json[field], self.first[field], "{field}");
        }
        let own = format!("/v1/bookings/{}", self.first["id"].as_str().unwrap());
        ask(api.get(&own).header("Booking-Token", self.first["token"].as_str().unwrap())).await.ok(200);
        let path = format!("/v1/bookings/{}/receipts/1", self.in_review);
        let found = ask(api.get(&path).bearer_auth(&api.admin)).await.ok(200);
        assert_eq!(found.text.into_bytes(), pdf("proof"));
        // A cursor of the log that was is not one of this log.
        let path = format!("/v1/events?after={}", self.cursor);
        let foreign = admin(api, Method::GET, &path, None).await;
        assert!(foreign.status.is_client_error(), "{foreign:?}");
    }
}

fn all_kinds() -> Vec<Value> {
    vec![
        json!({
            "kind": "nights", "title": "Hôtel «Étoile» 🛏", "timezone": "Europe/Berlin", "currency": "EUR",
            "resources": [{"key": "double", "title": "Double", "capacity": 3, "price": 9_900}],
            "calendar": {"from": "2030-12-01", "until": "2031-02-01"}, "policy": {"payment": ["external"]}
        }),
        json!({
            "kind": "slots", "title": "Pitch", "timezone": "Asia/Kolkata", "currency": "INR",
            "resources": [{"key": "pitch-1", "capacity": 1, "price": 120_000}],
            "calendar": {"from": "2030-12-01", "until": "2030-12-08"},
            "opening_hours": [{"days": ["mon", "tue", "wed"], "from": "09:00", "until": "22:00"}], "slot_minutes": 60
        }),
        json!({
            "kind": "seats", "title": "Cinema", "timezone": "America/New_York", "currency": "USD",
            "starts_at": "2030-12-24T17:00:00Z",
            "seating": {
                "plan": lastseat_core::seating::sample_plan(3, 5),
                "prices": lastseat_core::seating::SAMPLE_CATEGORIES.iter().map(|(name, _)| (*name, 1_400))
                    .collect::<std::collections::BTreeMap<_, _>>()
            },
            "pools": [{"key": "standing", "capacity": 20, "price": 900}]
        }),
        json!({"kind": "places", "title": "Draft", "timezone": "UTC", "currency": "USD", "status": "draft",
            "pools": [{"key": "a", "capacity": 1, "price": 0}]}),
    ]
}

/// Fills a directory; nothing serves it in the end.
pub async fn fill(dir: &Path) -> Memory {
    let mut server = serve(dir);
    let api = api(&server);
    let mut form = places(40);
    form["starts_at"] = json!("2030-12-24T17:00:00Z");
    form["policy"]["max_open_holds"] = json!(30);
    let listing = api.listing(&form).await;
    let mut others = Vec::new();
    for form in all_kinds() {
        others.push(api.listing(&form).await);
    }
    sell_other_kinds(&api, &others).await;

    let request = booking(&listing, "the first");
    let first = ask(api.post("/v1/bookings", &request).header("Idempotency-Key", FIRST)).await.ok(201).json;
    let key = json!({"role": "integrator", "name": "to be revoked"});
    let made = admin(&api, Method::POST, "/v1/keys", Some(key)).await.ok(201);
    admin(&api, Method::DELETE, &format!("/v1/keys/{}", made.id()), None).await.ok(204);
    api.key("operator").await;
    let in_review = every_state(&api, &listing).await;
    import(&api, &listing).await;
    expire(&api).await;
    let edit = json!({"starts_at": "2030-12-25T17:00:00Z", "ends_at": "2030-12-25T20:00:00Z"});
    admin(&api, Method::PATCH, &format!("/v1/listings/{listing}"), Some(edit)).await.ok(200);
    let (feed, cursor) = feed(&api).await;
    assert_eq!(server.terminate().unwrap(), 0);
    leave_edit_under_way(dir);
    Memory { listing, request, first, in_review, feed, cursor }
}

async fn sell_other_kinds(api: &Api, others: &[String]) {
    let customer = json!({"name": "Ana\u{301} \"Q\" \\ 'x'", "email": "Ana@Example.org"});
    for (listing, what) in [
        (
            &others[0],
            json!({"stay": {"resource": "double", "check_in": "2030-12-24", "check_out": "2030-12-27", "quantity": 1}}),
        ),
        (
            &others[1],
            json!({"slot": {"resource": "pitch-1", "starts_at": "2030-12-02T09:30:00Z", "slots": 2}}),
        ),
        (&others[2], json!({"lines": [{"pool": "A-1", "quantity": 1}, {"pool": "A-2", "quantity": 1}]})),
        (&others[2], json!({"lines": [{"pool": "standing", "quantity": 3}]})),
    ] {
        let mut body = what;
        body["listing_id"] = json!(listing);
        body["customer"] = customer.clone();
        body["note"] = json!("line one\nline two\t✓");
        api.book(&body).await;
    }
}

/// One booking in each state but `expired` and `completed`; gives the id of the one in review.
async fn every_state(api: &Api, listing: &str) -> String {
    let mut made = Vec::new();
    for name in ["stays", "reviewed", "rejected", "paid", "refunded", "moved", "approved"] {
        made.push(api.book(&booking(listing, name)).await.json);
    }
    let path =
        |index: usize, call: &str| format!("/v1/bookings/{}/{call}", made[index]["id"].as_str().unwrap());
    for index in [1, 2, 6] {
        let token = made[index]["token"].as_str().unwrap();
        let form = receipt(pdf("proof"), "proof.pdf", "application/pdf");
        let sent =
            api.request(Method::POST, &path(index, "payment")).header("Booking-Token", token).multipart(form);
        ask(sent).await.ok(200);
    }
    let paid = json!({"payment": {"amount": 2_500_000, "currency": "UZS", "reference": "bank-1"}});
    let paid_too = json!({"payment": {"amount": 2_500_000, "currency": "UZS", "reference": "bank-2"}});
    for (index, call, body) in [
        (2, "reject", json!({"reason": "not readable"})),
        (3, "confirm", paid),
        (4, "confirm", paid_too),
        (4, "cancel", json!({"reason": "changed plans"})),
        (4, "refund", json!({"amount": 1_000_000, "reference": "back-1"})),
        (5, "extend", json!({"seconds": 60})),
        (6, "approve", json!({})),
    ] {
        let answer = admin(api, Method::POST, &path(index, call), Some(body)).await;
        assert!(answer.status.is_success() || call == "extend", "{call}: {answer:?}");
    }
    made[1]["id"].as_str().unwrap().to_owned()
}

async fn import(api: &Api, listing: &str) {
    let line = |id: &str, state: &str| {
        json!({"listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": id},
            "state": state, "created_at": "2026-01-01T00:00:00Z", "paid": 0, "external_id": id})
        .to_string()
    };
    let body = [line("old-1", "confirmed"), line("old-2", "cancelled")].join("\n");
    let request = api.request(Method::POST, "/v1/bookings/import").bearer_auth(&api.admin);
    let answer = ask(request.header("content-type", "application/x-ndjson").body(body)).await.ok(200);
    assert_eq!(answer.text.matches("\"imported\"").count(), 2, "{}", answer.text);
}

/// A hold that lapses, and a booking whose event ends.
async fn expire(api: &Api) {
    let soon = json!({
        "kind": "places", "title": "Soon over", "timezone": "UTC", "currency": "USD",
        "pools": [{"key": "standard", "capacity": 5, "price": 100}],
        "policy": {"payment": ["external"], "hold_seconds": 1}
    });
    let listing = api.listing(&soon).await;
    let held = api.book(&booking(&listing, "late")).await.id();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let path = format!("/v1/bookings/{held}/events");
        let events = admin(api, Method::GET, &path, None).await.ok(200).text;
        if events.contains("booking.expired") {
            return;
        }
    }
    panic!("the hold does not lapse");
}

/// Puts an edit back to where a server leaves it that dies before all bookings have followed.
fn leave_edit_under_way(dir: &Path) {
    let file = rusqlite::Connection::open(dir.join("lastseat.db")).unwrap();
    let sql = "UPDATE listings SET renewed = 1, renew_through = (SELECT max(no) FROM bookings WHERE listing_no = 1) WHERE no = 1";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
}
