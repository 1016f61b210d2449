//! Twenty times SIGKILL.

use std::collections::BTreeMap;
use std::time::Duration;

use lastseat_testkit::TestServer;
use serde_json::Value;

use crate::clients::{Keys, Memory, again, assert_kept, until_it_dies};
use crate::real::{Api, ask, pdf, places};

/// How often the server is killed.
const KILLS: u64 = 20;
/// Clients at a time.
const CLIENTS: usize = 16;
/// The server lives at least and at most so long, in milliseconds, before it is killed.
const LIVES: (u64, u64) = (20, 700);
/// Places of the listing: more than are ever asked for.
const CAPACITY: i64 = 900_000;

/// A number that differs from kill to kill, and from run to run: that is what crashes do. Printed, so that a
/// failure can be told.
fn life(kill: u64) -> Duration {
    let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), kill);
    let millis = LIVES.0 + random % (LIVES.1 - LIVES.0);
    eprintln!("life {kill}: {millis} ms");
    Duration::from_millis(millis)
}

/// What must hold after each crash, cheaply: what got no answer is asked for again, and what was acknowledged in
/// this life is there.
async fn check_life(api: &Api, listing: &str, memory: &mut Memory, lived: Memory) {
    for (key, told) in &lived.told {
        let path = format!("/v1/bookings/{}", told.id);
        let row = ask(api.get(&path).bearer_auth(&api.admin)).await.ok(200).json;
        assert_kept(told, &row);
        if told.receipt {
            let first = ask(api.get(&format!("{path}/receipts/1")).bearer_auth(&api.admin)).await.ok(200);
            assert_eq!(
                first.text.as_bytes(),
                pdf(&key.to_string()),
                "an acknowledged receipt is another file"
            );
        }
    }
    for key in &lived.unanswered {
        let (first, second) = (again(api, listing, *key).await, again(api, listing, *key).await);
        assert_eq!(first.id(), second.id());
        assert_eq!(second.header("idempotency-replayed"), "true");
    }
    memory.join(lived);
}

/// What must hold in the end: every booking of every life, once.
async fn check_all(api: &Api, listing: &str, memory: &Memory) {
    let rows = api.bookings(listing).await;
    let mut by_customer: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in &rows {
        let customer = row["customer"]["name"].as_str().unwrap().to_owned();
        by_customer.entry(customer).or_default().push(row);
    }
    let doubled: Vec<_> = by_customer.iter().filter(|(_, rows)| rows.len() > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    for (key, told) in &memory.told {
        let found = by_customer.get(&format!("customer {key}")).unwrap_or_else(|| panic!("{told:?} is gone"));
        assert_kept(told, found[0]);
    }
    for key in &memory.unanswered {
        assert!(by_customer.contains_key(&format!("customer {key}")));
    }
    assert_eq!(by_customer.len(), memory.told.len() + memory.unanswered.len(), "bookings that nobody made");
    let sold = rows.iter().filter(|row| row["state"] == "confirmed").count();
    let taken = rows.iter().filter(|row| row["state"] == "held" || row["state"] == "in_review").count();
    let (available, held, confirmed) = api.stock(listing).await;
    let counted = (i64::try_from(taken).unwrap(), i64::try_from(sold).unwrap());
    assert_eq!((held, confirmed), counted);
    assert_eq!(available, CAPACITY - held - confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_after_crash_every_acknowledged_booking_is_there_and_none_is_doubled() {
    let mut server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let listing = api.listing(&places(CAPACITY)).await;
    let (keys, mut memory) = (Keys::default(), Memory::default());
    for kill in 0..KILLS {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(until_it_dies(api.clone(), listing.clone(), keys.clone())))
            .collect();
        tokio::time::sleep(life(kill)).await;
        server.kill().unwrap();
        let mut lived = Memory::default();
        for client in clients {
            lived.join(client.await.unwrap());
        }
        // Beside no server, on what the crash has left.
        server.verify().unwrap();
        server.restart().unwrap();
        check_life(&api, &listing, &mut memory, lived).await;
    }
    eprintln!("{} bookings, {} without an answer", memory.told.len(), memory.unanswered.len());
    assert!(memory.told.len() > 500 && memory.unanswered.len() > 50, "too little was going on");
    check_all(&api, &listing, &memory).await;
    server.verify().unwrap();
    assert_eq!(server.terminate().unwrap(), 0);
}

/// What comes due while the process is dead is done when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn crash_of_the_server_does_not_keep_a_hold_beyond_its_deadline() {
    let mut server = TestServer::start().unwrap();
    let api = Api::of(&server);
    let mut form = places(1);
    form["policy"]["hold_seconds"] = 1.into();
    let listing = api.listing(&form).await;
    let held = api.book(&crate::real::booking(&listing, "first")).await.id();
    server.kill().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.restart().unwrap();
    api.book(&crate::real::booking(&listing, "second")).await;
    let path = format!("/v1/bookings/{held}");
    assert_eq!(ask(api.get(&path).bearer_auth(&api.admin)).await.json["state"], "expired");
    let told = lastseat_testkit::wait_until_async(Duration::from_secs(5), "the event", async || {
        let events = ask(api.get(&format!("{path}/events")).bearer_auth(&api.admin)).await.text;
        events.contains("booking.expired").then_some(())
    });
    told.await.unwrap();
    server.verify().unwrap();
}
