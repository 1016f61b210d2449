//! `lastseat booking`.

use lastseat_testkit::TestServer;
use serde_json::Value;

use crate::kit::{as_admin, book, create_listing, places, server};

/// Hands in a receipt, as the customer does.
fn hand_in_receipt(server: &TestServer, booking: &Value) {
    let text = |field: &str| booking[field].as_str().unwrap().to_owned();
    let url = server.url(&format!("/v1/bookings/{}/payment", text("id")));
    let picture = include_bytes!("../../assets/sample-receipt.png").as_slice();
    let send = async {
        let part = reqwest::multipart::Part::bytes(picture).file_name("receipt.png");
        let form = reqwest::multipart::Form::new().part("receipt", part);
        let client = lastseat_testkit::http_client().unwrap();
        client.post(url).header("booking-token", text("token")).multipart(form).send().await.unwrap()
    };
    let answer = tokio::runtime::Runtime::new().unwrap().block_on(send);
    assert_eq!(answer.status(), 200);
}

#[test]
fn bookings_are_listed_shown_and_decided_by_id_or_reference() {
    let server = server();
    let listing = create_listing(&server, &places(10));
    let names = ["Aziza Sample", "Jonas Sample", "Maya Sample"];
    let bookings = names.map(|name| book(&server, &listing, name));
    bookings[..2].iter().for_each(|booking| hand_in_receipt(&server, booking));
    let reference = |number: usize| bookings[number]["reference"].as_str().unwrap();

    let waiting = as_admin(&server, &["booking", "list", "--state", "in_review"]).ok().out;
    assert!(waiting.contains("Aziza Sample") && waiting.contains("Jonas Sample"), "{waiting}");
    assert!(!waiting.contains("Maya Sample") && waiting.contains("25,000.00 UZS"), "{waiting}");

    as_admin(&server, &["booking", "approve", reference(0)]).ok().refused(0, "is confirmed now");
    let again = as_admin(&server, &["booking", "approve", reference(0)]);
    again.refused(1, "wrong_state");
    let reason = "The receipt is of another payment.";
    as_admin(&server, &["booking", "reject", reference(1), "--reason", reason]).ok();
    let id = bookings[2]["id"].as_str().unwrap();
    let cancelled = as_admin(&server, &["booking", "cancel", id, "--json"]).ok().json();
    assert_eq!(cancelled["state"], "cancelled");

    let shown = as_admin(&server, &["booking", "show", &reference(1).to_lowercase()]).ok().out;
    assert!(shown.contains("rejected") && shown.contains(reason), "{shown}");
    let paid = as_admin(&server, &["booking", "cancel", reference(0)]).ok();
    assert!(paid.err.contains("25,000.00 UZS has to be paid back"), "{paid:?}");
    let all = as_admin(&server, &["booking", "list", "--listing", &listing, "--json"]).ok().json();
    assert_eq!(all.as_array().unwrap().len(), 3);
    let one = as_admin(&server, &["booking", "list", "--customer", "maya", "--json"]).ok().json();
    assert_eq!(one[0]["reference"], bookings[2]["reference"]);
}

#[test]
fn bookings_that_are_not_there_are_said_not_to_be() {
    let server = server();
    as_admin(&server, &["booking", "show", "bkg_01h455vb4pex5vsknk084sn02q"]).refused(2, "not_found");
    as_admin(&server, &["booking", "show", "7K3QW9ZD"]).refused(2, "no booking with the reference");
    as_admin(&server, &["booking", "show", "bkg_../keys"]).refused(2, "is no id of a booking");
    as_admin(&server, &["booking", "list", "--state", "sold"]).refused(2, "in_review");
    let none = as_admin(&server, &["booking", "list"]).ok();
    assert!(none.out.is_empty() && none.err.contains("no bookings"), "{none:?}");
}

#[test]
fn lists_go_on_past_a_page() {
    let server = server();
    let listing = create_listing(&server, &places(1_000));
    let lines: Vec<String> = (0..250)
        .map(|number| {
            serde_json::json!({
                "listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "state": "confirmed",
                "customer": {"name": format!("Sample {number}")}, "external_id": number.to_string(),
            })
            .to_string()
        })
        .collect();
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    as_admin(&server, &["import", &file.path().to_string_lossy()]).ok();
    let all = as_admin(&server, &["booking", "list", "--json"]).ok().json();
    let ids: std::collections::BTreeSet<&str> =
        all.as_array().unwrap().iter().map(|booking| booking["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 250);
    let some = as_admin(&server, &["booking", "list", "--limit", "7", "--json"]).ok().json();
    assert_eq!(some.as_array().unwrap().len(), 7);
}
