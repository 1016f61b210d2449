//! Clients that book, pay and cancel, and remember what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::real::{Answer, Api, ask, booking, pdf, receipt, try_ask};

/// How long a client thinks between two bookings: the server shall be busy, and the data stay small.
const PAUSE: Duration = Duration::from_millis(4);

/// What a client was told of one booking of its.
#[derive(Clone, Debug)]
pub struct Told {
    pub id: String,
    /// The state that was acknowledged last.
    pub state: String,
    /// Whether a change was asked for that got no answer: it may have been made or not.
    pub open: bool,
    /// The receipt that was acknowledged.
    pub receipt: bool,
}

/// What all clients know, by their idempotency keys.
#[derive(Default)]
pub struct Memory {
    pub told: BTreeMap<u64, Told>,
    /// Keys of bookings that got no answer.
    pub unanswered: Vec<u64>,
}

impl Memory {
    pub fn join(&mut self, other: Self) {
        self.told.extend(other.told);
        self.unanswered.extend(other.unanswered);
    }
}

/// Numbers of keys that no client has used yet.
pub type Keys = Arc<AtomicU64>;

/// Books under this key, as the customer of that number.
pub fn book(api: &Api, listing: &str, key: u64) -> RequestBuilder {
    let body = booking(listing, &format!("customer {key}"));
    api.post("/v1/bookings", &body).header("idempotency-key", format!("booking-{key}"))
}

/// What is done next with a booking depends on its key.
fn change(api: &Api, id: &str, token: &str, key: u64) -> Option<(RequestBuilder, &'static str)> {
    let to = |verb: &str| format!("/v1/bookings/{id}/{verb}");
    match key % 5 {
        0 | 1 => {
            let money = json!({ "payment": { "amount": 2_500_000, "currency": "UZS", "reference": key.to_string() } });
            Some((api.post(&to("confirm"), &money).bearer_auth(&api.admin), "confirmed"))
        }
        2 => Some((api.post(&to("cancel"), &json!({})).header("booking-token", token), "cancelled")),
        3 => {
            let form = receipt(pdf(&key.to_string()), "receipt.pdf", "application/pdf");
            let post = api.request(reqwest::Method::POST, &to("payment"));
            Some((post.multipart(form).header("booking-token", token), "in_review"))
        }
        _ => None,
    }
}

/// Books and changes until the server gives no answer.
pub async fn until_it_dies(api: Api, listing: String, keys: Keys) -> Memory {
    let mut memory = Memory::default();
    loop {
        let key = keys.fetch_add(1, Ordering::Relaxed);
        let Ok(answer) = try_ask(book(&api, &listing, key)).await else {
            memory.unanswered.push(key);
            return memory;
        };
        let answer = answer.ok(201);
        let mut told = Told { id: answer.id(), state: "held".to_owned(), open: false, receipt: false };
        let next = change(&api, &told.id, &answer.token(), key);
        let alive = match next {
            None => true,
            Some((request, state)) => match try_ask(request).await {
                Ok(answer) => {
                    assert_eq!(answer.ok(200).json["state"], state);
                    told.receipt = state == "in_review";
                    told.state = state.to_owned();
                    true
                }
                Err(_) => {
                    told.open = true;
                    false
                }
            },
        };
        memory.told.insert(key, told);
        if !alive {
            return memory;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks again for what got no answer; gives the booking that is there now, the only one.
pub async fn again(api: &Api, listing: &str, key: u64) -> Answer {
    ask(book(api, listing, key)).await.ok(201)
}

/// Asserts that a booking is as it was acknowledged.
#[track_caller]
pub fn assert_kept(told: &Told, row: &Value) {
    assert_eq!(row["id"], told.id.as_str());
    let state = row["state"].as_str().unwrap();
    assert!(state == told.state || told.open, "{told:?} became {row}");
    if state == "confirmed" {
        assert_eq!((row["paid"].as_i64(), row["refund_due"].as_i64()), (Some(2_500_000), Some(0)), "{row}");
    }
}
