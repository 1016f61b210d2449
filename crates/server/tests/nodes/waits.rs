//! Nodes are killed and started again at random, while people wait for what is sold out.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::dice;
use crate::real::{ask, booking, places};
use crate::shop::{DATABASE, api, load_time, nodes, postgres};
use crate::waiting::finale;
use crate::waiting::people::Crowd;
use crate::waiting::wares::stock;

/// Nodes.
const NODES: usize = 3;

/// People.
const PEOPLE: usize = 48;

/// How long it is quiet between two kills, at least and at most, in milliseconds.
const PAUSES: (u64, u64) = (100, 1_500);

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_killed_at_random_serve_those_who_wait_in_their_order() {
    let mut dice = dice::thrown("waits");
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let mut nodes = nodes(&url, NODES);
    let api = api(&nodes[0]);
    let wares = stock(&api).await;
    let running = Crowd::start(&nodes, &api, wares, PEOPLE, &mut dice);
    let (begun, time, mut kills) = (Instant::now(), load_time(12), 0);
    while begun.elapsed() < time {
        let pause = PAUSES.0 + dice.below(PAUSES.1 - PAUSES.0);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let victim = usize::try_from(dice.below(NODES as u64)).unwrap();
        nodes[victim].kill().unwrap();
        kills += 1;
        if dice.chance(500) {
            // Beside the others, on what it has left in the middle of everything.
            tokio::task::block_in_place(|| nodes[victim].verify()).unwrap();
        }
        tokio::task::block_in_place(|| nodes[victim].restart()).unwrap();
    }
    let crowd = running.stop().await;
    let lost = crowd.memory.lock().unwrap().lost;
    let seen = finale::check(&nodes, &api, &crowd).await;
    eprintln!("{kills} kills, {lost} answers lost; {seen:?}");
    assert!(lost > 0, "no answer was lost: the kills hit nobody");
}

/// Who waits is found by a narrow table beside the entries: one who stands in it no more would wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_and_would_never_be_found_is_a_broken_rule() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let nodes = nodes(&url, 1);
    let api = api(&nodes[0]);
    let listing = api.listing(&places(1)).await;
    api.book(&booking(&listing, "Ada")).await.ok(201);
    for name in ["Bela", "Cleo"] {
        let wants = json!({ "customer": { "name": name }, "any": { "quantity": 1 } });
        ask(api.post(&format!("/v1/listings/{listing}/waitlist"), &wants)).await.ok(201);
    }
    let verify = || tokio::task::block_in_place(|| nodes[0].verify());
    verify().unwrap();
    postgres.sql(DATABASE, "DELETE FROM waitlist_waiting WHERE no = 2").unwrap();
    let report: String = verify().unwrap_err().to_string().split_whitespace().collect();
    let broken = format!("\"name\":\"waitlist_is_counted\",\"checked\":1,\"broken\":[\"{listing}\"]");
    assert!(report.contains(&broken), "{report}");
}
