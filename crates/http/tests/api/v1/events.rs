use serde_json::{Value, json};

use crate::support::{Ask, Events, Server, places};

fn types(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_feed_goes_on_where_it_ended() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let get = |after: &str| server.get(&format!("/v1/events?limit=2{after}")).key(&server.operator).ask();
    server.book(&listing).await;
    let first = get("").await.ok(200).json;
    assert_eq!(types(&first), ["listing.created", "booking.held"]);
    assert_eq!(first["items"][0]["booking_id"], Value::Null);
    let after = format!("&after={}", first["next"].as_str().unwrap());
    let none = get(&after).await.ok(200).json;
    assert_eq!((types(&none), &none["next"]), (vec![], &first["next"]));
    let made = server.book(&listing).await;
    let more = get(&after).await.ok(200).json;
    assert_eq!((types(&more), &more["items"][0]["booking_id"]), (vec!["booking.held"], &json!(made.id())));
    get("&after=AAAA").await.invalid(&["after"]);
    let cursor =
        server.get("/v1/bookings?limit=1").key(&server.operator).ask().await.json["next_cursor"].clone();
    get(&format!("&after={}", cursor.as_str().unwrap())).await.invalid(&["after"]);
}

#[tokio::test]
async fn the_feed_of_one_listing_has_nothing_of_others() {
    let server = Server::start().await;
    let (one, two) = (server.listing(&places()).await, server.listing(&places()).await);
    server.book(&one).await;
    let made = server.book(&two).await;
    let page =
        server.get(&format!("/v1/events?listing_id={two}")).key(&server.operator).ask().await.ok(200).json;
    assert_eq!(types(&page), ["listing.created", "booking.held"]);
    assert_eq!(page["items"][1]["booking_id"], made.id());
}

#[tokio::test]
async fn the_feed_stays_open_and_can_be_taken_up_again() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let open = |last: &str| {
        let ask = server.get("/v1/events").key(&server.operator).header("accept", "text/event-stream");
        Events::open(if last.is_empty() { ask } else { ask.header("last-event-id", last) })
    };
    let mut events = open("").await;
    let first = events.next().await.unwrap();
    assert_eq!((first.name.as_str(), &first.data["type"]), ("listing.created", &json!("listing.created")));
    let made = server.book(&listing).await;
    let second = events.next().await.unwrap();
    assert_eq!(second.data["booking_id"], made.id());
    drop(events);
    let mut again = open(&first.id).await;
    assert_eq!(again.next().await.unwrap().data["booking_id"], made.id());
}

#[tokio::test]
async fn the_feed_is_for_operators() {
    let server = Server::start().await;
    server.get("/v1/events").ask().await.problem(401, "unauthenticated");
    server.get("/v1/events").key(&server.integrator).ask().await.problem(403, "forbidden");
    server
        .get("/v1/events")
        .header("accept", "text/event-stream")
        .ask()
        .await
        .problem(401, "unauthenticated");
}
