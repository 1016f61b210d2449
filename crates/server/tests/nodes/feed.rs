//! The feed of events, and due work, beside transactions that stand still elsewhere.

use std::time::{Duration, Instant};

use lastseat_testkit::{Fault, Proxy, wait_until_async};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use crate::dice;
use crate::finale::{self, Lapses};
use crate::load::Load;
use crate::real::{Api, booking, places, try_ask};
use crate::shop::{DATABASE, api, load_time, node, nodes, postgres};
use crate::wares::stock;

/// How soon an event shows.
const SHOWN: Duration = Duration::from_secs(2);

/// Clients.
const CLIENTS: usize = 8;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn bookings_of(events: &[Value]) -> Vec<&str> {
    let held = events.iter().filter(|event| event["type"] == "booking.held");
    held.map(|event| event["booking_id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_skipped_when_an_earlier_transaction_commits_after_a_later_one() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let proxy = Proxy::start(postgres.address(), Duration::ZERO).unwrap();
    let far = node(&postgres.url_through(&proxy, DATABASE)).start().unwrap();
    let near = node(&url).start().unwrap();
    let (slow, quick) = (api(&far), api(&near));
    let (one, other) = (slow.listing(&places(50)).await, quick.listing(&places(50)).await);
    let (mut told, mut after) = quick.events("").await;
    for round in 0..3 {
        // The first transaction has its number, and stops before it writes.
        let mark = format!("slow-{round}");
        proxy.arm(mark.as_bytes(), Fault::HoldRequests);
        let mut body = booking(&one, &mark);
        body["note"] = mark.into();
        let first = tokio::spawn(try_ask(slow.post("/v1/bookings", &body)));
        let struck = async || proxy.has_struck().then_some(());
        wait_until_async(Duration::from_secs(10), "a transaction under way", struck).await.unwrap();
        // Later ones overtake it, and somebody reads them to the end.
        let later: Vec<String> = [
            quick.book(&booking(&other, &format!("quick {round}"))).await.id(),
            quick.book(&booking(&other, &format!("quicker {round}"))).await.id(),
        ]
        .to_vec();
        let (events, next) = quick.events(&after).await;
        assert_eq!(bookings_of(&events), later, "round {round}");
        assert!(!first.is_finished(), "the first one was not held");
        told.extend(events);
        proxy.heal();
        let first = first.await.unwrap().unwrap().ok(201).id();
        let begun = Instant::now();
        let (mut events, mut next) = quick.events(&next).await;
        while events.is_empty() && begun.elapsed() < SHOWN {
            (events, next) = quick.events(&next).await;
        }
        assert_eq!(bookings_of(&events), [first], "round {round}");
        told.extend(events);
        after = next;
    }
    // Everybody tells the same, in the order in which it was read.
    for api in [&slow, &quick] {
        assert_eq!(api.events("").await.0, told);
    }
    let mut ids: Vec<&str> = told.iter().map(|event| event["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), told.len(), "an event was told twice");
}

/// How long it takes until what happens now is in the feed.
async fn shows(api: &Api, listing: &str, name: &str) -> Duration {
    let after = api.events("").await.1;
    let id = api.book(&booking(listing, name)).await.id();
    let begun = Instant::now();
    while !bookings_of(&api.events(&after).await.0).contains(&&*id) {
        assert!(begun.elapsed() < SHOWN, "a new event is not shown");
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_snapshots_long_reads_and_writers_elsewhere_hold_up_neither_due_work_nor_the_feed() {
    let mut dice = dice::thrown("snapshots");
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let elsewhere = postgres.create_database("elsewhere").unwrap();
    let nodes = nodes(&url, 2);
    let wares = stock(&api(&nodes[0])).await;
    let quiet = api(&nodes[0]).listing(&places(100_000)).await;

    let snapshot = connect(&url).await;
    snapshot
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bookings")
        .await
        .unwrap();
    let writer = connect(&elsewhere).await;
    writer
        .batch_execute("CREATE TABLE notes (text text); BEGIN; INSERT INTO notes VALUES ('not yet')")
        .await
        .unwrap();
    // A report that somebody who may write has begun and not ended.
    let inside = connect(&url).await;
    inside
        .batch_execute("BEGIN; CREATE TEMP TABLE report AS SELECT 1 AS x; SELECT txid_current()")
        .await
        .unwrap();
    let analyst = connect(&url).await;
    let reading = tokio::spawn(async move {
        let text = "SELECT count(*) FROM generate_series(1, 40) s, LATERAL (SELECT pg_sleep(0.2), count(*) FROM bookings \
            b JOIN events e ON e.booking_no = b.no WHERE s > 0) AS r";
        let _ = analyst.batch_execute(text).await;
    });

    let load = Load::start(&nodes, wares, CLIENTS, &mut dice);
    let (begun, time, mut slowest) = (Instant::now(), load_time(6), Duration::ZERO);
    let mut guest = 0;
    while begun.elapsed() < time {
        guest += 1;
        let node = &nodes[guest % 2];
        slowest = slowest.max(shows(&api(node), &quiet, &format!("guest {guest}")).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    eprintln!("{guest} bookings were in the feed after {slowest:?} at most");
    let load = load.stop().await;
    let report = finale::check(&postgres, &nodes, &load, Lapses::OnTime).await;
    eprintln!("{report}");
    // They were there all the time.
    for client in [&snapshot, &writer, &inside] {
        client.batch_execute("COMMIT").await.unwrap();
    }
    reading.abort();
}
