//! Transactions interleave as in a database.

use std::sync::mpsc::{self, Receiver};
use std::thread::Scope;

use lastseat_core::command::{Actor, Idempotency, IdempotencyKey, NewKey, Role};
use lastseat_core::decide::names::Names;
use lastseat_core::event::EventKind;
use lastseat_core::id::{KeyId, ListingId};
use lastseat_core::world::{Answer, World};

use super::{Cluster, Driver, Flaw, Node, Trouble};
use crate::conformance::kit::{START, places};
use crate::error::{CommitError, StoreError};
use crate::memory::TestClock;
use crate::tx::{Lane, Store, Tx};

/// Turns that are enough for everything here.
const TURNS: usize = 400;

fn key(bits: u8) -> NewKey {
    NewKey { id: KeyId::from_bits(bits.into()), role: Role::Admin, name: "K".into(), hash: [bits; 32] }
}

/// Writes an API key, so that there is something to be seen.
fn write(tx: &mut dyn Tx, bits: u8) -> Result<(), StoreError> {
    let mut world = World::new(tx.now());
    world.add_key(key(bits));
    tx.write(&world)
}

fn aborted(error: StoreError) -> CommitError {
    CommitError::Aborted(error)
}

fn commit(lane: &mut dyn Lane, names: &Names, bits: u8) -> Result<(), CommitError> {
    let mut tx = lane.begin(bits.into(), names).map_err(aborted)?;
    write(tx.as_mut(), bits).map_err(aborted)?;
    tx.commit()
}

/// The API keys that are there.
fn keys(store: &Node) -> Vec<u128> {
    store.reader().unwrap().keys().unwrap().iter().map(|key| key.id.bits()).collect()
}

/// A database with one listing, which these names name.
fn shop(clock: &TestClock) -> (Cluster, Names) {
    let cluster = Cluster::new(clock.clone());
    let mut lane = cluster.node().lane().unwrap();
    let id = ListingId::from_bits(9);
    let spec = serde_json::from_value(places()).unwrap();
    let new = lastseat_core::listing::build::build(&spec, START).unwrap();
    let mut tx = lane.begin(99, &Names { new_listings: 1, ..Names::default() }).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(0, 1).unwrap();
    let listing = world.add_listing(id, new);
    world.listing_event(EventKind::ListingCreated, listing.no, &Actor::System, String::new());
    tx.write(&world).unwrap();
    tx.commit().unwrap();
    (cluster, Names { listings: [id].into(), ..Names::default() })
}

/// Runs something on a node's own thread, and gives what it came to.
fn on<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    driver: &Driver,
    node: &Node,
    work: impl FnOnce(&Node) -> T + Send + 'scope,
) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    let node = node.clone();
    driver.wake(node.number());
    scope.spawn(move || {
        if node.take_part() {
            sender.send(work(&node)).unwrap();
            let _ = node.rest();
        }
    });
    receiver
}

fn until<T>(driver: &Driver, receiver: &Receiver<T>) -> T {
    for _ in 0..TURNS {
        driver.pass();
        if let Ok(done) = receiver.try_recv() {
            return done;
        }
    }
    panic!("it does not come to an end");
}

/// Lets a node that stands still at every step go on until it has locked something.
fn until_locked(cluster: &Cluster, driver: &Driver, node: &Node) {
    for _ in 0..TURNS {
        driver.pass();
        if cluster.shared.state().server.locks.is_held() {
            return;
        }
        driver.thaw(node.number());
    }
    panic!("it locks nothing");
}

#[test]
fn two_transactions_on_one_listing_come_one_after_the_other() {
    for seed in 0..50 {
        let (cluster, names) = shop(&TestClock::at(START));
        let nodes = [cluster.node(), cluster.node()];
        let driver = cluster.drive(seed, Trouble::default());
        std::thread::scope(|scope| {
            // Each looks which keys there are, and adds one of its own.
            let add = |bits: u8| {
                let names = names.clone();
                move |node: &Node| {
                    let mut lane = node.lane().unwrap();
                    let mut tx = lane.begin(bits.into(), &names).unwrap();
                    let saw = tx.has_key(KeyId::from_bits((3 - bits).into())).unwrap();
                    write(tx.as_mut(), bits).unwrap();
                    tx.commit().unwrap();
                    saw
                }
            };
            let first = on(scope, &driver, &nodes[0], add(1));
            let second = on(scope, &driver, &nodes[1], add(2));
            let saw = (until(&driver, &first), until(&driver, &second));
            assert!(saw.0 != saw.1, "seed {seed}: one of them comes first, and only one: {saw:?}");
            drop(driver);
        });
    }
}

#[test]
fn of_two_who_use_the_same_key_the_second_finds_it_taken() {
    let mut conflicts = 0;
    for seed in 0..50 {
        let (cluster, _) = shop(&TestClock::at(START));
        let nodes = [cluster.node(), cluster.node()];
        let driver = cluster.drive(seed, Trouble::default());
        std::thread::scope(|scope| {
            let remember = |bits: u8| {
                move |node: &Node| {
                    let mut lane = node.lane().unwrap();
                    let mut tx = lane.begin(bits.into(), &Names::default()).unwrap();
                    let mut world = World::new(tx.now());
                    let used = Idempotency { key: IdempotencyKey([7; 16]), fingerprint: [bits; 16] };
                    world.remember(Some(used), Answer::Key(KeyId::from_bits(bits.into())));
                    tx.write(&world).unwrap();
                    tx.commit()
                }
            };
            let first = on(scope, &driver, &nodes[0], remember(1));
            let second = on(scope, &driver, &nodes[1], remember(2));
            let ends = [until(&driver, &first), until(&driver, &second)];
            drop(driver);
            let taken = |end: &&Result<(), CommitError>| {
                matches!(end, Err(CommitError::Aborted(StoreError::Conflict(_))))
            };
            assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "seed {seed}: {ends:?}");
            conflicts += ends.iter().filter(taken).count();
        });
    }
    assert_eq!(conflicts, 50);
}

#[test]
fn who_asks_about_a_batch_in_flight_waits_for_it_or_ends_it_for_good() {
    let (mut landed, mut gone) = (0, 0);
    for seed in 0..200 {
        let (cluster, names) = shop(&TestClock::at(START));
        let node = cluster.node();
        let driver = cluster.drive(seed, Trouble { unknown: 1_000, ..Trouble::default() });
        std::thread::scope(|scope| {
            let work = on(scope, &driver, &node, |node: &Node| {
                let mut lane = node.lane().unwrap();
                assert!(matches!(commit(lane.as_mut(), &names, 5), Err(CommitError::Unknown(_))));
                lane.was_committed(5)
            });
            let mut told = None;
            for _ in 0..TURNS {
                driver.pass();
                driver.go_on();
                told = told.or_else(|| work.try_recv().ok());
            }
            drop(driver);
            let told = told.unwrap().unwrap();
            assert_eq!(keys(&node).len(), usize::from(told), "seed {seed}");
            if told { landed += 1 } else { gone += 1 }
        });
    }
    assert!(landed > 20 && gone > 20, "{landed} landed, {gone} are gone");
}

#[test]
fn what_became_of_a_batch_stays_the_same_however_often_one_asks() {
    let (cluster, names) = shop(&TestClock::at(START));
    let mut lane = cluster.node().lane().unwrap();
    commit(lane.as_mut(), &names, 5).unwrap();
    for _ in 0..3 {
        assert!(lane.was_committed(5).unwrap());
        assert!(!lane.was_committed(6).unwrap());
    }
    assert!(matches!(commit(lane.as_mut(), &names, 6), Err(CommitError::Aborted(_))));
    let confuses = Cluster::with_flaw(TestClock::at(START), Some(Flaw::ClaimsLookCommitted));
    let mut lane = confuses.node().lane().unwrap();
    assert!(!lane.was_committed(6).unwrap());
    assert!(lane.was_committed(6).unwrap(), "as if it had been committed");
}

#[test]
fn a_node_that_stands_still_loses_its_transaction_and_its_locks() {
    let (cluster, names) = shop(&TestClock::at(START));
    let nodes = [cluster.node(), cluster.node()];
    let driver = cluster.drive(3, Trouble { freeze: 1_000, ..Trouble::default() });
    std::thread::scope(|scope| {
        let names = &names;
        let slow =
            on(scope, &driver, &nodes[0], move |node: &Node| commit(node.lane().unwrap().as_mut(), names, 1));
        // It freezes at each step; it is thawed until it has the listing.
        until_locked(&cluster, &driver, &nodes[0]);
        driver.pass();
        assert!(driver.is_frozen(nodes[0].number()));
        driver.set_trouble(Trouble::default());
        let other =
            on(scope, &driver, &nodes[1], move |node: &Node| commit(node.lane().unwrap().as_mut(), names, 2));
        for _ in 0..TURNS {
            driver.pass();
        }
        assert!(other.try_recv().is_err(), "it waits");
        driver.end_idle(nodes[0].number());
        until(&driver, &other).unwrap();
        driver.thaw(nodes[0].number());
        assert!(until(&driver, &slow).is_err());
        drop(driver);
    });
    assert_eq!(keys(&nodes[0]), [2]);
}

#[test]
fn a_node_that_dies_leaves_locks_behind_until_the_server_notices() {
    let (cluster, names) = shop(&TestClock::at(START));
    let nodes = [cluster.node(), cluster.node()];
    let driver = cluster.drive(4, Trouble { freeze: 1_000, ..Trouble::default() });
    std::thread::scope(|scope| {
        let names = &names;
        let dies =
            on(scope, &driver, &nodes[0], move |node: &Node| commit(node.lane().unwrap().as_mut(), names, 1));
        until_locked(&cluster, &driver, &nodes[0]);
        driver.kill(nodes[0].number());
        driver.set_trouble(Trouble::default());
        assert!(until(&driver, &dies).is_err());
        assert!(nodes[0].is_dead() && nodes[0].lane().unwrap().begin(9, names).is_err());
        let waits =
            on(scope, &driver, &nodes[1], move |node: &Node| commit(node.lane().unwrap().as_mut(), names, 2));
        for _ in 0..TURNS {
            driver.pass();
        }
        assert!(waits.try_recv().is_err(), "it waits");
        driver.go_on();
        until(&driver, &waits).unwrap();
        drop(driver);
    });
    assert_eq!(keys(&nodes[1]), [2]);
}

#[test]
fn events_get_their_places_after_the_commit_in_an_order_that_stays() {
    let (cluster, _) = shop(&TestClock::at(START));
    let node = cluster.node();
    assert_eq!(node.reader().unwrap().last_event().unwrap(), 0, "it is committed, and not in the log");
    node.order_events().unwrap();
    let placed = node.reader().unwrap().events(0, None, 9).unwrap();
    assert_eq!(placed.iter().map(|event| event.place).collect::<Vec<_>>(), [1]);
    node.order_events().unwrap();
    assert_eq!(node.reader().unwrap().events(0, None, 9).unwrap(), placed);
}
