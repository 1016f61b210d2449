//! Stopping while everybody wants something.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod common;

use std::task::{Context, Waker};
use std::time::Duration;

use common::{House, ask, booking};

/// How often it is stopped.
const STOPS: u64 = 12;
/// Who books without a pause.
const CALLERS: usize = 16;
/// Threads that send without waiting: more than there are processors, so that some are always interrupted
/// between looking whether it is stopping and sending.
const SENDERS: usize = 12;
/// How long a stop may take.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn draining_under_load_keeps_what_was_answered() {
    for stop in 0..STOPS {
        let house = House::open();
        let listing = house.places(100_000).await;
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (engine, listing) = (house.engine.clone(), listing.clone());
                tokio::spawn(async move {
                    let mut booked = Vec::new();
                    loop {
                        match engine.submit(ask::one(&listing)).await {
                            Ok(done) => booked.push(booking(done.outcome).id),
                            Err(refusal) => break (booked, refusal),
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(stop % 8)).await;
        tokio::time::timeout(LIMIT, house.engine.drain()).await.unwrap();
        for caller in callers {
            let (booked, refusal) = caller.await.unwrap();
            assert_eq!(refusal.code.as_str(), "unavailable");
            for id in booked {
                house.read(id).await;
            }
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_slips_in_behind_the_order_to_stop_does_not_keep_it_from_stopping() {
    for _ in 0..STOPS {
        let house = House::open();
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let engine = house.engine.clone();
                std::thread::spawn(move || {
                    let mut context = Context::from_waker(Waker::noop());
                    while !engine.is_draining() {
                        // Sent, and gone before there is an answer.
                        let _ = Box::pin(engine.submit(ask::settle())).as_mut().poll(&mut context);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let drained = tokio::time::timeout(LIMIT, house.engine.drain()).await;
        assert!(drained.is_ok(), "it never stopped");
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    }
}
