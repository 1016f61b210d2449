//! Connections that are slow, half closed, silent, or speak something else.

use std::time::{Duration, Instant};

use lastseat_testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::health::Healthy;
use crate::real::{Api, ask, booking, places};

/// How long the trouble lasts at least, so that healthy requests meet it.
const A_WHILE: Duration = Duration::from_millis(1_500);
/// How long the end of a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Silent connections.
const IDLE: usize = 1_000;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.address()).await.unwrap()
}

/// What the server says until it closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // A reset is an end as well.
    let _ = read.expect("the server ends the connection");
    String::from_utf8_lossy(&said).into_owned()
}

/// A request to book, as it goes over the wire.
fn wire(body: &str) -> String {
    format!(
        "POST /v1/bookings HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_are_in_nobodys_way() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(connect(&server).await);
    }
    let healthy = Healthy::beside(&api).await;
    tokio::time::sleep(A_WHILE).await;
    healthy.was_served().await;
    // Each of them can still speak.
    let listing = api.listing(&places(10)).await;
    let mut last = idle.pop().unwrap();
    last.write_all(wire(&booking(&listing, "late").to_string()).as_bytes()).await.unwrap();
    assert!(rest(&mut last).await.starts_with("HTTP/1.1 201"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_slow_clients_are_in_nobodys_way_and_get_their_answers() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(1_000)).await;
    let healthy = Healthy::beside(&api).await;
    let slow: Vec<_> = (0..100)
        .map(|n| {
            let (address, text) =
                (server.address(), wire(&booking(&listing, &format!("slow {n}")).to_string()));
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let begun = Instant::now();
                for piece in text.as_bytes().chunks(text.len() / 20) {
                    stream.write_all(piece).await.unwrap();
                    tokio::time::sleep(A_WHILE / 20).await;
                }
                assert!(begun.elapsed() >= A_WHILE);
                rest(&mut stream).await
            })
        })
        .collect();
    for client in slow {
        let answer = client.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    healthy.was_served().await;
    assert_eq!(api.stock(&listing).await, (900, 100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_in_the_middle_books_nothing() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let healthy = Healthy::beside(&api).await;
    let text = wire(&booking(&listing, "half").to_string());
    for end in [1, 20, 60, text.len() / 2, text.len() - 1] {
        // Half closed: no more will come, but an answer would be read.
        let mut stream = connect(&server).await;
        stream.write_all(&text.as_bytes()[..end]).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{end}: {answer}");
        // Gone altogether.
        let mut stream = connect(&server).await;
        stream.write_all(&text.as_bytes()[..end]).await.unwrap();
        drop(stream);
    }
    healthy.was_served().await;
    assert_eq!(api.stock(&listing).await.0, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_half_closes_gets_the_answer() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let mut stream = connect(&server).await;
    stream.write_all(wire(&booking(&listing, "half").to_string()).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 201"));
    // And who goes away at once has booked all the same: the command was begun.
    for n in 0..5 {
        let mut stream = connect(&server).await;
        stream
            .write_all(wire(&booking(&listing, &format!("gone {n}")).to_string()).as_bytes())
            .await
            .unwrap();
        drop(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (available, held, _) = api.stock(&listing).await;
    assert!(available + held == 10 && held >= 1, "{available} {held}");
    server.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_answered_or_closed_at_once() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let healthy = Healthy::beside(&api).await;
    let head = "GET /v1/listings HTTP/1.1\r\nhost: x\r\n";
    let nonsense: Vec<(&str, Vec<u8>)> = vec![
        ("a TLS greeting", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".repeat(20)),
        ("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a version that there is not", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
        ("no version", b"GET /\r\n\r\n".to_vec()),
        ("zeros", vec![0; 10_000]),
        ("a header without a name", format!("{head}: x\r\n\r\n").into_bytes()),
        ("a header with a line break in its name", format!("{head}a\nb: x\r\n\r\n").into_bytes()),
        ("a length that is no number", format!("{head}content-length: ten\r\n\r\n").into_bytes()),
        ("two lengths", format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nx").into_bytes()),
        (
            "a chunk without a size",
            format!("{}transfer-encoding: chunked\r\n\r\nxyz\r\n\r\n", head.replace("GET", "POST"))
                .into_bytes(),
        ),
        (
            "a line that never ends",
            b"GET /".iter().copied().chain(std::iter::repeat_n(b'a', 200_000)).collect(),
        ),
        ("a header that never ends", format!("{head}a: {}", "x".repeat(200_000)).into_bytes()),
        ("a thousand headers", format!("{head}{}\r\n", "a: x\r\n".repeat(1_000)).into_bytes()),
    ];
    for (what, bytes) in nonsense {
        let mut stream = connect(&server).await;
        let begun = Instant::now();
        // The server may have closed before everything was sent.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let answer = rest(&mut stream).await;
        let status = answer.get(9..12).unwrap_or_default().to_owned();
        assert!(answer.is_empty() || status.starts_with('4') || status == "505", "{what}: {answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{what} took {:?}", begun.elapsed());
    }
    healthy.was_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_in_one_breath_get_two_answers_in_order() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10)).await;
    let first = wire(&booking(&listing, "one").to_string()).replace("connection: close\r\n", "");
    let second = format!("GET /v1/listings/{listing} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut stream = connect(&server).await;
    stream.write_all(format!("{first}{second}").as_bytes()).await.unwrap();
    let said = rest(&mut stream).await;
    let statuses: Vec<&str> = said.matches("HTTP/1.1 201").chain(said.matches("HTTP/1.1 200")).collect();
    assert_eq!(statuses.len(), 2, "{said}");
    assert!(said.starts_with("HTTP/1.1 201"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_do_not_read_are_in_nobodys_way() {
    let server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(10_000)).await;
    let mut deaf = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&server).await;
        let ask = format!("GET /v1/listings/{listing}/live HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        deaf.push(stream);
    }
    let healthy = Healthy::beside(&api).await;
    for n in 0..200 {
        ask(api.post("/v1/bookings", &booking(&listing, &format!("c {n}")))).await.ok(201);
    }
    healthy.was_served().await;
    drop(deaf);
}
