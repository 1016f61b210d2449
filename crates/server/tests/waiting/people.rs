//! People who book, wait, take up what they are offered or let it lapse, and remember what they were told. Who gets no
//! answer asks again, perhaps somewhere else, and under the same key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lastseat_store::memory::Dice;
use lastseat_testkit::TestServer;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::wares::{HOLD_SECONDS, Ware, Wish};
use crate::real::{Answer, Api, try_ask};

/// How long somebody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long somebody tries to get a definite answer: longer than any trouble lasts.
const STUBBORN: Duration = Duration::from_secs(60);

/// How long people think, at most, in milliseconds.
const THINK_MS: u64 = 80;

/// How long somebody waits in a line, at least and at most, in milliseconds.
const WAITS_MS: (u64, u64) = (500, 8_000);

/// What somebody was told of an entry.
#[derive(Clone, Debug)]
pub struct Told {
    pub customer: String,
    pub wish: Wish,
    /// Where it stands, as was told last.
    pub standing: String,
    /// How many were ahead, as was told last.
    pub ahead: i64,
}

impl Told {
    /// Whether an entry may stand there later.
    pub fn may_become(&self, standing: &str) -> bool {
        match &*self.standing {
            "waiting" => true,
            "offered" => standing != "waiting",
            // Money that comes late brings an offer back, if nobody has got it.
            "lapsed" => matches!(standing, "lapsed" | "taken"),
            ended => standing == ended,
        }
    }
}

/// What everybody knows.
#[derive(Default)]
pub struct Memory {
    /// Entries by listing and id.
    pub entries: BTreeMap<(String, String), Told>,
    /// Bookings that were acknowledged, by listing and id, with whether they were confirmed and not given back.
    pub bookings: BTreeMap<(String, String), bool>,
    /// How many requests got no answer.
    pub lost: usize,
    /// What nobody should ever see.
    pub wrong: Vec<String>,
}

/// All of them.
pub struct Crowd {
    pub wares: Vec<Ware>,
    admin: String,
    client: Client,
    bases: Vec<String>,
    numbers: AtomicU64,
    stop: AtomicBool,
    pub memory: Mutex<Memory>,
}

/// People at work.
pub struct Running {
    crowd: Arc<Crowd>,
    people: Vec<JoinHandle<()>>,
}

impl Running {
    /// Tells everybody to finish what they have begun, and waits for them. Who waits in a line goes on waiting there.
    pub async fn stop(self) -> Arc<Crowd> {
        self.crowd.stop.store(true, Ordering::SeqCst);
        for one in self.people {
            one.await.unwrap();
        }
        self.crowd
    }
}

impl Crowd {
    /// Sends `count` people to these servers.
    pub fn start(
        servers: &[TestServer],
        api: &Api,
        wares: Vec<Ware>,
        count: usize,
        dice: &mut Dice,
    ) -> Running {
        let crowd = Arc::new(Self {
            wares,
            admin: api.admin.clone(),
            client: Client::builder().no_proxy().timeout(PATIENCE).build().unwrap(),
            bases: servers.iter().map(TestServer::base_url).collect(),
            numbers: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            memory: Mutex::default(),
        });
        let people = (0..count).map(|_| {
            let one = Someone { crowd: Arc::clone(&crowd), dice: Dice::new(dice.bits()) };
            tokio::spawn(one.run())
        });
        let people = people.collect();
        Running { crowd, people }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn wrong(&self, what: String) {
        self.memory.lock().unwrap().wrong.push(what);
    }
}

/// Who asks.
enum Who<'a> {
    Anybody,
    Admin,
    /// Who has the token of a booking.
    Booker(&'a str),
    /// Who has the token of an entry.
    Waiter(&'a str),
}

/// A request that can be made again.
struct Call<'a> {
    method: Method,
    path: String,
    body: Option<Value>,
    key: Option<String>,
    who: Who<'a>,
}

impl<'a> Call<'a> {
    const fn new(method: Method, path: String, who: Who<'a>) -> Self {
        Self { method, path, body: None, key: None, who }
    }

    fn post(path: String, body: Value, key: String, who: Who<'a>) -> Self {
        Self { body: Some(body), key: Some(key), ..Self::new(Method::POST, path, who) }
    }

    fn request(&self, crowd: &Crowd, base: &str) -> RequestBuilder {
        let mut request = crowd.client.request(self.method.clone(), format!("{base}{}", self.path));
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        match self.who {
            Who::Anybody => request,
            Who::Admin => request.bearer_auth(&crowd.admin),
            Who::Booker(token) => request.header("booking-token", token),
            Who::Waiter(token) => request.header("waitlist-token", token),
        }
    }
}

/// A booking that somebody has, or is offered.
struct Has {
    listing: String,
    id: String,
    token: String,
    state: String,
    /// The entry that it was offered to.
    entry: Option<String>,
    total: i64,
}

/// One of them.
struct Someone {
    crowd: Arc<Crowd>,
    dice: Dice,
}

impl Someone {
    async fn run(mut self) {
        while !self.crowd.stopped() {
            self.visit().await;
            self.think().await;
        }
    }

    async fn think(&mut self) {
        tokio::time::sleep(Duration::from_millis(1 + self.dice.below(THINK_MS))).await;
    }

    fn key(&self) -> String {
        format!("key-{}", self.crowd.number())
    }

    /// One attempt, somewhere.
    async fn attempt(&mut self, call: &Call<'_>) -> Option<Answer> {
        let crowd = Arc::clone(&self.crowd);
        let base = self.dice.pick(&crowd.bases).clone();
        let Ok(answer) = try_ask(call.request(&crowd, &base)).await else {
            crowd.memory.lock().unwrap().lost += 1;
            return None;
        };
        let status = answer.status.as_u16();
        let comes_back = answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0);
        if status >= 500 && !(status == 503 && comes_back) {
            crowd.wrong(format!("{} {} was answered {status}: {}", call.method, call.path, answer.text));
        }
        (status < 500).then_some(answer)
    }

    /// Asks until there is an answer that says what was done. It must be one of these: a status, with the code of a
    /// refusal.
    async fn insist(&mut self, call: &Call<'_>, allowed: &[(u16, &str)]) -> Option<Answer> {
        let begun = Instant::now();
        while begun.elapsed() < STUBBORN {
            let Some(answer) = self.attempt(call).await else {
                tokio::time::sleep(Duration::from_millis(20 + self.dice.below(100))).await;
                continue;
            };
            if allowed.contains(&(answer.status.as_u16(), answer.code())) {
                return Some(answer);
            }
            let (status, text) = (answer.status, &answer.text);
            self.crowd.wrong(format!("{} {} was answered {status}: {text}", call.method, call.path));
            return None;
        }
        self.crowd.wrong(format!("nobody answered {} {} for {STUBBORN:?}", call.method, call.path));
        None
    }

    /// Books something; waits for it if there is none left.
    async fn visit(&mut self) {
        let crowd = Arc::clone(&self.crowd);
        let ware = self.dice.pick(&crowd.wares);
        if !ware.is_hot() && self.dice.chance(400) {
            return;
        }
        let wish = Wish::random(&mut self.dice);
        let name = format!("customer-{}", crowd.number());
        let customer = json!({ "name": name, "external_id": name });
        let (field, wanted) = wish.field();
        if field == "lines" {
            let key = self.key();
            let body = json!({ "listing_id": ware.id, field: wanted, "customer": customer, "note": key });
            let book = Call::post("/v1/bookings".to_owned(), body, key, Who::Anybody);
            let Some(answer) = self.insist(&book, &[(201, ""), (409, "sold_out")]).await else { return };
            if answer.status == 201 {
                let has = booked(&answer.json, answer.token(), None);
                self.know(&has);
                return self.use_it(ware, has).await;
            }
            if self.dice.chance(150) {
                return;
            }
        }
        self.join(ware, &wish, &json!({ field: wanted, "customer": customer }), name).await;
    }

    async fn join(&mut self, ware: &Ware, wish: &Wish, body: &Value, customer: String) {
        let path = format!("/v1/listings/{}/waitlist", ware.id);
        let join = Call::post(path.clone(), body.clone(), self.key(), Who::Anybody);
        let Some(answer) = self.insist(&join, &[(201, ""), (409, "wrong_state")]).await else { return };
        if answer.status != 201 {
            return;
        }
        let id = answer.id();
        let at = (ware.id.clone(), id.clone());
        let ahead = answer.json["ahead"].as_i64().unwrap();
        let told = Told { customer, wish: wish.clone(), standing: "waiting".to_owned(), ahead };
        self.crowd.memory.lock().unwrap().entries.insert(at.clone(), told);
        if self.dice.chance(150) {
            // Somebody whose answer was lost on the way asks once more.
            if let Some(again) = self.insist(&join, &[(201, "")]).await
                && again.id() != id
            {
                self.crowd.wrong(format!("one key made two entries: {id} and {}", again.id()));
            }
        }
        if self.dice.chance(100) {
            // Whoever waits already waits once, if nothing was offered and given back since.
            let again = Call::post(path, body.clone(), self.key(), Who::Anybody);
            if let Some(again) = self.attempt(&again).await
                && (again.status != 200 || again.id() != id)
            {
                let wrong = format!("{id} was joined again: {} {}", again.status, again.text);
                self.crowd.wrong(wrong);
            }
        }
        self.wait(ware, &at, &answer.token()).await;
    }

    /// Waits, and looks at it from time to time.
    async fn wait(&mut self, ware: &Ware, at: &(String, String), token: &str) {
        let patience = WAITS_MS.0 + self.dice.below(WAITS_MS.1 - WAITS_MS.0);
        let until = Instant::now() + Duration::from_millis(patience);
        let path = format!("/v1/waitlist/{}", at.1);
        while !self.crowd.stopped() && Instant::now() < until {
            self.think().await;
            let look = Call::new(Method::GET, path.clone(), Who::Waiter(token));
            let Some(answer) = self.attempt(&look).await else { continue };
            if answer.status != 200 {
                self.crowd.wrong(format!("{} is gone: {}", at.1, answer.text));
                return;
            }
            let standing = answer.json["state"].as_str().unwrap();
            self.see(at, standing, answer.json["ahead"].as_i64());
            if standing == "offered" {
                if self.dice.chance(150) {
                    return self.leave(at, &path, token).await;
                }
                let booking = answer.json["booking_id"].as_str().unwrap();
                let token = answer.json["booking_token"].as_str().unwrap().to_owned();
                let look = Call::new(Method::GET, format!("/v1/bookings/{booking}"), Who::Booker(&token));
                let Some(answer) = self.insist(&look, &[(200, "")]).await else { return };
                return self.use_it(ware, booked(&answer.json, token.clone(), Some(at.1.clone()))).await;
            }
            if standing != "waiting" {
                return;
            }
        }
        // Some say that they go.
        if !self.crowd.stopped() && self.dice.chance(700) {
            self.leave(at, &path, token).await;
        }
    }

    async fn leave(&mut self, at: &(String, String), path: &str, token: &str) {
        let leave = Call::new(Method::DELETE, path.to_owned(), Who::Waiter(token));
        let Some(answer) = self.insist(&leave, &[(204, ""), (409, "wrong_state")]).await else { return };
        if answer.status == 204 {
            self.see(at, "left", None);
        }
    }

    /// Takes up a hold, or not; moves it perhaps; and gives it back, so that there is always something to be had.
    async fn use_it(&mut self, ware: &Ware, mut has: Has) {
        if has.state == "held" {
            match self.dice.below(20) {
                // It lapses.
                0..4 => return,
                4 => {
                    let late = u64::try_from(HOLD_SECONDS * 1_000).unwrap() + self.dice.below(500);
                    tokio::time::sleep(Duration::from_millis(late)).await;
                }
                5..7 => return self.cancel(&mut has).await,
                _ => self.think().await,
            }
            self.confirm(ware, &mut has).await;
        }
        if has.state != "confirmed" {
            return;
        }
        if self.dice.chance(400) {
            let wish = json!({ "lines": [{ "pool": "floor", "quantity": 1 }] });
            let path = format!("/v1/bookings/{}/reschedule", has.id);
            let (key, token) = (self.key(), has.token.clone());
            let call = Call::post(path, wish, key, Who::Booker(&token));
            self.insist(&call, &[(200, ""), (409, "sold_out"), (409, "wrong_state")]).await;
        }
        self.think().await;
        self.cancel(&mut has).await;
    }

    async fn confirm(&mut self, ware: &Ware, has: &mut Has) {
        let path = format!("/v1/bookings/{}/confirm", has.id);
        let (key, token) = (self.key(), has.token.clone());
        let call = if ware.price > 0 {
            let payment = json!({ "amount": has.total, "currency": "UZS", "reference": key });
            Call::post(path, json!({ "payment": payment }), key, Who::Admin)
        } else {
            Call::post(path, json!({}), key, Who::Booker(&token))
        };
        let allowed = [(200, ""), (409, "wrong_state"), (409, "hold_expired")];
        let Some(answer) = self.insist(&call, &allowed).await else { return };
        if answer.status == 200 {
            has.state = answer.json["state"].as_str().unwrap().to_owned();
            self.know(has);
            if let Some(entry) = has.entry.clone().filter(|_| has.state == "confirmed") {
                self.see(&(ware.id.clone(), entry), "taken", None);
            }
        }
    }

    async fn cancel(&mut self, has: &mut Has) {
        let path = format!("/v1/bookings/{}/cancel", has.id);
        let (key, token) = (self.key(), has.token.clone());
        let call = Call::post(path, json!({}), key, Who::Booker(&token));
        if self.insist(&call, &[(200, ""), (409, "wrong_state")]).await.is_some() {
            has.state = "cancelled".to_owned();
            self.know(has);
        }
    }

    /// Notes that a booking was acknowledged as it is.
    fn know(&self, has: &Has) {
        let sold = has.state == "confirmed";
        let at = (has.listing.clone(), has.id.clone());
        self.crowd.memory.lock().unwrap().bookings.insert(at, sold);
    }

    /// Notes where an entry stands, which has to follow from where it stood.
    fn see(&self, at: &(String, String), standing: &str, ahead: Option<i64>) {
        let mut memory = self.crowd.memory.lock().unwrap();
        let told = memory.entries.get_mut(at).unwrap();
        let before = told.clone();
        told.standing = standing.to_owned();
        let ahead = ahead.filter(|_| standing == "waiting");
        told.ahead = ahead.unwrap_or(told.ahead);
        if !before.may_become(standing) || ahead.is_some_and(|ahead| ahead > before.ahead) {
            memory.wrong.push(format!("{at:?} is {standing} behind {ahead:?}, and was {before:?}"));
        }
    }
}

fn booked(json: &Value, token: String, entry: Option<String>) -> Has {
    Has {
        listing: json["listing_id"].as_str().unwrap().to_owned(),
        id: json["id"].as_str().unwrap().to_owned(),
        token,
        state: json["state"].as_str().unwrap().to_owned(),
        entry,
        total: json["total"].as_i64().unwrap(),
    }
}
