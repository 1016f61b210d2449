//! A node that is stopped (SIGSTOP), and goes on later.

use std::time::{Duration, Instant};

use lastseat_testkit::{Fault, Proxy, wait_until_async};

use crate::dice;
use crate::finale::{self, Lapses};
use crate::load::Load;
use crate::real::{booking, places, try_ask};
use crate::shop::{DATABASE, api, load_time, node, nodes, postgres};
use crate::wares::stock;

/// How long others may wait for the locks of a node that does not go on. The promise is 3 s; the rest is for a busy machine.
const LOCKS: Duration = Duration::from_millis(3_500);

/// Clients.
const CLIENTS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_stopped_under_load_is_waited_for_no_longer_than_its_locks_last_and_harms_nobody() {
    let mut dice = dice::thrown("stopped");
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let proxy = Proxy::start(postgres.address(), Duration::ZERO).unwrap();
    let mut all = vec![node(&postgres.url_through(&proxy, DATABASE)).start().unwrap()];
    all.extend(nodes(&url, 1));
    let wares = stock(&api(&all[0])).await;
    let hot = api(&all[1]).listing(&places(50)).await;
    let load = Load::start(&all, wares, CLIENTS, &mut dice);
    tokio::time::sleep(Duration::from_secs(1)).await;

    // It is stopped in the middle of a transaction: with the locks of the hot listing in its hands.
    proxy.arm(b"has the locks", Fault::HoldRequests);
    let mut body = booking(&hot, "somebody");
    body["note"] = "has the locks".into();
    let stopped = load_time(6);
    let first = api(&all[0]).post("/v1/bookings", &body).timeout(stopped * 2 + Duration::from_secs(30));
    let first = tokio::spawn(try_ask(first));
    let struck = async || proxy.has_struck().then_some(());
    wait_until_async(Duration::from_secs(10), "a transaction under way", struck).await.unwrap();
    all[0].pause().unwrap();
    let begun = Instant::now();
    api(&all[1]).book(&booking(&hot, "another")).await;
    let waited = begun.elapsed();
    eprintln!("the other node waited {waited:?} for the locks of the stopped one");
    assert!(waited < LOCKS, "the other node waited {waited:?} for the locks of the stopped one");
    assert!(waited > Duration::from_millis(500), "the stopped one had no locks");
    // From here on nobody waits for it at all.
    let begun_again = Instant::now();
    for guest in 0..10 {
        api(&all[1]).book(&booking(&hot, &format!("guest {guest}"))).await;
    }
    let ten = begun_again.elapsed();
    assert!(ten < LOCKS, "ten bookings took {ten:?}");
    tokio::time::sleep(stopped.saturating_sub(begun.elapsed())).await;

    // It goes on with what it believes, and finds that it is not so.
    all[0].resume().unwrap();
    proxy.heal();
    let told = first.await.unwrap().unwrap();
    eprintln!("the stopped node told its client {} after {:?}", told.status, begun.elapsed());
    assert!([201, 503].contains(&told.status.as_u16()), "{told:?}");
    let marked = "SELECT count(*) FROM bookings WHERE note = 'has the locks'";
    let marked = postgres.sql(DATABASE, marked).unwrap()[0][0].clone();
    assert_eq!(marked.as_deref() == Some("1"), told.status == 201, "{told:?}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let load = load.stop().await;
    let report = finale::check(&postgres, &all, &load, Lapses::OnTime).await;
    eprintln!("nobody was served for {:.2} s at most; {report}", load.longest_silence());
}
