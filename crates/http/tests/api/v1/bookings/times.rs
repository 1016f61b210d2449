//! Edits of a listing that move the times of its bookings: whoever has seen the old ones learns of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Events, Server, free_places, places};

async fn edit(server: &Server, listing: &str, patch: &Value) {
    let path = format!("/v1/listings/{listing}");
    server.request(Method::PATCH, &path).json(patch).key(&server.admin).ask().await.ok(200);
}

async fn read(server: &Server, made: &Answer, seen: &str) -> Answer {
    let path = format!("/v1/bookings/{}", made.id());
    server.get(&path).token(&made.token()).header("if-none-match", seen).ask().await
}

#[tokio::test]
async fn who_has_seen_the_old_times_is_told_the_new_ones() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    edit(&server, &listing, &json!({"title": "Day shift"})).await;
    assert_eq!(read(&server, &made, "\"1\"").await.status, 304);
    edit(&server, &listing, &json!({"starts_at": "2090-12-24T18:00:00Z"})).await;
    let shown = read(&server, &made, "\"1\"").await.ok(200);
    assert_eq!(shown.header("etag"), "\"1+3\"");
    assert_eq!(
        (&shown.json["version"], &shown.json["starts_at"]),
        (&json!(1), &json!("2090-12-24T18:00:00Z"))
    );
    assert_eq!(read(&server, &made, "\"1+3\"").await.status, 304);
    edit(&server, &listing, &json!({"title": "Late shift"})).await;
    assert_eq!(read(&server, &made, "\"1+3\"").await.status, 304);
    edit(&server, &listing, &json!({"ends_at": "2090-12-25T02:00:00Z"})).await;
    assert_eq!(read(&server, &made, "\"1+3\"").await.ok(200).header("etag"), "\"1+5\"");
}

#[tokio::test]
async fn moved_times_are_no_change_of_the_booking() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    edit(&server, &listing, &json!({"starts_at": "2090-12-24T18:00:00Z"})).await;
    let cancel = |seen: &str| {
        let path = format!("/v1/bookings/{}/cancel", made.id());
        server.post(&path, &json!({})).key(&server.operator).header("if-match", seen).ask()
    };
    cancel("\"2+1\"").await.problem(409, "stale_version");
    cancel("\"1+\"").await.invalid(&["If-Match"]);
    assert_eq!(cancel("\"1+9\"").await.ok(200).header("etag"), "\"2+2\"");
}

#[tokio::test]
async fn the_entry_for_the_calendar_counts_up() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(2)).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}.ics?token={}", made.id(), made.token());
    let file = server.get(&path).ask().await.ok(200);
    assert!(file.text.contains("\r\nSEQUENCE:1\r\n"), "{}", file.text);
    edit(&server, &listing, &json!({"starts_at": "2090-12-31T17:00:00Z"})).await;
    let file = server.get(&path).ask().await.ok(200);
    assert!(file.text.contains("\r\nSEQUENCE:3\r\n"), "{}", file.text);
    assert!(file.text.contains("\r\nDTSTART:20901231T170000Z\r\n"), "{}", file.text);
}

#[tokio::test]
async fn who_watches_a_booking_sees_its_times_move() {
    let server = Server::start().await;
    let (listing, other) = (server.listing(&places()).await, server.listing(&places()).await);
    let made = server.book(&listing).await;
    // One that is over: the worker that renews deadlines does not come by.
    let path = format!("/v1/bookings/{}", made.id());
    server.post(&format!("{path}/cancel"), &json!({})).token(&made.token()).ask().await.ok(200);
    let mut events = Events::open(server.get(&format!("{path}/live?token={}", made.token()))).await;
    assert_eq!(events.next().await.unwrap().id, "2");
    // Until it is quiet: then nobody looks at it for a minute, unless something was committed.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    for (listing, patch) in [
        (&other, json!({"starts_at": "2090-12-24T19:00:00Z"})),
        (&listing, json!({"title": "Day shift"})),
        (&listing, json!({"starts_at": "2090-12-24T18:00:00Z"})),
    ] {
        edit(&server, listing, &patch).await;
    }
    let moved = events.next().await.unwrap();
    assert_eq!((moved.id.as_str(), &moved.data["starts_at"]), ("5", &json!("2090-12-24T18:00:00Z")));
}

#[tokio::test]
async fn new_hours_of_a_house_move_its_stays() {
    let server = Server::start().await;
    let listing = server
        .listing(&json!({
            "kind": "nights", "title": "Inn", "timezone": "Europe/Berlin", "currency": "EUR",
            "resources": [{"key": "double", "capacity": 2}], "calendar": {"from": "2090-12-01", "until": "2090-12-31"},
        }))
        .await;
    let stay = json!({"resource": "double", "check_in": "2090-12-24", "check_out": "2090-12-26"});
    let body = json!({"listing_id": listing, "stay": stay, "customer": {"name": "Dilnoza K."}});
    let made = server.post("/v1/bookings", &body).ask().await.ok(201);
    edit(&server, &listing, &json!({"calendar": {"until": "2091-01-31"}})).await;
    assert_eq!(read(&server, &made, "\"1\"").await.status, 304);
    edit(&server, &listing, &json!({"check_out_time": "10:00"})).await;
    assert_eq!(read(&server, &made, "\"1\"").await.ok(200).header("etag"), "\"1+3\"");
}
