//! The WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{Ask, Server, places};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(server: &Server, key: Option<&str>) -> Self {
        let url = format!("{}/v1/live", server.url.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        if let Some(key) = key {
            request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    async fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next frame, within five seconds; none when the connection ends.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.0.next());
            match next.await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    async fn error(&mut self) -> (String, String) {
        let frame = self.next().await.unwrap();
        assert_eq!(frame["type"], "error", "{frame}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&frame["topic"]), text(&frame["data"]["code"]))
    }
}

#[tokio::test]
async fn topics_begin_with_everything_and_go_on_with_changes() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    let mut socket = Socket::open(&server, None).await;
    let of_listing = format!("listing:{listing}");
    let of_booking = format!("booking:{}", made.id());
    socket.send(&json!({"subscribe": [of_listing, format!("{of_booking}?token={}", made.token())]})).await;
    let (one, two) = (socket.next().await.unwrap(), socket.next().await.unwrap());
    let (listing_frame, booking_frame) =
        if one["topic"] == json!(of_listing) { (one, two) } else { (two, one) };
    assert_eq!((&listing_frame["type"], &listing_frame["data"]["full"]), (&json!("snapshot"), &json!(true)));
    assert_eq!((&booking_frame["topic"], &booking_frame["type"]), (&json!(of_booking), &json!("snapshot")));
    assert_eq!(booking_frame["data"]["state"], "held");

    socket.send(&json!({"unsubscribe": [of_listing]})).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server
        .post(&format!("/v1/bookings/{}/cancel", made.id()), &json!({}))
        .token(&made.token())
        .ask()
        .await
        .ok(200);
    let change = socket.next().await.unwrap();
    assert_eq!((&change["topic"], &change["type"]), (&json!(of_booking), &json!("change")));
    assert_eq!(change["data"]["state"], "cancelled");
}

#[tokio::test]
async fn what_may_not_be_watched_is_told_and_the_rest_goes_on() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let id = made.id();
    let mut socket = Socket::open(&server, None).await;
    for (topic, named, code) in [
        (format!("booking:{id}"), format!("booking:{id}"), "unauthenticated"),
        (format!("booking:{id}?token=wrong"), format!("booking:{id}"), "not_found"),
        ("booking:nonsense?token=x".to_owned(), "booking:nonsense".to_owned(), "not_found"),
        (
            "listing:lst_01h455vb4pex5vsknk084sn02q".to_owned(),
            "listing:lst_01h455vb4pex5vsknk084sn02q".to_owned(),
            "not_found",
        ),
        ("weather".to_owned(), "weather".to_owned(), "invalid"),
        (format!("listing:{listing}?since=3"), format!("listing:{listing}"), "invalid"),
    ] {
        socket.send(&json!({"subscribe": [topic]})).await;
        assert_eq!(socket.error().await, (named, code.to_owned()));
    }
    for (text, code) in [("{", "malformed"), ("[]", "invalid"), (r#"{"subscripe":[]}"#, "invalid")] {
        socket.0.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.error().await, (String::new(), code.to_owned()));
    }
    socket.send(&json!({"subscribe": [format!("listing:{listing}")]})).await;
    assert_eq!(socket.next().await.unwrap()["type"], "snapshot");
}

#[tokio::test]
async fn an_operators_key_opens_every_booking() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let made = server.book(&listing).await;
    let mut socket = Socket::open(&server, Some(&server.operator)).await;
    socket.send(&json!({"subscribe": [format!("booking:{}", made.id())]})).await;
    assert_eq!(socket.next().await.unwrap()["data"]["id"], made.id());
    let mut other = Socket::open(&server, Some(&server.integrator)).await;
    other.send(&json!({"subscribe": [format!("booking:{}", made.id())]})).await;
    assert_eq!(other.error().await.1, "not_found");
}

#[tokio::test]
async fn one_connection_may_not_watch_everything() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let mut socket = Socket::open(&server, Some(&server.operator)).await;
    let mut topics = Vec::new();
    for _ in 0..101 {
        let made = server.post("/v1/bookings", &crate::support::booking(&listing)).ask().await;
        if made.status == 201 {
            topics.push(format!("booking:{}", made.id()));
        }
        if topics.len() == 10 {
            break;
        }
    }
    let many: Vec<_> = (0..101).map(|n| topics[n % 10].clone()).collect();
    socket.send(&json!({"subscribe": many})).await;
    for _ in 0..10 {
        assert_eq!(socket.next().await.unwrap()["type"], "snapshot", "the same topic again counts once");
    }
}

#[tokio::test]
async fn a_connection_ends_with_the_server() {
    let server = Server::start().await;
    let listing = server.listing(&places()).await;
    let mut socket = Socket::open(&server, None).await;
    socket.send(&json!({"subscribe": [format!("listing:{listing}")]})).await;
    socket.next().await.unwrap();
    server.stop().await;
    assert!(socket.next().await.is_none());
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_so() {
    let server = Server::start().await;
    server.get("/v1/live").ask().await.problem(400, "malformed");
    server.get("/v1/live").key("wrong").ask().await.problem(401, "unauthenticated");
}
