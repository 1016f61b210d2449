//! Twenty customers want the last room, by the program's own crowd.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod real;

use lastseat_testkit::{TestServer, lastseat_command};
use real::{Api, ask};
use serde_json::{Value, json};

/// How many want the room.
const USERS: &str = "20";

/// Runs `lastseat bench crowd --json` against a server.
fn crowd(server: &TestServer, listing: &str) -> Value {
    let mut command = lastseat_command().unwrap();
    command.args(["bench", "crowd", "--json", "--users", USERS, "--listing", listing, "--url"]);
    let output = command.arg(server.base_url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A hotel that has one room left, in one night.
fn hotel(payment: &[&str]) -> Value {
    json!({
        "kind": "nights", "category": "hotel", "title": "Hotel Sirdaryo", "timezone": "Asia/Tashkent", "currency": "UZS",
        "resources": [{ "key": "double", "capacity": 1, "price": 45_000_000 }],
        "calendar": { "from": "2090-12-24", "until": "2090-12-25" },
        "policy": { "payment": payment }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_customers_one_gets_the_last_room_and_keeps_it_through_a_kill() {
    for payment in [&[][..], &["receipt"]] {
        let mut server = TestServer::start().unwrap();
        let api = Api::of(&server);
        let listing = api.listing(&hotel(payment)).await;
        let report = crowd(&server, &listing);
        assert_eq!((report["201"].as_u64(), report["409"].as_u64()), (Some(1), Some(19)), "{report}");
        assert_eq!(report["refusals"], json!({ "sold_out": 19 }), "{report}");
        for nothing in ["5xx", "other", "failed"] {
            assert_eq!(report[nothing], 0, "{report}");
        }
        assert_eq!(
            (report["oversold"].as_bool(), report["available"].as_i64()),
            (Some(false), Some(0)),
            "{report}"
        );
        server.kill().unwrap();
        server.verify().unwrap();
        server.restart().unwrap();
        let rows = api.bookings(&listing).await;
        let states: Vec<_> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
        assert_eq!(states, [if payment.is_empty() { "confirmed" } else { "held" }]);
        assert_eq!(rows[0]["lines"][0]["pool"], "double/2090-12-24");
        // Sold is sold, also after the kill.
        let late = json!({
            "listing_id": listing, "customer": { "name": "Late" },
            "stay": { "resource": "double", "check_in": "2090-12-24", "check_out": "2090-12-25" }
        });
        ask(api.post("/v1/bookings", &late)).await.problem("a late customer", 409, "sold_out");
        server.verify().unwrap();
    }
}
