//! What is done on one node is known on the others at once.

use std::time::{Duration, Instant};

use lastseat_testkit::{Proxy, wait_until_async};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::real::{Api, ask, booking, places};
use crate::shop::{DATABASE, api, ask_admin, node, nodes, postgres};

/// How far behind the other nodes' commits anything may be.
const LAG: Duration = Duration::from_millis(250);

/// How much longer it may take on a machine that is busy with other tests.
const BUSY: u32 = 8;

/// Bookings whose way is timed.
const SAMPLES: usize = 30;

/// The median and the longest.
fn spread(mut all: Vec<Duration>) -> (Duration, Duration) {
    all.sort_unstable();
    (all[all.len() / 2], *all.last().unwrap())
}

/// Asserts that the median is within the promise, and prints it.
#[track_caller]
fn in_time(what: &str, all: Vec<Duration>) {
    let (median, longest) = spread(all);
    eprintln!("{what} follow after {median:?} (median), {longest:?} at most");
    assert!(median <= LAG, "{what} follow after {median:?}");
    assert!(longest <= LAG * BUSY, "{what} follow after {longest:?} at most");
}

/// A live stream.
struct Live {
    response: Response,
    text: String,
}

impl Live {
    /// Of a listing's availability.
    async fn of(api: &Api, listing: &str) -> Self {
        Self::open(api.get(&format!("/v1/listings/{listing}/live"))).await
    }

    /// Of all events.
    async fn of_events(api: &Api) -> Self {
        Self::open(api.get("/v1/events").bearer_auth(&api.admin).header("accept", "text/event-stream")).await
    }

    async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The data of the next event.
    async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
                self.text = rest.to_owned();
                match data {
                    Some(data) => return serde_json::from_str(&data).unwrap(),
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Waits for an event that shows so many holds.
    async fn until_held(&mut self, held: usize) {
        while self.next().await["pools"][0]["held"] != held {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_and_availability_follow_what_other_nodes_commit() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let nodes = nodes(&url, 2);
    let (a, b) = (api(&nodes[0]), api(&nodes[1]));
    let listing = a.listing(&places(10_000)).await;
    let mut live = Live::of(&b, &listing).await;
    live.until_held(0).await;
    let mut feed = Live::of_events(&b).await;
    let (mut streams, mut readings, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for held in 1..=SAMPLES {
        let id = a.book(&booking(&listing, &format!("guest {held}"))).await.id();
        let committed = Instant::now();
        let reading = async {
            let path = format!("/v1/listings/{listing}/availability");
            while ask(b.get(&path)).await.ok(200).json["pools"][0]["held"] != held {}
            committed.elapsed()
        };
        let streaming = async {
            live.until_held(held).await;
            committed.elapsed()
        };
        let telling = async {
            while feed.next().await["booking_id"] != *id {}
            committed.elapsed()
        };
        let all = async { tokio::join!(reading, streaming, telling) };
        let (reading, streaming, telling) =
            tokio::time::timeout(LAG * 40, all).await.expect("the other node follows");
        events.push(telling);
        readings.push(reading);
        streams.push(streaming);
        tokio::time::sleep(Duration::from_millis(held as u64 % 7 * 11)).await;
    }
    in_time("live streams of another node", streams);
    in_time("availability on another node", readings);
    in_time("events on another node", events);
}

/// Sends the same request under the same key to both nodes; gives both bodies.
async fn twice(nodes: [&Api; 2], path: &str, body: &Value, key: &str) -> [Value; 2] {
    let send = |api: &Api| {
        let request = api.post(path, body).bearer_auth(&api.admin);
        ask(request.header("idempotency-key", key))
    };
    let first = send(nodes[0]).await.ok(201);
    let second = send(nodes[1]).await.ok(201);
    assert_eq!(second.header("idempotency-replayed"), "true", "{}", second.text);
    [first.json, second.json]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_makes_works_on_another_at_once_and_replays_there() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let nodes = nodes(&url, 2);
    let apis = [api(&nodes[0]), api(&nodes[1])];
    for round in 0..4 {
        let (a, b) = (&apis[round % 2], &apis[(round + 1) % 2]);
        // A listing: shown, sold and replayed there.
        let [listing, again] =
            twice([a, b], "/v1/listings", &places(5), &format!("listing {round}").replace(' ', "-")).await;
        assert_eq!(again, listing);
        let listing = a.listing(&places(5)).await;
        let sold = b.book(&booking(&listing, "a guest")).await;
        let path = format!("/v1/bookings/{}", sold.id());
        let seen = ask(a.get(&path).header("booking-token", sold.token())).await.ok(200);
        assert_eq!(seen.json["state"], "held");
        // An edit holds there for the next booking.
        let edit = a.request(Method::PATCH, &format!("/v1/listings/{listing}")).bearer_auth(&a.admin);
        ask(edit.json(&json!({ "status": "closed" }))).await.ok(200);
        let late = ask(b.post("/v1/bookings", &booking(&listing, "late"))).await;
        late.problem("a booking of what was closed elsewhere", 409, "not_on_sale");
        let listing = a.listing(&places(5)).await;
        // A booking, with its token.
        let body = booking(&listing, "another guest");
        let [made, again] = twice([a, b], "/v1/bookings", &body, &format!("booking-{round}")).await;
        assert_eq!(again, made);
        let [made, again] = twice(
            [b, a],
            "/v1/keys",
            &json!({ "role": "operator", "name": "desk" }),
            &format!("key-{round}"),
        )
        .await;
        assert_eq!(again["id"], made["id"]);
        // A key: known there, and then no longer.
        let secret = a.key("operator").await;
        let with_key = |api: &Api| api.get("/v1/bookings").bearer_auth(&secret);
        let asked = Instant::now();
        let answer = ask(with_key(b)).await;
        assert_eq!(
            answer.status,
            200,
            "a key that was made elsewhere, asked for {:?}: {}",
            asked.elapsed(),
            answer.text
        );
        let keys = ask_admin(b, "/v1/keys").await.ok(200).json;
        let newest =
            keys["items"].as_array().unwrap().iter().max_by_key(|key| key["id"].as_str().unwrap().to_owned());
        let id = newest.unwrap()["id"].as_str().unwrap().to_owned();
        ask(a.request(Method::DELETE, &format!("/v1/keys/{id}")).bearer_auth(&a.admin)).await.ok(204);
        tokio::time::sleep(LAG).await;
        ask(with_key(b)).await.problem("a key that was revoked elsewhere", 401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_from_the_database_does_not_tell_what_was_true_before() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let proxy = Proxy::start(postgres.address(), Duration::ZERO).unwrap();
    let far = node(&postgres.url_through(&proxy, DATABASE)).start().unwrap();
    let near = node(&url).start().unwrap();
    let (far, near) = (api(&far), api(&near));
    let listing = near.listing(&places(1)).await;
    let path = format!("/v1/listings/{listing}/availability");
    assert_eq!(ask(far.get(&path)).await.ok(200).json["pools"][0]["available"], 1);
    proxy.refuse();
    proxy.cut();
    near.book(&booking(&listing, "somebody")).await;
    tokio::time::sleep(LAG).await;
    ask(far.get(&path)).await.problem("availability that nobody can know", 503, "unavailable");
    proxy.accept().unwrap();
    let knows = async || {
        let answer = ask(far.get(&path)).await;
        (answer.status == 200).then(|| assert_eq!(answer.json["pools"][0]["available"], 0))
    };
    wait_until_async(Duration::from_secs(5), "the node to know again", knows).await.unwrap();
}
