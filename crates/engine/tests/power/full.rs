//! The disk is full: writes are refused in order, reads go on, and with room everything goes on.

use lastseat_core::refusal::RefusalData;
use lastseat_engine::BookingQuery;
use lastseat_testkit::wait_until_async;

use crate::common::WAIT;
use crate::machine::{Machine, Sync, book};

/// Keys of requests beside the load.
const ASIDE: u128 = 1 << 100;

/// Books until there is no room; gives how often that was refused.
async fn fill(machine: &mut Machine) {
    machine.load(100).await;
    machine.disk.limit_bytes(Some(machine.disk.used_bytes() + 64 * 1024));
    machine.load(2_000).await;
    assert!(!machine.told.open.is_empty(), "there is still room");
    // What was too large a batch may have left room for a small one.
    machine.disk.limit_bytes(Some(machine.disk.used_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_answers_reads_and_loses_nothing() {
    let mut machine = Machine::new(Sync::Full).await;
    fill(&mut machine).await;
    // Nothing hangs, and nothing is tried again by itself: each is refused, with when to come again.
    let mut refused = 0;
    for key in ASIDE..ASIDE + 40 {
        match book(machine.engine(), &machine.listing, key).await {
            // What a refused batch has left of the log may be enough for a small one.
            Ok(row) => drop(machine.told.booked.insert(key, (row.id, false))),
            Err(refusal) => {
                assert_eq!((refusal.code.as_str(), refusal.code.status()), ("unavailable", 503));
                assert!(refusal.detail.contains("no room"), "{refusal:?}");
                assert!(matches!(refusal.data, RefusalData::RetryAfter(1..)));
                machine.told.open.push(key);
                refused += 1;
            }
        }
    }
    assert!(refused >= 20, "only {refused} were refused");
    let (id, _) = *machine.told.booked.values().next().unwrap();
    assert_eq!(machine.engine().booking(id).await.unwrap().unwrap().id, id);
    assert_eq!(machine.engine().bookings(BookingQuery::default(), 50).await.unwrap().len(), 50);
    assert!(machine.engine().availability(&machine.listing).await.unwrap().pools[0].available > 0);
    assert!(!machine.engine().events(0, None, 50).await.unwrap().is_empty());
    machine.engine().check_ready().await.unwrap();
    assert_eq!(machine.lost(), 0);

    machine.disk.limit_bytes(None);
    machine.assert_whole().await;
    machine.load(50).await;
    machine.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_due_while_the_disk_is_full_is_done_when_there_is_room() {
    let mut machine = Machine::new(Sync::Full).await;
    fill(&mut machine).await;
    let held = *machine.told.booked.values().find(|(_, paid)| !paid).unwrap();
    machine.pass(600);
    let read = machine.engine().booking(held.0).await.unwrap().unwrap();
    assert_eq!(read.state.as_str(), "expired", "readers need no room");
    machine.disk.limit_bytes(None);
    let told = wait_until_async(WAIT, "the event", async || {
        let events = machine.engine().booking_events(read.no).await.unwrap();
        events.into_iter().find(|event| event.kind.as_str() == "booking.expired")
    });
    told.await.unwrap();
    machine.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_on_a_full_disk_loses_nothing_either() {
    let mut machine = Machine::new(Sync::Full).await;
    fill(&mut machine).await;
    machine.power_cycle(lastseat_testkit::vfs::Survival::SyncedOnly).await;
    assert_eq!(machine.lost(), 0);
    machine.disk.limit_bytes(None);
    machine.assert_whole().await;
}
