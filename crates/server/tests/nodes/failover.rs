//! The primary is lost, and a synchronous replica takes over.

use std::time::{Duration, Instant};

use lastseat_testkit::{Postgres, Replication, TestServer};

use crate::dice;
use crate::finale::{self, Lapses};
use crate::load::Load;
use crate::shop::{DATABASE, api, load_time, nodes, postgres};
use crate::wares::stock;

/// Clients.
const CLIENTS: usize = 12;

/// How long the replica is behind when the primary is lost.
const BEHIND: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_replica_that_takes_over_has_everything_that_was_acknowledged() {
    let mut dice = dice::thrown("failover");
    let mut primary = postgres();
    primary.create_database(DATABASE).unwrap();
    let replica = primary.replica(Replication::Synchronous).unwrap();
    let url = Postgres::url_of_any(&[&primary, &replica], DATABASE);
    let nodes = nodes(&url, 2);
    let ids: Vec<u32> = nodes.iter().map(TestServer::process_id).collect();
    let wares = stock(&api(&nodes[0])).await;
    let load = Load::start(&nodes, wares, CLIENTS, &mut dice);
    let time = load_time(6);
    tokio::time::sleep(time / 2 + Duration::from_millis(dice.below(500))).await;
    let lost = Instant::now();
    // For a moment the replica gets nothing: what is acknowledged now would be lost.
    replica.pause().unwrap();
    tokio::time::sleep(BEHIND).await;
    tokio::task::block_in_place(|| {
        primary.kill().unwrap();
        replica.resume();
        replica.promote().unwrap();
    });
    eprintln!("the replica took over after {:?}", lost.elapsed());
    tokio::time::sleep(time / 2).await;
    let load = load.stop().await;
    let report = finale::check(&replica, &nodes, &load, Lapses::NoDatabase).await;
    let now: Vec<u32> = nodes.iter().map(TestServer::process_id).collect();
    assert_eq!(now, ids, "a node was started again");
    let (time, count) = load.refused_for();
    eprintln!(
        "{count} answers of 503 within {time:.1} s; nobody was served for {:.2} s at most; {report}",
        load.longest_silence()
    );
}
