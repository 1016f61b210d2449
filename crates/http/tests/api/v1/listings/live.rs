use std::time::Duration;

use serde_json::json;

use crate::support::{Ask, Events, Server, booking, free_places};

fn two_pools() -> serde_json::Value {
    let mut spec = free_places(1000);
    spec["pools"] = json!([{"key": "standard", "capacity": 1000}, {"key": "balcony", "capacity": 5}]);
    spec["policy"] = json!({"max_quantity": 1000});
    spec
}

#[tokio::test]
async fn the_first_event_is_full_and_the_next_say_what_changed() {
    let server = Server::start().await;
    let listing = server.listing(&two_pools()).await;
    let path = format!("/v1/listings/{listing}/live");
    let mut events = Events::open(server.get(&path)).await;
    let first = events.next().await.unwrap();
    assert_eq!((first.name.as_str(), &first.data["full"]), ("availability", &json!(true)));
    assert_eq!(first.id, first.data["version"].to_string());
    assert_eq!(first.data["pools"].as_array().unwrap().len(), 2);
    server.book(&listing).await;
    let second = events.next().await.unwrap();
    assert_eq!(second.data["full"], false);
    let pools = second.data["pools"].as_array().unwrap();
    assert_eq!((pools.len(), &pools[0]["key"], &pools[0]["available"]), (1, &json!("standard"), &json!(999)));
    assert!(second.id.parse::<u64>().unwrap() > first.id.parse().unwrap());
}

#[tokio::test]
async fn who_comes_back_hears_what_was_missed_and_a_stranger_hears_all() {
    let server = Server::start().await;
    let listing = server.listing(&two_pools()).await;
    let path = format!("/v1/listings/{listing}/live");
    let seen = Events::open(server.get(&path)).await.next().await.unwrap().id;
    server.book(&listing).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut back = Events::open(server.get(&path).header("last-event-id", &seen)).await;
    let missed = back.next().await.unwrap();
    assert_eq!((&missed.data["full"], &missed.data["pools"][0]["available"]), (&json!(false), &json!(999)));
    for unknown in ["999999", "nonsense", "-1"] {
        let mut stranger = Events::open(server.get(&path).header("last-event-id", unknown)).await;
        assert_eq!(stranger.next().await.unwrap().data["full"], true, "{unknown}");
    }
}

#[tokio::test]
async fn many_commits_make_few_events_and_the_last_is_true() {
    let server = Server::start().await;
    let listing = server.listing(&two_pools()).await;
    let mut events = Events::open(server.get(&format!("/v1/listings/{listing}/live"))).await;
    events.next().await.unwrap();
    let begun = std::time::Instant::now();
    let body = booking(&listing);
    for _ in 0..10 {
        let asks = (0..20).map(|_| server.post("/v1/bookings", &body).ask());
        futures_util::future::join_all(asks).await;
    }
    let mut count = 0;
    loop {
        count += 1;
        let event = events.next().await.unwrap();
        if event.data["pools"].get(0).is_some_and(|pool| pool["available"] == 800) {
            break;
        }
    }
    let most = begun.elapsed().as_millis() / 100 + 2;
    assert!(count <= most, "{count} events in {:?}", begun.elapsed());
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = Server::start().await;
    let listing = server.listing(&two_pools()).await;
    let mut events = Events::open(server.get(&format!("/v1/listings/{listing}/live"))).await;
    events.next().await.unwrap();
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(events.next().await.is_none());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_draft_has_no_stream_for_the_public() {
    let server = Server::start().await;
    let mut spec = two_pools();
    spec["status"] = json!("draft");
    let listing = server.listing(&spec).await;
    server.get(&format!("/v1/listings/{listing}/live")).ask().await.problem(404, "not_found");
}
