use serde_json::json;

use crate::support::{Ask, Events, Server, places};

#[tokio::test]
async fn the_owner_sees_the_booking_change_by_itself() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}/live", made.id());
    server.get(&path).ask().await.problem(401, "unauthenticated");
    let mut events = Events::open(server.get(&format!("{path}?token={}", made.token()))).await;
    let first = events.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.id.as_str()), ("booking", "1"));
    assert_eq!(first.data["state"], "held");
    assert!(first.data.get("token").is_none());
    let body = json!({"payment": {"amount": 2_500_000, "currency": "UZS", "reference": "a"}});
    server
        .post(&format!("/v1/bookings/{}/confirm", made.id()), &body)
        .key(&server.operator)
        .ask()
        .await
        .ok(200);
    let second = events.next().await.unwrap();
    assert_eq!((second.id.as_str(), &second.data["state"]), ("2", &json!("confirmed")));
}

#[tokio::test]
async fn a_hold_that_lapses_is_told() {
    let server = Server::start().await;
    let mut spec = places();
    spec["policy"]["hold_seconds"] = json!(1);
    let listing = server.listing(&spec).await;
    let made = server.book(&listing).await;
    let path = format!("/v1/bookings/{}/live?token={}", made.id(), made.token());
    let mut events = Events::open(server.get(&path)).await;
    assert_eq!(events.next().await.unwrap().data["state"], "held");
    assert_eq!(events.next().await.unwrap().data["state"], "expired");
}
