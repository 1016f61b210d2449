//! What must hold in the end, whatever happened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lastseat_core::id::BookingId;
use lastseat_history::{
    Answer, Ask, BookingView, Clock, Coverage, History, Lapse, LastReading, Operation, PoolCounters, Rule,
    Setting, State,
};
use lastseat_testkit::{Postgres, TestServer, wait_until_async};
use serde_json::Value;

use crate::load::Load;
use crate::real::{Api, ask};
use crate::shop::{DATABASE, KEY, api, ask_admin, now_us, password};
use crate::told::{booking, pools};
use crate::wares::Ware;

/// How late a hold may lapse.
const LAPSE_LIMIT: Duration = Duration::from_secs(5);

/// How often the database's clock is read beside that of the clients.
const CLOCK_SAMPLES: usize = 10;

/// The rules that any history of some length has something to say about.
const RULES: &[Rule] = &[
    Rule::Recording,
    Rule::NoOversell,
    Rule::CustomerLimit,
    Rule::JustRefusal,
    Rule::NothingLost,
    Rule::NothingUnasked,
    Rule::OneAnswerPerKey,
    Rule::PossibleSteps,
    Rule::Deadlines,
    Rule::AnswerFits,
    Rule::Stamps,
    Rule::Money,
    Rule::Availability,
    Rule::Counters,
];

/// How the clients' clock relates to the database's.
pub fn clock(postgres: &Postgres) -> Clock {
    let sample = || {
        let started = now_us();
        let text = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let at = postgres.sql(DATABASE, text).unwrap()[0][0].as_ref().unwrap().parse().unwrap();
        (started, now_us(), at)
    };
    Clock::from_samples((0..CLOCK_SAMPLES).map(|_| sample())).unwrap().widened(2)
}

/// Whether deadlines were kept while this went on: not where nobody could write for longer than they allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lapses {
    /// Each within five seconds.
    OnTime,
    /// Some while there was no database.
    NoDatabase,
}

/// Looks at everything. Gives what the checker of histories looked at.
pub async fn check(
    postgres: &Postgres,
    nodes: &[TestServer],
    load: &Load,
    lapses: Lapses,
) -> lastseat_history::Report {
    let api = api(&nodes[0]);
    all_lapse(postgres).await;
    nodes[0].verify().unwrap();
    no_oversell(postgres);
    let started_us = now_us();
    let rows = bookings(&api, &load.wares).await;
    let counters = counters(&api, &load.wares).await;
    let views: Vec<BookingView> = rows.iter().map(booking).collect();
    no_duplicates(&rows);
    limits_hold(&load.wares, &views);
    nothing_lost(load, &views);
    events_agree(nodes, &rows).await;
    let lapsed = if lapses == Lapses::OnTime { lapsed(postgres) } else { Vec::new() };
    let last = LastReading {
        started_us,
        ended_us: now_us(),
        coverage: Coverage::All,
        bookings: views,
        pools: counters,
        lapses: lapsed,
    };
    let listings = load.wares.iter().map(|ware| ware.listing.clone()).collect();
    let setting = Setting::new(clock(postgres), listings);
    let operations = load.recorder.operations().into_iter().map(|op| still_true(op, &setting)).collect();
    let history = History { setting, operations, last: Some(last) };
    let report = lastseat_history::check(&history);
    if !report.holds() {
        let path = std::env::temp_dir().join(format!("lastseat-history-{}.jsonl", std::process::id()));
        history.write_to(std::fs::File::create(&path).unwrap()).unwrap();
        panic!("the history, kept in {}, cannot be explained: {report}", path.display());
    }
    assert_eq!(report.lacks(RULES), [], "too little was going on: {report}");
    let wrong = load.wrong.lock().unwrap().clone();
    assert!(wrong.is_empty(), "{} answers of this kind: {}", wrong.len(), wrong[0]);
    for node in nodes {
        let said = node.stderr();
        assert!(!said.contains("panicked") && !said.contains(KEY), "{said}");
        assert!(!said.contains(&password(postgres)), "the password of the database is in the log: {said}");
        let metrics = ask(self::api(node).get("/metrics")).await.ok(200).text;
        let violations = metrics.lines().find(|line| line.starts_with("lastseat_invariant_violations"));
        assert!(violations.is_none_or(|line| line.ends_with(" 0")), "{violations:?}");
    }
    report
}

/// A node tells an availability again as long as it knows that it is still true: then it is as of the request, whatever
/// instant it was computed for. Whether it was true is what is checked.
fn still_true(mut operation: Operation, setting: &Setting) -> Operation {
    if let Answer::Availability { as_of_ms, .. } = &mut operation.answer {
        let asked = operation.started_us.div_euclid(1000) + setting.clock.offset_low_ms;
        *as_of_ms = (*as_of_ms).max(asked - setting.availability_lag_ms);
    }
    operation
}

/// Waits until no hold is left whose deadline has passed: whoever is late is late by less than this.
async fn all_lapse(postgres: &Postgres) {
    let late = "SELECT count(*) FROM bookings WHERE state = 'held' AND due_at <= \
        extract(epoch FROM clock_timestamp()) * 1000";
    let none = async || (postgres.sql(DATABASE, late).unwrap()[0][0].as_deref() == Some("0")).then_some(());
    wait_until_async(LAPSE_LIMIT, "overdue holds to lapse", none).await.unwrap();
}

fn no_oversell(postgres: &Postgres) {
    let over = "SELECT listing_no, pool_no, held, confirmed, capacity FROM pools \
        WHERE held + confirmed + blocked > capacity OR held < 0 OR confirmed < 0";
    assert_eq!(postgres.sql(DATABASE, over).unwrap(), Vec::<Vec<_>>::new(), "oversold");
}

/// Every booking of every listing.
async fn bookings(api: &Api, wares: &[Ware]) -> Vec<Value> {
    let mut all = Vec::new();
    for ware in wares {
        all.extend(api.bookings(&ware.listing.id).await);
    }
    all
}

async fn counters(api: &Api, wares: &[Ware]) -> Vec<PoolCounters> {
    // Availability may be a quarter of a second behind.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut all = Vec::new();
    for ware in wares {
        let listing = &ware.listing.id;
        let found = ask_admin(api, &format!("/v1/listings/{listing}/availability")).await.ok(200);
        all.extend(pools(&found.json).into_iter().map(|pool| PoolCounters {
            listing: listing.clone(),
            key: pool.key,
            held: pool.held,
            confirmed: pool.confirmed,
        }));
    }
    all
}

/// Each key made one booking at most. The note of a booking is the key of its request.
fn no_duplicates(rows: &[Value]) {
    let mut by_key: BTreeMap<&str, &Value> = BTreeMap::new();
    for row in rows {
        let before = by_key.insert(row["note"].as_str().unwrap(), row);
        assert!(before.is_none(), "one key made two bookings: {row} and {before:?}");
    }
}

/// Counts anew, without the checker, what customers and pools have in the end.
fn limits_hold(wares: &[Ware], views: &[BookingView]) {
    for ware in wares {
        let (mut pools, mut customers) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
        let counts = |view: &&BookingView| view.state.holds() || view.state.sells();
        for view in views.iter().filter(|view| view.listing == ware.listing.id).filter(counts) {
            for line in &view.lines {
                *pools.entry(&line.pool).or_default() += line.quantity;
            }
            let units = view.lines.iter().map(|line| line.quantity);
            let customer = customers.entry(view.customer.as_deref().unwrap()).or_default();
            // A guest with two rooms in different nights has one per night: only sums of places are counted here.
            *customer += if ware.is_hotel { 0 } else { units.sum() };
        }
        for pool in &ware.listing.pools {
            let taken = pools.remove(&*pool.key).unwrap_or_default();
            assert!(taken <= pool.capacity, "{} of {} is oversold: {taken}", pool.key, ware.listing.id);
        }
        assert!(pools.is_empty(), "bookings of pools that are not there: {pools:?}");
        let Some(most) = ware.listing.max_per_customer else { continue };
        let over: Vec<_> = customers.iter().filter(|(_, units)| **units > most).collect();
        assert!(over.is_empty(), "over the limit of {most}: {over:?}");
    }
}

/// What was acknowledged is there, and is not older than it was.
fn nothing_lost(load: &Load, views: &[BookingView]) {
    let found: BTreeMap<&str, &BookingView> = views.iter().map(|view| (&*view.id, view)).collect();
    let mut acknowledged = 0;
    for operation in load.recorder.operations() {
        let Answer::Booking { booking: told, .. } = &operation.answer else { continue };
        if matches!(operation.ask, Ask::Read { .. }) {
            continue;
        }
        acknowledged += 1;
        let now = found.get(&*told.id).unwrap_or_else(|| panic!("{told:?} is lost"));
        assert!(now.version >= told.version, "{told:?} was acknowledged, and is {now:?}");
        let sold_stays = told.state != State::Confirmed || now.state.sells() || now.state == State::Cancelled;
        assert!(sold_stays, "{told:?} was sold, and is {now:?}");
    }
    assert!(acknowledged > 100, "only {acknowledged} changes were acknowledged: too little was going on");
}

/// The feed tells the same on every node: each event once, and none of a booking's is missing.
async fn events_agree(nodes: &[TestServer], rows: &[Value]) {
    let first = api(&nodes[0]).events("").await.0;
    let ids: BTreeSet<&str> = first.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), first.len(), "an event is told twice");
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for event in first.iter().filter(|event| event["booking_id"].is_string()) {
        let seq = last.entry(event["booking_id"].as_str().unwrap()).or_default();
        *seq += 1;
        assert_eq!(event["seq"], *seq, "an event is missing, or out of order: {event}");
    }
    for row in rows {
        assert!(last.contains_key(row["id"].as_str().unwrap()), "no event tells of {row}");
    }
    for node in &nodes[1..] {
        // Holds may lapse meanwhile.
        let other = api(node).events("").await.0;
        assert!(other.len() >= first.len(), "a node tells {} events of {}", other.len(), first.len());
        for (one, same) in first.iter().zip(&other) {
            assert_eq!(one, same, "nodes tell different stories");
        }
    }
}

/// When holds were marked as lapsed.
fn lapsed(postgres: &Postgres) -> Vec<Lapse> {
    let text = "SELECT b.id, e.version, e.at FROM events e JOIN bookings b ON b.no = e.booking_no \
        WHERE e.kind = 'booking.expired' ORDER BY e.no";
    let lapse = |row: Vec<Option<String>>| {
        let [Some(id), Some(version), Some(at)] = row.as_slice() else { panic!("{row:?}") };
        let bits = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
        Lapse {
            booking: BookingId::from_bits(bits).to_string(),
            version: version.parse().unwrap(),
            at_ms: at.parse().unwrap(),
        }
    };
    postgres.sql(DATABASE, text).unwrap().into_iter().map(lapse).collect()
}
