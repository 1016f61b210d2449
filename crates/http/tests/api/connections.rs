//! Connections that behave badly, and limits.

use std::num::NonZeroU32;
use std::time::Duration;

use lastseat_engine::EngineConfig;
use lastseat_http::{HttpConfig, Rate};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Ask, Server, booking, free_places, places};

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut text));
    let _ = read.await.expect("the server ends the connection");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_client_that_has_said_all_still_gets_its_answer() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1)).await;
    let body = booking(&listing).to_string();
    let mut stream = connect(&server).await;
    let head = format!(
        "POST /v1/bookings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1)).await;
    let mut stream = connect(&server).await;
    let head = "POST /v1/bookings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let shown = server.get(&format!("/v1/listings/{listing}/availability")).ask().await;
    assert_eq!(shown.json["pools"][0]["available"], 1);
}

#[tokio::test]
async fn a_large_upload_hears_that_it_is_too_large() {
    let server = Server::start().await;
    let body = vec![b' '; 20 * 1024 * 1024];
    let ask = server.request(reqwest::Method::POST, "/v1/bookings").text("application/json", body);
    ask.ask().await.problem(413, "too_large");
    let chunks = futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
    let ask = server.request(reqwest::Method::POST, "/v1/bookings");
    let ask = ask.text("application/json", reqwest::Body::wrap_stream(chunks));
    ask.ask().await.problem(413, "too_large");
}

#[tokio::test]
async fn a_thousand_idle_connections_are_in_nobodys_way() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1)).await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(connect(&server).await);
    }
    server.book(&listing).await;
    let mut last = idle.pop().unwrap();
    last.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut last).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_told_to_come_back() {
    let config = HttpConfig { max_connections: 2, ..HttpConfig::default() };
    let server = Server::start_with(config, EngineConfig::default()).await;
    let (first, _second) = (connect(&server).await, connect(&server).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = server.get("/healthz").ask().await.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), "1");
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.get("/healthz").ask().await.ok(200);
}

#[tokio::test]
async fn requests_in_flight_are_answered_when_the_server_stops() {
    let server = Server::start().await;
    let listing = server.listing(&free_places(1000)).await;
    let body = booking(&listing);
    let asks: Vec<_> = (0..100).map(|_| tokio::spawn(server.post("/v1/bookings", &body).send())).collect();
    // Some are answered by now, others are on their way.
    while !asks.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop().await;
    let mut acknowledged = 0;
    for ask in asks {
        if let Ok(answer) = ask.await.unwrap() {
            assert!(matches!(answer.status().as_u16(), 201 | 503), "{}", answer.status());
            let body: Value = answer.json().await.unwrap();
            acknowledged += u32::from(body.get("id").is_some());
        }
    }
    assert!(acknowledged > 0);
}

fn rate(per_second: u32, burst: u32) -> Option<Rate> {
    let (per_second, burst) = (NonZeroU32::new(per_second)?, NonZeroU32::new(burst)?);
    Some(Rate { per_second, burst })
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_when_to_come_back() {
    let config = HttpConfig {
        rate_per_address: rate(1, 3),
        trusted_proxy_header: Some("x-forwarded-for".parse().unwrap()),
        ..HttpConfig::default()
    };
    let server = Server::start_with(config, EngineConfig::default()).await;
    let ask = |address: &str| server.get("/v1/listings").header("x-forwarded-for", address).ask();
    for _ in 0..3 {
        ask("192.0.2.1").await.ok(200);
    }
    let refused = ask("192.0.2.1").await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    ask("192.0.2.2").await.ok(200);
    server.get("/healthz").header("x-forwarded-for", "192.0.2.1").ask().await.ok(200);
    // Wrong keys count by address too: nobody may guess without end.
    let guess = server.get("/v1/bookings").header("x-forwarded-for", "192.0.2.1").key("guess");
    guess.ask().await.problem(429, "rate_limited");
    let known = server.get("/v1/bookings").header("x-forwarded-for", "192.0.2.1").key(&server.operator);
    known.ask().await.ok(200);
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let config = HttpConfig { rate_per_key: rate(1, 2), ..HttpConfig::default() };
    let server = Server::start_with(config, EngineConfig::default()).await;
    let ask = |key: &str| server.get("/v1/bookings").key(key).ask();
    ask(&server.operator).await.ok(200);
    ask(&server.operator).await.ok(200);
    ask(&server.operator).await.problem(429, "rate_limited");
    ask(&server.integrator).await.ok(200);
    server.get("/v1/listings").ask().await.ok(200);
}

#[tokio::test]
async fn one_address_cannot_hold_everything() {
    let config = HttpConfig { max_open_holds_per_address: Some(2), ..HttpConfig::default() };
    let server = Server::start_with(config, EngineConfig::default()).await;
    let listing = server.listing(&places()).await;
    let first = server.book(&listing).await;
    server.book(&listing).await;
    server.post("/v1/bookings", &booking(&listing)).ask().await.problem(409, "customer_limit");
    server.post("/v1/bookings", &booking(&listing)).key(&server.integrator).ask().await.ok(201);
    let cancel = server.post(&format!("/v1/bookings/{}/cancel", first.id()), &serde_json::json!({}));
    cancel.token(&first.token()).ask().await.ok(200);
    server.book(&listing).await;
}
