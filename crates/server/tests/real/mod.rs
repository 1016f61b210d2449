//! What tests of the real binary over HTTP stand on: a server of its own for each test, and a client that reads
//! like the API.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::time::Duration;

use lastseat_testkit::TestServer;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// How long a client waits for an answer: longer than the server needs to give up a body that stops coming.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of a server, with its admin's key. Clones share it.
#[derive(Clone)]
pub struct Api {
    pub client: reqwest::Client,
    pub base: String,
    pub admin: String,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Asserts that it is this problem, in the form of all problems; `what` says of what.
    #[track_caller]
    pub fn problem(self, what: &str, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{what}: {}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(self.json["status"], status, "{what}");
        assert_eq!(self.json["type"], format!("/errors/{code}"), "{what}");
        for field in ["title", "detail"] {
            let text = self.json[field].as_str().unwrap_or_default();
            assert!(!text.is_empty() && text.len() < 1_000, "{what}: {field} is {text:?}");
        }
        if matches!(status, 429 | 503) {
            assert!(self.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}");
        }
        self
    }

    /// Asserts that it is `422 invalid`, and that this is the first wrong field.
    #[track_caller]
    pub fn invalid(self, what: &str, field: &str) -> Self {
        let answer = self.problem(what, 422, "invalid");
        assert_eq!(answer.json["errors"][0]["field"], field, "{what}: {}", answer.text);
        answer
    }

    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub fn id(&self) -> String {
        self.json["id"].as_str().unwrap().to_owned()
    }

    pub fn token(&self) -> String {
        self.json["token"].as_str().unwrap().to_owned()
    }
}

impl Api {
    pub fn of(server: &TestServer) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { client, base: server.base_url(), admin: server.admin_key().unwrap_or_default() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    /// Makes a listing and gives its id.
    pub async fn listing(&self, form: &Value) -> String {
        ask(self.post("/v1/listings", form).bearer_auth(&self.admin)).await.ok(201).id()
    }

    /// Makes a key and gives its secret.
    pub async fn key(&self, role: &str) -> String {
        let body = json!({ "role": role, "name": role });
        let made = ask(self.post("/v1/keys", &body).bearer_auth(&self.admin)).await.ok(201);
        let secret = made.json.as_object().unwrap().values().filter_map(Value::as_str);
        secret.into_iter().find(|text| text.starts_with("lsk_")).unwrap().to_owned()
    }

    pub async fn book(&self, body: &Value) -> Answer {
        ask(self.post("/v1/bookings", body)).await.ok(201)
    }

    /// Every booking of a listing.
    pub async fn bookings(&self, listing: &str) -> Vec<Value> {
        self.pages(&format!("/v1/bookings?listing_id={listing}&limit=200")).await
    }

    /// All items of a list for operators. `path` has a query.
    pub async fn pages(&self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ask(self.get(&format!("{path}{cursor}")).bearer_auth(&self.admin)).await.ok(200).json;
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    /// All events after a place of the feed, and the place after them.
    pub async fn events(&self, after: &str) -> (Vec<Value>, String) {
        let (mut all, mut after) = (Vec::new(), after.to_owned());
        loop {
            let place = if after.is_empty() { String::new() } else { format!("&after={after}") };
            let path = format!("/v1/events?limit=200{place}");
            let page = ask(self.get(&path).bearer_auth(&self.admin)).await.ok(200).json;
            let items = page["items"].as_array().unwrap();
            if items.is_empty() {
                return (all, after);
            }
            all.extend(items.iter().cloned());
            after = page["next"].as_str().unwrap().to_owned();
        }
    }

    /// The numbers of the first pool of a listing: available, held, confirmed.
    pub async fn stock(&self, listing: &str) -> (i64, i64, i64) {
        // Availability may be a quarter of a second behind.
        tokio::time::sleep(Duration::from_millis(250)).await;
        let found = ask(self.get(&format!("/v1/listings/{listing}/availability"))).await.ok(200);
        let pool = &found.json["pools"][0];
        let number = |name: &str| pool[name].as_i64().unwrap();
        (number("available"), number("held"), number("confirmed"))
    }
}

/// Sends a request that must be answered, and reads the answer.
pub async fn ask(request: RequestBuilder) -> Answer {
    try_ask(request).await.unwrap()
}

/// Sends a request to a server that may die meanwhile.
pub async fn try_ask(request: RequestBuilder) -> reqwest::Result<Answer> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { status, headers, text, json })
}

/// A listing of places that are paid by receipt or from outside.
pub fn places(capacity: i64) -> Value {
    json!({
        "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "pools": [{ "key": "standard", "capacity": capacity, "price": 2_500_000 }],
        "policy": { "payment": ["receipt", "external"], "hold_seconds": 3_600, "max_per_customer": 1_000 }
    })
}

/// A request to book one place, for a customer whom `name` identifies.
pub fn booking(listing: &str, name: &str) -> Value {
    json!({
        "listing_id": listing, "lines": [{ "pool": "standard", "quantity": 1 }],
        "customer": { "name": name, "external_id": name }
    })
}

/// A form with this file in `receipt`.
pub fn receipt(bytes: Vec<u8>, name: &str, media_type: &str) -> reqwest::multipart::Form {
    let part =
        reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned()).mime_str(media_type).unwrap();
    reqwest::multipart::Form::new().part("receipt", part)
}

/// The smallest PDF that passes for one; `mark` makes each another file.
pub fn pdf(mark: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% {mark}\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
    )
    .into_bytes()
}
