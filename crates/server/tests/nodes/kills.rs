//! Nodes are killed and started again at random.

use std::time::{Duration, Instant};

use crate::dice;
use crate::finale::{self, Lapses};
use crate::load::Load;
use crate::shop::{DATABASE, api, load_time, nodes, postgres};
use crate::wares::stock;

/// Nodes.
const NODES: usize = 3;

/// Clients.
const CLIENTS: usize = 16;

/// How long it is quiet between two kills, at least and at most, in milliseconds.
const PAUSES: (u64, u64) = (100, 1_500);

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_killed_at_random_lose_nothing_and_sell_nothing_twice() {
    let mut dice = dice::thrown("kills");
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let mut nodes = nodes(&url, NODES);
    let wares = stock(&api(&nodes[0])).await;
    let running = Load::start(&nodes, wares, CLIENTS, &mut dice);
    let (begun, time, mut kills) = (Instant::now(), load_time(12), 0);
    while begun.elapsed() < time {
        let pause = PAUSES.0 + dice.below(PAUSES.1 - PAUSES.0);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let victim = usize::try_from(dice.below(NODES as u64)).unwrap();
        nodes[victim].kill().unwrap();
        kills += 1;
        // Beside the others, on what it has left in the middle of everything.
        tokio::task::block_in_place(|| nodes[victim].verify()).unwrap();
        if dice.chance(500) {
            tokio::time::sleep(Duration::from_millis(dice.below(800))).await;
        }
        tokio::task::block_in_place(|| nodes[victim].restart()).unwrap();
    }
    let load = running.stop().await;
    let report = finale::check(&postgres, &nodes, &load, Lapses::OnTime).await;
    eprintln!("{kills} kills; nobody was served for {:.2} s at most; {report}", load.longest_silence());
    assert!(report.seen.unknown > 0, "no answer was lost: the kills hit nobody");
}
