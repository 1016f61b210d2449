use serde_json::json;

use crate::support::{Ask, Server, free_places};

#[tokio::test]
async fn a_booking_is_an_entry_for_the_calendar() {
    let server = Server::start().await;
    let mut spec = free_places(2);
    spec["title"] = json!("Quartet; \"late\", in\r\nA minor");
    spec["venue"] = json!("Hall 1");
    let listing = server.listing(&spec).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}.ics?token={}", made.id(), made.token());
    let file = server.get(&path).ask().await.ok(200);
    assert_eq!(file.header("content-type"), "text/calendar; charset=utf-8");
    let lines: Vec<_> = file.text.split("\r\n").collect();
    for line in [
        "BEGIN:VEVENT",
        &format!("UID:{}@lastseat", made.id()),
        "DTSTART:20901224T170000Z",
        "DTEND:20901224T180000Z",
        "SUMMARY:Quartet\\; \"late\"\\, in\\nA minor",
        "LOCATION:Hall 1",
        "STATUS:CONFIRMED",
    ] {
        assert!(lines.contains(&line), "{line} in {}", file.text);
    }
    assert!(!file.text.replace("\r\n", "").contains(['\r', '\n']));
    server.get(&format!("/v1/bookings/{}.ics", made.id())).ask().await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_booking_without_a_date_has_no_entry() {
    let server = Server::start().await;
    let mut spec = free_places(2);
    spec.as_object_mut().unwrap().remove("starts_at");
    let listing = server.listing(&spec).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}.ics?token={}", made.id(), made.token());
    server.get(&path).ask().await.problem(404, "not_found");
}
