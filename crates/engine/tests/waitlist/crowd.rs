//! A crowd at a sold-out pool: none of them gets what comes free while somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lastseat_core::booking::State;
use lastseat_core::waitlist::Standing;
use lastseat_engine::{DueWorker, EngineConfig};

use crate::common::{House, ask};

/// Public customers.
const CROWD: usize = 1_000;
/// Places, and as many who wait.
const PLACES: i64 = 20;

/// Hammers until told to stop. How many places the public got.
async fn hammer(
    house: &House,
    listing: &Arc<lastseat_core::listing::Listing>,
    stop: &Arc<AtomicBool>,
) -> u64 {
    let got = Arc::new(AtomicU64::new(0));
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let (engine, listing) = (house.engine.clone(), Arc::clone(listing));
        let (stop, got) = (Arc::clone(stop), Arc::clone(&got));
        crowd.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                if engine.submit(ask::one(&listing)).await.is_ok() {
                    got.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for task in crowd {
        task.await.unwrap();
    }
    got.load(Ordering::Relaxed)
}

async fn lapse_under_a_crowd(due_worker: DueWorker) {
    let house = House::with(EngineConfig { due_worker, ..EngineConfig::default() });
    let listing = house.places(PLACES).await;
    for _ in 0..PLACES {
        house.book(ask::one(&listing)).await;
        house.pass(1);
    }
    let mut waits = Vec::new();
    for number in 0..PLACES {
        waits.push(house.join(ask::wait(&listing, 1, &format!("Waits {number}"))).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let watching = async {
        // One hold after the other lapses; each time the first who waits gets it.
        house.pass(600 - PLACES);
        for (number, id) in waits.iter().enumerate() {
            let begun = Instant::now();
            while house.entry(*id).await.standing == Standing::Waiting {
                assert!(begun.elapsed() < Duration::from_secs(5), "number {number} waits still");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
            if let Some(next) = waits.get(number + 1) {
                assert_eq!(house.entry(*next).await.standing, Standing::Waiting, "out of turn");
            }
            house.pass(1);
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (got, ()) = tokio::join!(hammer(&house, &listing, &stop), watching);
    assert_eq!(got, 0, "the public got what somebody waited for");
    for id in waits {
        assert_eq!(house.entry(id).await.offer.unwrap().state, State::Held);
    }
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_hammer_get_nothing_while_somebody_waits() {
    lapse_under_a_crowd(DueWorker::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_they_where_only_sweeping_frees_what_has_lapsed() {
    lapse_under_a_crowd(DueWorker::Off).await;
}
