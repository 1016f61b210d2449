//! The database stops hard, and comes back.

use std::time::{Duration, Instant};

use crate::dice;
use crate::finale::{self, Lapses};
use crate::load::Load;
use crate::real::{ask, booking, places};
use crate::shop::{DATABASE, api, load_time, nodes, postgres};
use crate::wares::stock;

/// Clients.
const CLIENTS: usize = 12;

/// How long the database is away each time.
const AWAY: Duration = Duration::from_millis(1_500);

/// How long it only stands still before that.
const STANDS_STILL: Duration = Duration::from_secs(2);

/// How long a node may take to say that it cannot be done.
const REFUSAL: Duration = Duration::from_secs(6);

/// How soon everybody is served again once the database is back.
const RECOVERY: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_hard_and_starts_again_is_found_again_and_nothing_is_lost() {
    let mut dice = dice::thrown("database down");
    let mut postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let nodes = nodes(&url, 2);
    let ids: Vec<u32> = nodes.iter().map(lastseat_testkit::TestServer::process_id).collect();
    let wares = stock(&api(&nodes[0])).await;
    let other = api(&nodes[0]).listing(&places(1_000)).await;
    let load = Load::start(&nodes, wares, CLIENTS, &mut dice);
    let (begun, time) = (Instant::now(), load_time(8));
    let mut stops = 0;
    // First it only stands still: nobody is told anything wrong, and nothing breaks.
    tokio::time::sleep(Duration::from_millis(500 + dice.below(500))).await;
    postgres.pause().unwrap();
    tokio::time::sleep(STANDS_STILL).await;
    postgres.resume();
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(800 + dice.below(800))).await;
        tokio::task::block_in_place(|| postgres.stop_immediate()).unwrap();
        let away = Instant::now();
        stops += 1;
        for node in &nodes {
            let api = api(node);
            let asked = Instant::now();
            ask(api.post("/v1/bookings", &booking(&other, "nobody"))).await.problem(
                "a booking without a database",
                503,
                "unavailable",
            );
            assert!(asked.elapsed() < REFUSAL, "the refusal took {:?}", asked.elapsed());
            ask(api.get("/readyz")).await.problem("readiness without a database", 503, "unavailable");
            ask(api.get("/healthz")).await.ok(200);
        }
        tokio::time::sleep(AWAY.saturating_sub(away.elapsed())).await;
        tokio::task::block_in_place(|| postgres.start_again()).unwrap();
        let back = Instant::now();
        for node in &nodes {
            let api = api(node);
            let mut body = booking(&other, "somebody");
            body["customer"]["external_id"] = format!("guest {stops} of {}", node.process_id()).into();
            let served = async || {
                let answer = ask(api.post("/v1/bookings", &body)).await;
                (answer.status == 201).then_some(())
            };
            lastseat_testkit::wait_until_async(RECOVERY, "a booking", served).await.unwrap();
            ask(api.get("/readyz")).await.ok(200);
        }
        eprintln!("stop {stops}: away for {:?}, all served again {:?} later", back - away, back.elapsed());
    }
    let load = load.stop().await;
    let report = finale::check(&postgres, &nodes, &load, Lapses::NoDatabase).await;
    let now: Vec<u32> = nodes.iter().map(lastseat_testkit::TestServer::process_id).collect();
    assert_eq!(now, ids, "a node was started again");
    let (time, count) = load.refused_for();
    eprintln!("{stops} stops, {count} answers of 503 within {time:.1} s; {report}");
    eprintln!("nobody was served for {:.2} s at most", load.longest_silence());
    assert!(count > 0, "nobody was told to come again");
}
