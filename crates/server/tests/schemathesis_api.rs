//! The API against its own description: schemathesis reads `/openapi.json` of the real binary, asks whatever it
//! permits and forbids, and looks at each answer.
#![allow(clippy::print_stdout, reason = "what a test prints is shown when it fails")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod real;

use std::process::Command;

use lastseat_testkit::{TestServer, python_tool};
use real::{Api, ask, booking, pdf, places, receipt};
use serde_json::{Value, json};

/// The key under which it asks.
const KEY: &str = "lsk_of-a-test-of-the-whole-api";
/// How long one run lasts, in seconds.
const SECONDS: &str = "80";
/// Most cases of one operation in one phase.
const CASES: &str = "30";
/// What requests are drawn from.
const SEED: &str = "1";
/// The directory of `hooks.py` and of what it must not expect.
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis");

fn start() -> TestServer {
    // So that logs are read afterwards: what is an error there is one here.
    TestServer::builder().env("LASTSEAT_ADMIN_KEY", KEY).args(["--log-level", "warn"]).start().unwrap()
}

/// Runs it with these arguments; it must find nothing, and leave a server that is well.
async fn run(server: &TestServer, things: &Value, args: &[&str]) {
    let api = Api { admin: KEY.to_owned(), ..Api::of(server) };
    let keys = ask(api.get("/v1/keys").bearer_auth(KEY)).await.ok(200).json;
    let own_key = keys["items"][0]["id"].as_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(python_tool("schemathesis").unwrap());
    command.current_dir(dir.path()).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", HOOKS);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("THINGS", things.to_string()).env("OWN_KEY", own_key);
    command
        .args(["--config-file", &format!("{HOOKS}/schemathesis.toml"), "run"])
        .arg(server.url("/openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {KEY}")]);
    command.args(["--max-time", SECONDS, "--max-examples", CASES, "--seed", SEED, "--request-timeout", "30"]);
    command.args(["--no-color", "--warnings", "off", "--continue-on-failure"]).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", said.lines().rev().take(8).collect::<Vec<_>>().join("\n"));

    ask(api.get("/readyz")).await.ok(200);
    ask(api.get("/v1/keys").bearer_auth(KEY)).await.ok(200);
    let log = server.stderr();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    server.verify().unwrap();
}

/// Whatever the description permits or forbids.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_fault_in_the_answers_to_what_it_makes_up() {
    let server = start();
    run(&server, &json!({}), &[]).await;
}

/// Led to what there is, so that requests get further than to "not found".
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_fault_in_the_answers_about_what_there_is() {
    let server = start();
    let api = Api { admin: KEY.to_owned(), ..Api::of(&server) };
    let things = things(&api).await;
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_headers_conformance,response_schema_conformance";
    let before = events(&api).await;
    run(&server, &things, &["--checks", checks]).await;
    let changed = events(&api).await - before;
    // How many requests fit into its time differs with the load of the machine: this has been 9 to 13.
    println!("{changed} events");
    assert!(changed >= 4, "its requests changed next to nothing: {changed} events");
}

/// How many events there are.
async fn events(api: &Api) -> usize {
    let page = ask(api.get("/v1/events?limit=200").bearer_auth(KEY)).await.ok(200).json;
    page["items"].as_array().unwrap().len()
}

/// A listing of each kind, bookings in many states, and what names and values mean something to them.
async fn things(api: &Api) -> Value {
    let nights = json!({
        "kind": "nights", "title": "Hotel", "timezone": "Asia/Tashkent", "currency": "UZS",
        "resources": [{ "key": "double", "capacity": 5, "price": 100 }],
        "calendar": { "from": "2090-12-01", "until": "2091-01-01" }
    });
    let slots = json!({
        "kind": "slots", "title": "Pitch", "timezone": "Europe/Berlin", "currency": "EUR", "slot_minutes": 60,
        "resources": [{ "key": "pitch", "capacity": 1, "price": 100 }],
        "calendar": { "from": "2090-12-01", "until": "2090-12-03" },
        "opening_hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "until": "22:00" }]
    });
    let show = places(1_000);
    let listing = api.listing(&show).await;
    let listings = [listing.clone(), api.listing(&nights).await, api.listing(&slots).await];
    let mut bookings = Vec::new();
    for n in 0..8 {
        let held = api.book(&booking(&listing, &format!("customer {n}"))).await;
        let to = |verb: &str| format!("/v1/bookings/{}/{verb}", held.id());
        let change = match n {
            0 | 1 => {
                let form = receipt(pdf("x"), "receipt.pdf", "application/pdf");
                let upload = api.request(reqwest::Method::POST, &to("payment")).multipart(form);
                Some(upload.header("booking-token", held.token()))
            }
            2 | 3 => {
                let money =
                    json!({ "payment": { "amount": 2_500_000, "currency": "UZS", "reference": "x" } });
                Some(api.post(&to("confirm"), &money).bearer_auth(&api.admin))
            }
            4 => Some(api.post(&to("cancel"), &json!({})).bearer_auth(&api.admin)),
            _ => None,
        };
        if let Some(change) = change {
            ask(change).await.ok(200);
        }
        bookings.push(held.id());
    }
    // One that is sold out, with some who wait.
    let full = api.listing(&places(1)).await;
    api.book(&booking(&full, "who has it")).await;
    let mut waiting = Vec::new();
    for n in 0..4 {
        let wish = json!({ "lines": [{ "pool": "standard", "quantity": 1 }], "customer": { "name": format!("waits {n}") } });
        let joined = ask(api.post(&format!("/v1/listings/{full}/waitlist"), &wish)).await.ok(201);
        waiting.push(joined.json["id"].as_str().unwrap().to_owned());
    }
    let listings = [&listings[..], &[full.clone(), full]].concat();
    json!({
        "listing": listings, "listing_id": listings, "booking": bookings, "waitlist": waiting,
        "pool": ["standard", "double/2090-12-24", "pitch/2090-12-01T09:00Z"], "resource": ["double", "pitch"],
        "kind": ["places", "nights", "slots"], "timezone": ["Asia/Tashkent"], "currency": ["UZS", "EUR"],
        "check_in": ["2090-12-24"], "check_out": ["2090-12-26"], "starts_at": ["2090-12-01T09:00:00Z", null],
        "amount": [2_500_000, 1], "n": ["1"], "title": ["A listing"], "name": ["Dilnoza K."]
    })
}
