use serde_json::json;

use crate::support::{Ask, Server, free_places, places};

async fn titles(server: &Server, query: &str) -> Vec<String> {
    let found = server.get(&format!("/v1/listings?{query}")).ask().await.ok(200);
    let items = found.json["items"].as_array().unwrap();
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

fn hotel() -> serde_json::Value {
    json!({"kind": "nights", "category": "hotel", "title": "Hotel Sonne", "city": "Bolzano",
           "timezone": "Europe/Rome", "currency": "EUR", "calendar": {"from": "2090-12-01", "until": "2090-12-10"},
           "resources": [{"key": "double", "capacity": 2, "price": 9900}]})
}

#[tokio::test]
async fn listings_are_found_by_what_they_are_and_when() {
    let server = Server::start().await;
    for spec in [places(), free_places(1), hotel()] {
        server.listing(&spec).await;
    }
    let (gig, lecture, hotel) = ("Warehouse night shift", "Open lecture", "Hotel Sonne");
    assert_eq!(titles(&server, "").await, [gig, lecture, hotel]);
    assert_eq!(titles(&server, "kind=nights").await, [hotel]);
    assert_eq!(titles(&server, "city=bolzano").await, [hotel]);
    assert_eq!(titles(&server, "category=GIG").await, [gig]);
    assert_eq!(titles(&server, "q=shift+tashkent").await, [gig]);
    assert_eq!(titles(&server, "q=shift+bolzano").await, Vec::<String>::new());
    assert_eq!(titles(&server, "from=2090-12-09&until=2090-12-20").await, [hotel]);
    assert_eq!(titles(&server, "from=2090-12-10").await, [gig, lecture]);
    // 17:00 UTC is 22:00 in Tashkent and 18:00 in Berlin; the shift lasts until the morning after.
    assert_eq!(titles(&server, "from=2090-12-25").await, [gig]);
    assert_eq!(titles(&server, "until=2090-12-24T17:00:00Z&from=2090-12-11").await, Vec::<String>::new());
}

#[tokio::test]
async fn drafts_are_listed_for_keys_only() {
    let server = Server::start().await;
    let mut spec = places();
    spec["status"] = json!("draft");
    server.listing(&spec).await;
    assert!(titles(&server, "").await.is_empty());
    let found = server.get("/v1/listings").key(&server.integrator).ask().await.ok(200);
    assert_eq!(found.json["items"].as_array().unwrap().len(), 1);
    server.get("/v1/listings").key("wrong").ask().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let server = Server::start().await;
    for n in 0..5 {
        let mut spec = places();
        spec["title"] = json!(format!("Shift {n}"));
        server.listing(&spec).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/v1/listings?limit=2{cursor}")).ask().await.ok(200);
        seen.extend(page.json["items"].as_array().unwrap().iter().map(|item| item["title"].clone()));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..5).map(|n| json!(format!("Shift {n}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let get = |query: &str| server.get(&format!("/v1/listings?{query}")).ask();
    get("kind=beds").await.invalid(&["kind"]);
    get("from=soon&until=2090-13-01").await.invalid(&["from", "until"]);
    get("q=a&q=b").await.invalid(&["q"]);
    get("limit=201").await.invalid(&["limit"]);
    get("cursor=AAAA").await.invalid(&["cursor"]);
    get("town=x").await.invalid(&["town"]);
}
