//! A tiny server for tests: one listing of places, answers by the contract, and faults on demand.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug)]
struct State {
    capacity: i64,
    acknowledged: i64,
    /// Counts every second acknowledged booking only.
    forgets: bool,
    stalled_until: Instant,
}

/// The server. It listens until the test ends.
#[derive(Clone, Debug)]
pub(crate) struct FakeServer {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FakeServer {
    pub(crate) async fn start(capacity: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State { capacity, acknowledged: 0, forgets: false, stalled_until: Instant::now() };
        let server = Self { port: listener.local_addr().unwrap().port(), state: Arc::new(Mutex::new(state)) };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers no booking for so long from now on.
    pub(crate) fn stall(&self, how_long: Duration) {
        self.state.lock().unwrap().stalled_until = Instant::now() + how_long;
    }

    /// From now on counts every second booking only.
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().forgets = true;
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut request = vec![0; 8192];
        while let Ok(read @ 1..) = stream.read(&mut request).await {
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            let (status, body) = if text.starts_with("POST /v1/bookings ") {
                let until = self.state.lock().unwrap().stalled_until;
                tokio::time::sleep_until(until.into()).await;
                self.book()
            } else if text.starts_with("GET /v1/listings/lst_1/availability ") {
                ("200 OK", self.availability())
            } else {
                ("200 OK", r#"{"id":"lst_1","kind":"places"}"#.to_owned())
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn book(&self) -> (&'static str, String) {
        let mut state = self.state.lock().unwrap();
        if state.acknowledged < state.capacity {
            state.acknowledged += 1;
            ("201 Created", "{}".to_owned())
        } else {
            ("409 Conflict", r#"{"code":"sold_out"}"#.to_owned())
        }
    }

    fn availability(&self) -> String {
        let state = self.state.lock().unwrap();
        let (capacity, taken) = (state.capacity, state.acknowledged / if state.forgets { 2 } else { 1 });
        format!(
            r#"{{"pools":[{{"key":"standard","capacity":{capacity},"available":{},"held":0,"confirmed":{taken},"blocked":0}}]}}"#,
            capacity - taken
        )
    }
}
