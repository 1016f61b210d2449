//! Clients that book, pay, call off, move and look, on any node, and remember what they were told. Who gets no answer asks
//! again, somewhere else and under the same key.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lastseat_history::{Answer as Told, Ask, BookingView, Operation, Recorder, State};
use lastseat_testkit::TestServer;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::dice::Dice;
use crate::real::{Answer, try_ask};
use crate::shop::{KEY, now_us};
use crate::told::told;
use crate::wares::{HOLD_SECONDS, Ware};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a client tries to get a definite answer: longer than any trouble lasts.
const STUBBORN: Duration = Duration::from_secs(60);

/// Customers that there are: few, so that their limits matter.
const CUSTOMERS: u64 = 24;

/// How long a client thinks, at most, in milliseconds.
const THINK_MS: u64 = 60;

/// The change of a booking that gives everything back.
const CANCEL: u64 = 6;

/// Clients of one shop.
pub struct Load {
    pub wares: Vec<Ware>,
    client: Client,
    bases: Vec<String>,
    pub recorder: Recorder,
    keys: AtomicU64,
    stop: AtomicBool,
    /// Instants, in microseconds, of answers that say that it cannot be done at the moment.
    pub unavailable: Mutex<Vec<i64>>,
    /// What no client should ever see.
    pub wrong: Mutex<Vec<String>>,
}

/// Clients at work.
pub struct Running {
    pub load: Arc<Load>,
    clients: Vec<JoinHandle<()>>,
}

impl Running {
    /// Tells all clients to finish what they have begun, and waits for them.
    pub async fn stop(self) -> Arc<Load> {
        self.load.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        self.load
    }
}

impl Load {
    /// Starts `clients` clients of these nodes.
    pub fn start(nodes: &[TestServer], wares: Vec<Ware>, clients: usize, dice: &mut Dice) -> Running {
        let load = Arc::new(Self {
            wares,
            client: Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            bases: nodes.iter().map(TestServer::base_url).collect(),
            recorder: Recorder::new(),
            keys: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            unavailable: Mutex::default(),
            wrong: Mutex::default(),
        });
        let clients = (0..clients).map(|_| {
            let someone = Someone { load: Arc::clone(&load), dice: Dice::new(dice.bits()) };
            tokio::spawn(someone.run())
        });
        let clients = clients.collect();
        Running { load, clients }
    }

    /// The longest time, in seconds, in which nobody at all was told that a booking was made or changed.
    pub fn longest_silence(&self) -> f64 {
        let changed =
            |op: &Operation| matches!(op.answer, Told::Booking { .. }) && !matches!(op.ask, Ask::Read { .. });
        let mut ends: Vec<i64> =
            self.recorder.operations().iter().filter(|op| changed(op)).filter_map(|op| op.ended_us).collect();
        ends.sort_unstable();
        let longest = ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        Duration::from_micros(longest.unsigned_abs()).as_secs_f64()
    }

    /// The time, in seconds, from the first to the last answer that said that it could not be done, and how many there
    /// were.
    pub fn refused_for(&self) -> (f64, usize) {
        let told = self.unavailable.lock().unwrap();
        let (Some(first), Some(last)) = (told.iter().min(), told.iter().max()) else { return (0.0, 0) };
        (Duration::from_micros((last - first).unsigned_abs()).as_secs_f64(), told.len())
    }
}

/// One client.
struct Someone {
    load: Arc<Load>,
    dice: Dice,
}

impl Someone {
    async fn run(mut self) {
        while !self.load.stop.load(Ordering::SeqCst) {
            self.visit().await;
            self.think().await;
        }
    }

    async fn think(&mut self) {
        tokio::time::sleep(Duration::from_millis(1 + self.dice.below(THINK_MS))).await;
    }

    fn key(&self) -> String {
        format!("key-{}", self.load.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// One attempt on some node.
    async fn attempt(
        &mut self,
        ask: &Ask,
        key: Option<&str>,
        request: &impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Option<Answer> {
        let load = Arc::clone(&self.load);
        let base = self.dice.pick(&load.bases).clone();
        let mut request = request(&load.client, &base);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let id = load.recorder.begin(now_us(), key, ask.clone());
        let Ok(answer) = try_ask(request).await else {
            load.recorder.end(id, now_us(), Told::Unknown);
            return None;
        };
        let ended = now_us();
        load.recorder.end(id, ended, told(&answer));
        let status = answer.status.as_u16();
        if status == 503 {
            load.unavailable.lock().unwrap().push(ended);
            if answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0) {
                return None;
            }
        }
        if status >= 500 {
            let wrong = format!("{} was answered {status}: {}", ask.kind(), answer.text);
            load.wrong.lock().unwrap().push(wrong);
            return None;
        }
        Some(answer)
    }

    /// Asks until there is an answer that says what was done.
    async fn insist(
        &mut self,
        ask: &Ask,
        key: &str,
        request: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Option<Answer> {
        let begun = Instant::now();
        while begun.elapsed() < STUBBORN {
            if let Some(answer) = self.attempt(ask, Some(key), &request).await {
                return Some(answer);
            }
            tokio::time::sleep(Duration::from_millis(50 + self.dice.below(200))).await;
        }
        let wrong = format!("nobody answered {} for {STUBBORN:?}", ask.kind());
        self.load.wrong.lock().unwrap().push(wrong);
        None
    }

    /// Books something, and does with it what people do.
    async fn visit(&mut self) {
        let ware = match self.dice.below(10) {
            0..5 => self.load.wares[0].clone(),
            _ => {
                let load = Arc::clone(&self.load);
                self.dice.pick(&load.wares).clone()
            }
        };
        if self.dice.chance(150) {
            self.look(&ware).await;
        }
        let customer = format!("customer-{}", self.dice.below(CUSTOMERS));
        let (field, wish, lines) = ware.wish(&mut self.dice);
        let key = self.key();
        let body = json!({
            "listing_id": ware.listing.id, field: wish,
            "customer": { "name": customer, "external_id": customer }, "note": key,
        });
        let ask = Ask::Create { listing: ware.listing.id.clone(), customer: Some(customer), lines };
        let create = |client: &Client, base: &str| client.post(format!("{base}/v1/bookings")).json(&body);
        let Some(answer) = self.insist(&ask, &key, create).await else { return };
        if answer.status.as_u16() != 201 {
            return;
        }
        if self.dice.chance(100) {
            // Somebody whose answer was lost on the way asks once more.
            self.attempt(&ask, Some(&key), &create).await;
        }
        let mut view = crate::told::booking(&answer.json);
        let token = answer.token();
        for _ in 0..self.dice.below(4) {
            self.think().await;
            let what = self.dice.below(10);
            let Some(next) = self.change(&ware, &view, &token, what).await else { return };
            view = next;
        }
        if view.state == State::Confirmed && self.dice.chance(850) {
            // What is sold comes back, so that there is always something to be had.
            self.think().await;
            self.change(&ware, &view, &token, CANCEL).await;
        }
    }

    /// Changes a booking in some way, from 0 to 9. What it is then; none if nobody knows or cares.
    async fn change(
        &mut self,
        ware: &Ware,
        view: &BookingView,
        token: &str,
        what: u64,
    ) -> Option<BookingView> {
        let booking = view.id.clone();
        let (ask, verb, body) = match what {
            0..4 if view.state == State::Held => {
                if self.dice.chance(100) {
                    // Money that comes late.
                    let late = u64::try_from(HOLD_SECONDS * 1_000).unwrap() + self.dice.below(500);
                    tokio::time::sleep(Duration::from_millis(late)).await;
                }
                let (reference, amount) = (self.key(), view.total - view.paid);
                let body =
                    json!({ "payment": { "amount": amount, "currency": "UZS", "reference": reference } });
                (Ask::Confirm { booking, reference, amount }, "confirm", body)
            }
            4 if view.state == State::Held => {
                let seconds = 1;
                (Ask::Extend { booking, seconds }, "extend", json!({ "seconds": seconds }))
            }
            5 => {
                let (field, wish, lines) = ware.wish(&mut self.dice);
                (Ask::Reschedule { booking, lines }, "reschedule", json!({ field: wish }))
            }
            CANCEL..9 => (Ask::Cancel { booking }, "cancel", json!({})),
            _ => {
                let path = format!("/v1/bookings/{booking}");
                let read = |client: &Client, base: &str| client.get(format!("{base}{path}")).bearer_auth(KEY);
                let answer = self.attempt(&Ask::Read { booking }, None, &read).await?;
                return Some(crate::told::booking(&answer.ok(200).json));
            }
        };
        let path = format!("/v1/bookings/{}/{verb}", view.id);
        let by_owner = matches!(ask, Ask::Cancel { .. } | Ask::Extend { .. } | Ask::Reschedule { .. });
        let request = |client: &Client, base: &str| {
            let request = client.request(Method::POST, format!("{base}{path}")).json(&body);
            if by_owner { request.header("booking-token", token) } else { request.bearer_auth(KEY) }
        };
        let key = self.key();
        let answer = self.insist(&ask, &key, request).await?;
        let json: &Value = &answer.json;
        (answer.status == 200).then(|| crate::told::booking(json))
    }

    async fn look(&mut self, ware: &Ware) {
        let listing = ware.listing.id.clone();
        let path = format!("/v1/listings/{listing}/availability");
        let look = |client: &Client, base: &str| client.get(format!("{base}{path}"));
        self.attempt(&Ask::Availability { listing }, None, &look).await;
    }
}
