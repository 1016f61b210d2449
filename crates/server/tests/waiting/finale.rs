//! What must hold in the end, whatever was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use lastseat_testkit::TestServer;
use reqwest::Method;
use serde_json::Value;

use super::people::Crowd;
use super::turns::Turns;
use super::wares::{Units, Ware, Wish};
use crate::real::{Api, ask};

/// How long somebody may wait for what is free.
const OFFER_LIMIT: Duration = Duration::from_secs(5);

/// How often it is looked meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Findings that are shown.
const SHOWN: usize = 20;

/// What has to have happened, for the rest to mean something.
const EVENTS: &[&str] = &[
    "waitlist.joined",
    "waitlist.offered",
    "waitlist.skipped",
    "waitlist.taken",
    "waitlist.lapsed",
    "waitlist.left",
    "booking.held",
    "booking.confirmed",
    "booking.cancelled",
    "booking.expired",
    "booking.rescheduled",
];

/// Looks at everything, while nobody else asks for anything. Gives how often what happened.
pub async fn check(servers: &[TestServer], api: &Api, crowd: &Crowd) -> BTreeMap<String, usize> {
    let mut wrong = std::mem::take(&mut crowd.memory.lock().unwrap().wrong);
    let verify = |wrong: &mut Vec<String>| {
        wrong.extend(servers[0].verify().err().map(|error| format!("{error:#}")));
    };
    verify(&mut wrong);
    for ware in &crowd.wares {
        nobody_waits_for_what_is_free(api, ware, &mut wrong).await;
        nothing_is_lost(api, ware, crowd, &mut wrong).await;
        everybody_is_served(api, ware, &mut wrong).await;
    }
    verify(&mut wrong);
    let mut counts = BTreeMap::new();
    let events = api.events("").await.0;
    for ware in &crowd.wares {
        let entries = entries(api, ware).await;
        let wishes = entries.iter().map(|entry| (text(entry, "id").to_owned(), Wish::of(entry))).collect();
        let mut turns = Turns::read(ware, &wishes, &events);
        let waiting = entries.iter().filter(|entry| entry["state"] == "waiting");
        turns.end(&waiting.map(|entry| text(entry, "id")).collect::<Vec<_>>());
        wrong.append(&mut turns.wrong);
        for (kind, times) in turns.counts {
            *counts.entry(kind).or_default() += times;
        }
    }
    for server in servers {
        let api = Api { base: server.base_url(), ..api.clone() };
        let metrics = ask(api.get("/metrics")).await.ok(200).text;
        let violations = metrics.lines().find(|line| line.starts_with("lastseat_invariant_violations"));
        wrong.extend(violations.filter(|line| !line.ends_with(" 0")).map(str::to_owned));
        let said = server.stderr();
        wrong.extend(said.lines().filter(|line| line.contains("panicked")).map(str::to_owned));
    }
    let shown = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} findings, of {counts:?}:\n{shown}", wrong.len());
    for kind in EVENTS {
        assert!(counts.contains_key(*kind), "too little was going on: no {kind} of {counts:?}");
    }
    counts
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Every entry of a listing, in the order of joining.
async fn entries(api: &Api, ware: &Ware) -> Vec<Value> {
    api.pages(&format!("/v1/listings/{}/waitlist?limit=200", ware.id)).await
}

/// What can be had of a listing.
async fn available(api: &Api, ware: &Ware) -> Units {
    let found = ask(api.get(&format!("/v1/listings/{}/availability", ware.id))).await.ok(200);
    let pool = |pool: &Value| (text(pool, "key").to_owned(), pool["available"].as_i64().unwrap());
    found.json["pools"].as_array().unwrap().iter().map(pool).collect()
}

/// Whoever waits for what is free gets it within five seconds.
async fn nobody_waits_for_what_is_free(api: &Api, ware: &Ware, wrong: &mut Vec<String>) {
    let begun = Instant::now();
    let mut overdue: Option<BTreeSet<String>> = None;
    loop {
        let free = available(api, ware).await;
        let entries = entries(api, ware).await;
        let fits = |entry: &&Value| entry["state"] == "waiting" && Wish::of(entry).is_met_by(&free);
        let now: BTreeSet<String> = entries.iter().filter(fits).map(|e| text(e, "id").to_owned()).collect();
        let still =
            overdue.map_or_else(|| now.clone(), |before| before.intersection(&now).cloned().collect());
        if still.is_empty() {
            return;
        }
        if begun.elapsed() > OFFER_LIMIT {
            let limit = OFFER_LIMIT;
            wrong.push(format!("{}: {still:?} wait for {limit:?} while {free:?} is free", ware.title));
            return;
        }
        overdue = Some(still);
        tokio::time::sleep(LOOK).await;
    }
}

/// Everything comes back, and nobody takes up what is offered: so everybody who waits is offered something, one after the
/// other, and in the end everything is free.
async fn everybody_is_served(api: &Api, ware: &Ware, wrong: &mut Vec<String>) {
    for booking in api.bookings(&ware.id).await {
        if matches!(text(&booking, "state"), "held" | "confirmed") {
            let cancel =
                api.post(&format!("/v1/bookings/{}/cancel", text(&booking, "id")), &Value::default());
            // It may have lapsed by now.
            ask(cancel.bearer_auth(&api.admin)).await;
        }
    }
    let mut served = Instant::now();
    loop {
        let entries = entries(api, ware).await;
        let of = |state: &'static str| entries.iter().filter(move |entry| entry["state"] == state);
        for offered in of("offered") {
            let leave = api.request(Method::DELETE, &format!("/v1/waitlist/{}", text(offered, "id")));
            ask(leave.bearer_auth(&api.admin)).await;
            served = Instant::now();
        }
        if of("waiting").next().is_none() && of("offered").next().is_none() {
            break;
        }
        if served.elapsed() > OFFER_LIMIT {
            let (title, limit, waiting) = (ware.title, OFFER_LIMIT, of("waiting").collect::<Vec<_>>());
            wrong.push(format!("{title}: for {limit:?} nobody of {waiting:?} was offered anything"));
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
    // Availability may be a quarter of a second behind.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let left = available(api, ware).await;
    if left != ware.capacity {
        wrong.push(format!("{}: everybody has gone, and only {left:?} is free", ware.title));
    }
}

/// What was acknowledged is there, once, as it follows from what was told.
async fn nothing_is_lost(api: &Api, ware: &Ware, crowd: &Crowd, wrong: &mut Vec<String>) {
    let (entries, bookings) = (entries(api, ware).await, api.bookings(&ware.id).await);
    let memory = crowd.memory.lock().unwrap();
    let mut customers: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in &entries {
        let id = text(entry, "id");
        let customer = text(&entry["customer"], "external_id");
        if let Some(other) = customers.insert(customer, id) {
            wrong.push(format!("{customer} asked to wait once, and waits as {other} and {id}"));
        }
        if !memory.entries.contains_key(&(ware.id.clone(), id.to_owned())) {
            wrong.push(format!("nobody was told of {entry}"));
        }
    }
    let by_id: BTreeMap<&str, &Value> = entries.iter().map(|entry| (text(entry, "id"), entry)).collect();
    for ((_, id), told) in memory.entries.iter().filter(|((listing, _), _)| *listing == ware.id) {
        let Some(entry) = by_id.get(&**id) else {
            wrong.push(format!("{id} is lost: {told:?}"));
            continue;
        };
        let customer = text(&entry["customer"], "external_id");
        let is_same = customer == told.customer && Wish::of(entry) == told.wish;
        if !is_same || !told.may_become(text(entry, "state")) {
            wrong.push(format!("{told:?} was told, and there is {entry}"));
        }
    }
    let mut told: BTreeMap<&str, bool> = BTreeMap::new();
    for ((_, id), sold) in memory.bookings.iter().filter(|((listing, _), _)| *listing == ware.id) {
        told.insert(id, *sold);
    }
    let mut keys = BTreeSet::new();
    for booking in &bookings {
        let sold = told.remove(text(booking, "id"));
        // The note is the key of the request; nobody has asked for those that were offered.
        let key = booking["note"].as_str();
        if key.is_some_and(|key| !keys.insert(key) || sold.is_none()) {
            wrong.push(format!("one key made two bookings, or nobody was told of it: {booking}"));
        }
        if sold == Some(true) && booking["state"] != "confirmed" {
            wrong.push(format!("it was confirmed, and there is {booking}"));
        }
    }
    wrong.extend(told.keys().map(|id| format!("booking {id} is lost")));
}
