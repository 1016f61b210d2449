//! Fields of the wrong type, out of range, empty, enormous or unprintable.

use lastseat_testkit::TestServer;
use serde_json::{Value, json};

use crate::health::Healthy;
use crate::real::{Api, ask, booking, places};

/// Sets the field at a JSON pointer.
fn with(mut body: Value, pointer: &str, value: &Value) -> Value {
    match body.pointer_mut(pointer) {
        Some(field) => *field = value.clone(),
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[name] = value.clone();
        }
    }
    body
}

/// Numbers that are no quantity of anything.
fn no_numbers() -> Vec<Value> {
    let mut all: Vec<Value> = ["1", "", "NaN", "0x1"].into_iter().map(Value::from).collect();
    all.extend([
        json!(null),
        json!(true),
        json!([1]),
        json!({ "n": 1 }),
        json!(1.5),
        json!(-0.5),
        json!(1e30),
    ]);
    all.extend([json!(i64::MIN), json!(u64::MAX), json!(i64::MAX)]);
    all
}

/// Texts that name nobody.
fn no_texts() -> Vec<Value> {
    let mut all: Vec<Value> = ["", " ", "\t\n", "a\u{0}b", "a\u{7f}b", "a\u{1b}[31mb", "\u{85}"]
        .into_iter()
        .map(Value::from)
        .collect();
    all.push(json!("x".repeat(201)));
    all.push(json!("x".repeat(1_000_000)));
    all.push(json!("\u{1F3AD}".repeat(250_000)));
    all.extend([json!(null), json!(7), json!(true), json!(["a"]), json!({ "a": 1 })]);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_with_a_wrong_field_is_invalid_and_says_which() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(1_000)).await;
    let healthy = Healthy::beside(&api).await;
    let good = booking(&listing, "somebody");
    let mut wrong: Vec<(&str, &str, Value)> = Vec::new();
    for value in no_numbers().into_iter().chain([json!(0), json!(-1), json!(1_001), json!(1e3)]) {
        wrong.push(("/lines/0/quantity", "lines[0].quantity", value));
    }
    for value in no_texts() {
        wrong.push(("/customer/name", "customer.name", value));
    }
    for value in no_texts().into_iter().filter(|value| !value.is_null()) {
        wrong.push(("/customer/email", "customer.email", value.clone()));
        wrong.push(("/customer/phone", "customer.phone", value.clone()));
        wrong.push(("/customer/external_id", "customer.external_id", value));
    }
    for value in ["nobody", "@", "a@", "@b", "a b@c"] {
        wrong.push(("/customer/email", "customer.email", json!(value)));
    }
    for value in [json!("7"), json!(1.5), json!(1e30), json!(true)] {
        wrong.push(("/customer/telegram_id", "customer.telegram_id", value.clone()));
        wrong.push(("/expected_total", "expected_total", value));
    }
    for value in [json!(null), json!([]), json!("A"), json!(1)] {
        wrong.push(("/customer", "customer", value.clone()));
        wrong.push(("/lines", "lines", value));
    }
    for value in
        [json!("vip"), json!("standard "), json!("STANDARD"), json!("standard/2026-01-01"), json!("\u{0}")]
    {
        wrong.push(("/lines/0/pool", "lines[0].pool", value));
    }
    wrong.push(("/note", "note", json!("x".repeat(2_001))));
    wrong.push(("/note", "note", json!("a\u{0}b")));
    wrong.push(("/note", "note", json!(7)));
    wrong.push(("/lines", "lines", json!(vec![json!({ "pool": "standard", "quantity": 1 }); 10_000])));
    wrong.push(("/lines", "lines", json!(vec![json!({ "pool": "standard", "quantity": 1 }); 1_000])));
    for (pointer, field, value) in wrong {
        let what = format!("{pointer} = {:.60}", value.to_string());
        ask(api.post("/v1/bookings", &with(good.clone(), pointer, &value))).await.invalid(&what, field);
    }
    healthy.was_served().await;
    assert_eq!(api.stock(&listing).await, (1_000, 0, 0), "something was booked");
    api.book(&good).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_right_texts_come_back_as_they_were_sent() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(100)).await;
    let names = [
        "Дилноза К.".to_owned(),
        "张伟".to_owned(),
        "👩‍👩‍👧‍👦".to_owned(),
        "O'Brien \"Bob\" \\ </script><script>alert(1)</script>".to_owned(),
        "'; DROP TABLE bookings; --".to_owned(),
        "\u{202e}moc.elpmaxe".to_owned(),
        "é".repeat(200),
        "{{7*7}} ${7*7} %s %n".to_owned(),
    ];
    for name in names {
        let mut body = booking(&listing, "x");
        body["customer"] = json!({ "name": name });
        let made = api.book(&body).await;
        let path = format!("/v1/bookings/{}", made.id());
        let read = ask(api.get(&path).bearer_auth(&api.admin)).await.ok(200);
        assert_eq!(read.json["customer"]["name"], name.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_with_a_wrong_field_is_invalid_and_says_which() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let healthy = Healthy::beside(&api).await;
    let good = places(10);
    let mut wrong: Vec<(&str, &str, Value)> = Vec::new();
    for value in no_texts() {
        wrong.push(("/title", "title", value));
    }
    for value in no_numbers().into_iter().chain([json!(-1), json!(1_000_001)]) {
        wrong.push(("/pools/0/capacity", "pools[0].capacity", value));
    }
    for value in no_numbers().into_iter().chain([json!(0), json!(86_401)]) {
        wrong.push(("/policy/hold_seconds", "policy.hold_seconds", value));
    }
    for value in ["", "Mars/Olympus", "utc+5", "Asia/Tashkent\u{0}", "../../etc/passwd"] {
        wrong.push(("/timezone", "timezone", json!(value)));
    }
    for value in ["", "eur", "EURO", "EU1", "€"] {
        wrong.push(("/currency", "currency", json!(value)));
    }
    for value in
        ["", "tomorrow", "2026-12-24", "2026-12-24T25:00:00Z", "2026-12-24T17:00:00", "1969-12-31T23:59:59Z"]
    {
        wrong.push(("/starts_at", "starts_at", json!(value)));
        wrong.push(("/sale_opens_at", "sale_opens_at", json!(value)));
    }
    for value in [json!("gig"), json!(null), json!(1)] {
        wrong.push(("/kind", "kind", value));
    }
    wrong.push(("/policy/max_quantity", "policy.max_quantity", json!(1_001)));
    wrong.push(("/policy/max_quantity", "policy.max_quantity", json!(0)));
    wrong.push(("/policy/max_per_customer", "policy.max_per_customer", json!(0)));
    wrong.push(("/policy/no_such_term", "policy.no_such_term", json!(1)));
    wrong.push(("/pools", "pools", json!([])));
    wrong.push(("/pools", "pools", json!(vec![json!({ "key": "a", "capacity": 1 }); 2])));
    wrong.push(("/status", "status", json!("open")));
    for (pointer, field, value) in wrong {
        let what = format!("{pointer} = {:.60}", value.to_string());
        let request = api.post("/v1/listings", &with(good.clone(), pointer, &value)).bearer_auth(&api.admin);
        ask(request).await.invalid(&what, field);
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_that_are_too_long_or_too_fine_are_invalid_at_once() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let healthy = Healthy::beside(&api).await;
    let nights = |from: &str, until: &str| {
        json!({
            "kind": "nights", "title": "Hotel", "timezone": "Asia/Tashkent", "currency": "UZS",
            "resources": [{ "key": "double", "capacity": 1 }], "calendar": { "from": from, "until": until }
        })
    };
    for (from, until) in [
        ("2026-01-01", "2026-01-01"),
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01", "2028-09-28"),
        ("0001-01-01", "9999-12-31"),
        ("1969-01-01", "1969-02-01"),
    ] {
        let request = api.post("/v1/listings", &nights(from, until)).bearer_auth(&api.admin);
        ask(request).await.invalid(&format!("{from} to {until}"), "calendar");
    }
    for date in ["2026-02-30", "2026-13-01", "20260101", "today", "2026-01-01T00:00:00Z"] {
        let request = api.post("/v1/listings", &nights(date, "2026-12-31")).bearer_auth(&api.admin);
        ask(request).await.invalid(date, "calendar.from");
    }
    // A thousand days of minutes on a thousand pitches: far more pools than a listing may have.
    let resources: Vec<Value> =
        (0..1_000).map(|n| json!({ "key": format!("p{n}"), "capacity": 1 })).collect();
    let slots = json!({
        "kind": "slots", "title": "Pitches", "timezone": "Europe/Berlin", "currency": "EUR",
        "resources": resources, "calendar": { "from": "2090-01-01", "until": "2092-09-27" }, "slot_minutes": 1,
        "opening_hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "until": "24:00" }]
    });
    ask(api.post("/v1/listings", &slots).bearer_auth(&api.admin)).await.invalid("pitches", "calendar");
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_headers_out_of_range_are_invalid() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    for limit in ["0", "-1", "201", "x", "", "1e2", "99999999999999999999"] {
        for list in ["/v1/listings", "/v1/bookings", "/v1/events"] {
            let request = api.get(&format!("{list}?limit={limit}")).bearer_auth(&api.admin);
            ask(request).await.invalid(&format!("{list} {limit}"), "limit");
        }
    }
    for query in [
        "cursor=nonsense",
        "cursor=",
        "state=new",
        "listing_id=1",
        "reference=%00",
        "no_such=1",
        "limit=1&limit=2",
    ] {
        let answer = ask(api.get(&format!("/v1/bookings?{query}")).bearer_auth(&api.admin)).await;
        answer.problem(query, 422, "invalid");
    }
    ask(api.get("/v1/events?after=nonsense").bearer_auth(&api.admin)).await.invalid("after", "after");
    for key in ["", " ", "a b", "ключ", &"k".repeat(256)] {
        let request = api.post("/v1/bookings", &booking(&listing, "x"));
        let value = reqwest::header::HeaderValue::from_bytes(key.as_bytes()).unwrap();
        ask(request.header("idempotency-key", value)).await.problem(key, 422, "invalid");
    }
    for version in ["7", "\"x\"", "W/\"1\"", "\"-1\"", "\"99999999999999999999\""] {
        let patch = api.request(reqwest::Method::PATCH, &format!("/v1/listings/{listing}"));
        let patch =
            patch.json(&json!({ "title": "New" })).bearer_auth(&api.admin).header("if-match", version);
        let answer = ask(patch).await;
        assert!(matches!(answer.status.as_u16(), 409 | 422), "{version}: {}", answer.text);
    }
    assert_eq!(api.stock(&listing).await.0, 10, "something was booked");
}
