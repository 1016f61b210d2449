//! A server of its own for each test, and a client that reads like the API.

use std::sync::Arc;

use lastseat_core::command::{Action, Actor, Command, NewKey, Role};
use lastseat_engine::{Engine, EngineConfig, ids};
use lastseat_http::receipts::ReceiptStore;
use lastseat_http::{AppState, HttpConfig, auth, serve};
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A running server with one key of each role.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: AppState,
    pub(crate) admin: String,
    pub(crate) operator: String,
    pub(crate) integrator: String,
    pub(crate) client: reqwest::Client,
    serving: JoinHandle<std::io::Result<()>>,
    data: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that it is a problem with this code, and gives it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["type"], format!("/errors/{code}"));
        self
    }

    /// Checks that it is `422 invalid` for these fields.
    #[track_caller]
    pub(crate) fn invalid(self, fields: &[&str]) -> Self {
        let answer = self.problem(422, "invalid");
        let named: Vec<_> =
            answer.json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{}", answer.text);
        answer
    }

    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub(crate) fn id(&self) -> String {
        self.json["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        self.json["token"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the answer.
pub(crate) trait Ask {
    async fn ask(self) -> Answer;
    fn key(self, key: &str) -> Self;
    fn token(self, token: &str) -> Self;
    fn idempotent(self, key: &str) -> Self;
    fn text(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self;
}

impl Ask for RequestBuilder {
    async fn ask(self) -> Answer {
        let answer = self.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, text, json }
    }

    fn key(self, key: &str) -> Self {
        self.bearer_auth(key)
    }

    fn token(self, token: &str) -> Self {
        self.header("booking-token", token)
    }

    fn idempotent(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    fn text(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.header("content-type", content_type).body(body)
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(HttpConfig::default(), EngineConfig::default()).await
    }

    pub(crate) async fn start_with(config: HttpConfig, engine: EngineConfig) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(data.path(), OpenMode::Serve).unwrap();
        let engine = Engine::start(Arc::new(store), engine).unwrap();
        let receipts = ReceiptStore::open_folder(data.path()).unwrap();
        let mut keys = Vec::new();
        for role in [Role::Admin, Role::Operator, Role::Integrator] {
            let secret = format!("secret-of-{}", role.as_str());
            let key = NewKey {
                id: ids::key_id(),
                role,
                name: role.as_str().to_owned(),
                hash: auth::hash_secret(&secret),
            };
            let command = Command::new(Actor::System, Action::CreateKey(Box::new(key)));
            engine.submit(command).await.unwrap();
            keys.push(secret);
        }
        let state = AppState::new(engine, receipts, config);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(serve(listener, state.clone()));
        let [admin, operator, integrator] = keys.try_into().unwrap();
        let client = reqwest::Client::new();
        Self { url, state, admin, operator, integrator, client, serving, data }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    /// Makes a listing and gives its id.
    pub(crate) async fn listing(&self, spec: &Value) -> String {
        self.post("/v1/listings", spec).key(&self.admin).ask().await.ok(201).id()
    }

    /// Books one place of `standard` for somebody.
    pub(crate) async fn book(&self, listing: &str) -> Answer {
        self.post("/v1/bookings", &booking(listing)).ask().await.ok(201)
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(self) {
        self.state.closing.cancel();
        self.serving.await.unwrap().unwrap();
        self.state.engine.drain().await;
    }
}

/// A listing of ten places that have to be paid by receipt.
pub(crate) fn places() -> Value {
    json!({
        "kind": "places", "category": "gig", "title": "Warehouse night shift", "city": "Tashkent",
        "timezone": "Asia/Tashkent", "currency": "UZS",
        "starts_at": "2090-12-24T17:00:00Z", "ends_at": "2090-12-25T01:00:00Z",
        "pools": [{"key": "standard", "title": "Worker", "capacity": 10, "price": 2_500_000}],
        "policy": {"payment": ["receipt", "external"], "payment_instructions": "Card 8600", "hold_seconds": 600}
    })
}

/// A listing of places that cost nothing.
pub(crate) fn free_places(capacity: i64) -> Value {
    json!({
        "kind": "places", "title": "Open lecture", "timezone": "Europe/Berlin", "currency": "EUR",
        "starts_at": "2090-12-24T17:00:00Z", "pools": [{"key": "standard", "capacity": capacity}]
    })
}

/// A request to book one place.
pub(crate) fn booking(listing: &str) -> Value {
    json!({"listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": "Dilnoza K."}})
}

/// A picture of one pixel.
pub(crate) fn png() -> Vec<u8> {
    decoded(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    )
}

/// Another one.
pub(crate) fn other_png() -> Vec<u8> {
    decoded("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
}

fn decoded(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap()
}

/// The events of an event stream, as they come.
pub(crate) struct Events {
    answer: reqwest::Response,
    buffer: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, buffer: String::new() }
    }

    /// The next event, within five seconds; none at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(std::time::Duration::from_secs(5), self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((text, rest)) = self.buffer.split_once("\n\n") {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
                };
                if text.contains("data: ") {
                    let data = serde_json::from_str(&field("data: ")).unwrap();
                    return Some(Event { name: field("event: "), id: field("id: "), data });
                }
            }
            let chunk = self.answer.chunk().await.ok().flatten()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
