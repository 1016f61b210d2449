//! What goes wrong goes wrong as it was asked for.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::command::{Actor, NewKey, Role};
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, KeyId};
use lastseat_core::time::Time;
use lastseat_core::world::World;

use super::{Failure, Fate, Fault, Faults, MemoryStore, Odds, TestClock};
use crate::error::{CommitError, StoreError};
use crate::tx::{Lane, Store};

fn store() -> MemoryStore {
    MemoryStore::new(TestClock::at(Time::from_millis(1_000_000)), Faults::default())
}

/// Commits an API key whose id is `n`, in the batch `n`.
fn commit(lane: &mut dyn Lane, n: u8) -> Result<(), CommitError> {
    let mut tx = lane.begin(u128::from(n), &Names::default()).map_err(CommitError::Aborted)?;
    let mut world = World::new(tx.now());
    let id = KeyId::from_bits(u128::from(n));
    world.add_key(NewKey { id, role: Role::Operator, name: "K".into(), hash: [n; 32] });
    tx.write(&world).map_err(CommitError::Aborted)?;
    tx.commit()
}

/// The ids of the keys that are there.
fn keys(store: &MemoryStore) -> Vec<u128> {
    store.reader().unwrap().keys().unwrap().iter().map(|key| key.id.bits()).collect()
}

#[test]
fn each_step_fails_once_and_works_again() {
    let store = store();
    let mut lane = store.lane().unwrap();
    let faults = [Fault::Begin, Fault::Write(Failure::Full), Fault::Commit(Failure::Unavailable)];
    for (n, fault) in (10..).zip(faults) {
        store.faults().once(fault);
        assert!(matches!(commit(lane.as_mut(), n), Err(CommitError::Aborted(_))), "{fault:?}");
        assert_eq!(keys(&store), [0u128; 0]);
        assert!(!lane.was_committed(u128::from(n)).unwrap());
    }
    store.faults().once(Fault::Read);
    assert!(lane.begin(7, &Names::default()).unwrap().numbers(1, 1).is_err());
    store.faults().once(Fault::Reader);
    assert!(store.reader().is_err());
    store.faults().once(Fault::Question);
    assert!(lane.was_committed(1).is_err());
    commit(lane.as_mut(), 2).unwrap();
    assert_eq!(keys(&store), [2]);
    assert!(lane.was_committed(2).unwrap());
}

#[test]
fn a_full_disk_stays_full_until_it_is_healed() {
    let store = store();
    let mut lane = store.lane().unwrap();
    store.faults().always(Fault::Write(Failure::Full));
    for n in 1..4 {
        assert!(matches!(commit(lane.as_mut(), n), Err(CommitError::Aborted(StoreError::Full))));
    }
    assert_eq!(keys(&store), [0u128; 0], "reading goes on");
    store.faults().heal();
    commit(lane.as_mut(), 4).unwrap();
}

#[test]
fn an_unknown_outcome_is_settled_for_ever() {
    for (fate, lands) in
        [(Fate::Landed, true), (Fate::Lost, false), (Fate::LandsLater, true), (Fate::LostLater, false)]
    {
        let store = store();
        let mut lane = store.lane().unwrap();
        store.faults().once(Fault::Unknown(fate));
        assert!(matches!(commit(lane.as_mut(), 1), Err(CommitError::Unknown(_))));
        assert_eq!(
            keys(&store).len(),
            usize::from(fate == Fate::Landed),
            "what is in flight is not seen yet"
        );
        assert_eq!(lane.was_committed(1).unwrap(), lands, "{fate:?}");
        for n in 2..4 {
            commit(lane.as_mut(), n).unwrap();
            assert_eq!(keys(&store).contains(&1), lands, "{fate:?}");
            assert_eq!(lane.was_committed(1).unwrap(), lands, "{fate:?}");
        }
    }
}

#[test]
fn what_is_in_flight_lands_before_the_next_transaction_begins() {
    let store = store();
    let mut lane = store.lane().unwrap();
    store.faults().once(Fault::Unknown(Fate::LandsLater));
    commit(lane.as_mut(), 1).unwrap_err();
    assert!(lane.begin(2, &Names::default()).unwrap().has_key(KeyId::from_bits(1)).unwrap());
    assert!(lane.was_committed(1).unwrap());
}

#[test]
fn a_batch_that_was_settled_as_aborted_can_never_be_committed() {
    let store = store();
    let mut lane = store.lane().unwrap();
    assert!(!lane.was_committed(1).unwrap());
    assert!(matches!(commit(lane.as_mut(), 1), Err(CommitError::Aborted(_))));
    assert_eq!(keys(&store), [0u128; 0]);
}

#[test]
fn a_crash_takes_what_was_not_committed_and_every_lane() {
    let store = store();
    let mut lane = store.lane().unwrap();
    commit(lane.as_mut(), 1).unwrap();
    {
        let mut tx = lane.begin(2, &Names::default()).unwrap();
        let mut world = World::new(tx.now());
        world.add_key(NewKey { id: KeyId::from_bits(2), role: Role::Admin, name: "K".into(), hash: [2; 32] });
        tx.write(&world).unwrap();
        store.crash();
        assert!(tx.has_key(KeyId::from_bits(1)).is_err());
        assert!(matches!(tx.commit(), Err(CommitError::Aborted(_))));
    }
    assert!(
        lane.begin(3, &Names::default()).is_err()
            && lane.was_committed(1).is_err()
            && lane.prune(Time::default()).is_err()
    );
    let mut lane = store.lane().unwrap();
    assert_eq!(keys(&store), [1]);
    assert!(lane.was_committed(1).unwrap() && !lane.was_committed(2).unwrap());
    for (n, fate, there) in [(4, Fate::Landed, true), (5, Fate::Lost, false), (6, Fate::LandsLater, true)] {
        store.faults().once(Fault::Crash(fate));
        assert!(matches!(commit(lane.as_mut(), n), Err(CommitError::Unknown(_))));
        assert!(lane.begin(9, &Names::default()).is_err());
        lane = store.lane().unwrap();
        assert_eq!(keys(&store).contains(&u128::from(n)), there);
    }
}

#[test]
fn a_poisonous_booking_is_refused_every_time() {
    use crate::conformance::kit::{Kit, places};
    let store = store();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let mut kit = Kit::new(&|_| Arc::clone(&shared));
    let listing = kit.listing(places());
    let poison = BookingId::from_bits(77);
    store.faults().poison(poison);
    for _ in 0..2 {
        let mut row = kit.row(&listing, State::Cancelled);
        row.id = poison;
        let refused = kit.try_commit(|world| {
            world.insert_booking(row, &[lastseat_core::event::EventKind::BookingCancelled], &Actor::System);
        });
        assert!(matches!(refused, Err(StoreError::BadData(_))), "{refused:?}");
    }
    kit.book(listing.id, "standard", 1);
}

#[test]
fn a_seed_draws_the_same_faults_again() {
    let run = |seed| -> Vec<bool> {
        let odds = Odds { begin: 200, commit: 200, unknown: 200, ..Odds::default() };
        let store = MemoryStore::new(TestClock::at(Time::default()), Faults::seeded(seed, odds));
        let mut lane = store.lane().unwrap();
        (0..100).map(|n| commit(lane.as_mut(), n).is_ok()).collect()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let worked = run(1).iter().filter(|ok| **ok).count();
    assert!((30..70).contains(&worked), "about half of them work: {worked}");
}

#[test]
fn the_clock_goes_both_ways() {
    let clock = TestClock::at(Time::from_millis(5_000));
    let same = clock.clone();
    clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(same.now(), Time::from_millis(7_000));
    clock.rewind(std::time::Duration::from_secs(4));
    assert_eq!(same.now(), Time::from_millis(3_000));
    clock.set(Time::from_millis(1));
    assert_eq!(same.now(), Time::from_millis(1));
}
