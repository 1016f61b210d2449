use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Server, free_places, places};

async fn import(server: &Server, lines: String) -> Answer {
    let ask = server.request(Method::POST, "/v1/bookings/import").text("application/x-ndjson", lines);
    ask.key(&server.admin).ask().await
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(listing: &str, external_id: &str) -> Value {
    json!({"listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}],
           "customer": {"name": "A"}, "state": "confirmed", "external_id": external_id})
}

#[tokio::test]
async fn each_line_gets_its_own_answer_in_order() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(2)).await;
    let mut wrong = line(&listing, "e");
    wrong["lines"][0]["quantity"] = json!("1");
    let text = [
        line(&listing, "a").to_string(),
        String::new(),
        line(&listing, "a").to_string(),
        "{broken".to_owned(),
        wrong.to_string(),
        line(&listing, "b").to_string(),
        line(&listing, "c").to_string(),
        line("lst_01h455vb4pex5vsknk084sn02q", "d").to_string(),
    ]
    .join("\n");
    let answer = import(&server, text.clone()).await.ok(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let told: Vec<_> = lines(&answer)
        .iter()
        .map(|line| format!("{} {} {}", line["line"], line["status"], line["code"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "1 imported null",
            "3 skipped null",
            "4 refused malformed",
            "5 refused invalid",
            "6 imported null",
            "7 refused sold_out",
            "8 refused not_found",
        ]
    );
    let first = &lines(&answer)[0]["id"];
    assert_eq!(&lines(&answer)[1]["id"], first);
    let shown = server
        .get(&format!("/v1/bookings/{}", first.as_str().unwrap()))
        .key(&server.admin)
        .ask()
        .await
        .ok(200);
    assert_eq!(shown.json["state"], "confirmed");
    let again = import(&server, text).await.ok(200);
    assert_eq!(&lines(&again)[0]["status"], "skipped");
}

#[tokio::test]
async fn the_same_key_imports_each_line_once() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(9)).await;
    let mut plain = line(&listing, "");
    plain.as_object_mut().unwrap().remove("external_id");
    let ask = async |text: String| {
        let ask = server.request(Method::POST, "/v1/bookings/import").text("application/x-ndjson", text);
        lines(&ask.key(&server.admin).idempotent("k-1").ask().await.ok(200))
    };
    // The same booking twice is two bookings: two lines.
    let first = ask(format!("{plain}\n{plain}\n")).await;
    assert_ne!(first[0]["id"], first[1]["id"]);
    let mut other = plain.clone();
    other["customer"]["name"] = json!("B");
    let again = ask(format!("{plain}\n{plain}\n{other}\n")).await;
    assert_eq!(again[..2], first[..]);
    assert_eq!(again[2]["status"], "imported");
    let mixed = ask(format!("{other}\n")).await;
    assert_eq!((&mixed[0]["status"], &mixed[0]["code"]), (&json!("refused"), &json!("idempotency_mismatch")));
    let left = server.get(&format!("/v1/listings/{listing}/availability")).ask().await.ok(200).json;
    assert_eq!(left["pools"][0]["confirmed"], 3);
}

#[tokio::test]
async fn thousands_of_lines_keep_their_order() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(3000)).await;
    let text: String = (0..3000).map(|n| format!("{}\n", line(&listing, &n.to_string()))).collect();
    let answer = import(&server, text).await.ok(200);
    let numbers: Vec<_> = lines(&answer).iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=3000).collect::<Vec<_>>());
    assert!(lines(&answer).iter().all(|line| line["status"] == "imported"));
}

#[tokio::test]
async fn an_import_is_for_admins_and_json_lines() {
    let server = Server::start().await;
    let post = |kind: &str| server.request(Method::POST, "/v1/bookings/import").text(kind, "");
    post("application/json").ask().await.problem(415, "unsupported_media_type");
    post("application/x-ndjson").ask().await.problem(401, "unauthenticated");
    post("application/x-ndjson").key(&server.operator).ask().await.problem(403, "forbidden");
    assert_eq!(post("application/x-ndjson").key(&server.admin).ask().await.ok(200).text, "");
}

#[tokio::test]
async fn one_whose_end_has_passed_is_imported_as_completed() {
    let server = Server::start().await;
    let mut spec = places();
    spec["starts_at"] = json!("2020-01-01T00:00:00Z");
    spec["ends_at"] = json!("2020-01-01T01:00:00Z");
    let listing = server.listing(&spec).await;
    let mut past = line(&listing, "a");
    past["created_at"] = json!("2019-12-01T00:00:00Z");
    past["paid"] = json!(2_500_000);
    let answer = import(&server, past.to_string()).await.ok(200);
    let id = lines(&answer)[0]["id"].as_str().unwrap().to_owned();
    let shown = server.get(&format!("/v1/bookings/{id}")).key(&server.admin).ask().await.ok(200);
    assert_eq!(
        (&shown.json["state"], &shown.json["created_at"]),
        (&json!("completed"), &json!("2019-12-01T00:00:00Z"))
    );
}
