//! What is remembered: answers under idempotency keys, bookings from elsewhere, API keys.

use std::collections::BTreeSet;

use lastseat_core::Outcome;
use lastseat_core::booking::State;
use lastseat_core::command::{
    Action, Actor, Command, Idempotency, IdempotencyKey, ImportBooking, NewKey, Role,
};
use lastseat_core::id::{BookingId, KeyId};
use lastseat_core::world::{Answer, Remembered};

use super::Factory;
use super::kit::{Kit, START, customer, lines, places};
use crate::error::StoreError;
use crate::read::ApiKey;

/// Calls after which a store must have forgotten everything that it may: each forgets a part.
const PRUNE_CALLS: usize = 300;

fn key(bytes: u8) -> Idempotency {
    Idempotency { key: IdempotencyKey([bytes; 16]), fingerprint: [bytes ^ 0xff; 16] }
}

fn remembered(kit: &mut Kit, keys: &[u8]) -> Vec<(IdempotencyKey, Remembered)> {
    let keys: BTreeSet<IdempotencyKey> = keys.iter().map(|bytes| key(*bytes).key).collect();
    kit.ask(|tx| tx.remembered(&keys))
}

fn new_key(kit: &mut Kit, hash: u8, role: Role) -> NewKey {
    NewKey { id: KeyId::from_bits(kit.id()), role, name: format!("key {hash}"), hash: [hash; 32] }
}

/// A case of the suite.
pub fn answers_are_remembered_until_they_are_pruned(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let create = kit.creation(listing.id, lines(&[("standard", 1)]), "somebody");
    let booking = kit.create(create, Some(key(0)));
    kit.pass(100);
    let api_key = new_key(&mut kit, 1, Role::Operator);
    let mut command = Command::new(Actor::System, Action::CreateKey(Box::new(api_key.clone())));
    command.idempotency = Some(key(0x7f));
    kit.run(&command);
    let second = lastseat_core::id::ListingId::from_bits(kit.id());
    let spec = Box::new(serde_json::from_value(places()).unwrap());
    let mut command = Command::new(Actor::System, Action::CreateListing { id: second, spec });
    command.idempotency = Some(key(0xff));
    kit.run(&command);

    let entry = |bytes: u8, answer| {
        let Idempotency { key, fingerprint } = key(bytes);
        (key, Remembered { fingerprint, answer })
    };
    let all = [
        entry(0, Answer::Booking { no: booking.no, version: 1 }),
        entry(0x7f, Answer::Key(api_key.id)),
        entry(0xff, Answer::Listing(second)),
    ];
    assert_eq!(remembered(&mut kit, &[0, 1, 0x7f, 0xff]), all);
    assert_eq!(remembered(&mut kit, &[1]), []);
    for _ in 0..PRUNE_CALLS {
        kit.lane.prune(START).unwrap();
    }
    assert_eq!(remembered(&mut kit, &[0, 0x7f, 0xff]), all, "nothing is as old as that");
    for _ in 0..PRUNE_CALLS {
        kit.lane.prune(START.plus_seconds(100)).unwrap();
    }
    assert_eq!(remembered(&mut kit, &[0, 0x7f, 0xff]), all[1..]);
    for _ in 0..PRUNE_CALLS {
        kit.lane.prune(START.plus_seconds(101)).unwrap();
    }
    assert_eq!(remembered(&mut kit, &[0, 0x7f, 0xff]), []);
}

/// A case of the suite.
pub fn a_key_is_remembered_once(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let create = kit.creation(listing.id, lines(&[("standard", 1)]), "somebody");
    kit.create(create, Some(key(5)));
    let refused = kit.try_commit(|world| world.remember(Some(key(5)), Answer::Listing(listing.id)));
    assert!(matches!(refused, Err(StoreError::BadData(_) | StoreError::Conflict(_))), "{refused:?}");
    assert!(matches!(
        remembered(&mut kit, &[5])[..],
        [(_, Remembered { answer: Answer::Booking { .. }, .. })]
    ));
}

/// A case of the suite.
pub fn an_imported_booking_is_found_by_its_foreign_id(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let mut import = ImportBooking {
        id: BookingId::from_bits(kit.id()),
        listing: listing.id,
        claim: lines(&[("standard", 1)]),
        customer: customer("somebody"),
        state: State::Confirmed,
        created_at: None,
        paid: 100,
        external_id: Some("old/17 'ü'".to_owned()),
    };
    assert_eq!(kit.ask(|tx| tx.imported("old/17 'ü'")), None);
    let first = import.id;
    assert_eq!(kit.act(Action::ImportBooking(Box::new(import.clone()))), Outcome::Imported(first));
    assert_eq!(kit.ask(|tx| tx.imported("old/17 'ü'")), Some(first));
    assert_eq!(kit.ask(|tx| tx.imported("old/17")), None);
    import.id = BookingId::from_bits(kit.id());
    assert_eq!(kit.act(Action::ImportBooking(Box::new(import))), Outcome::Skipped(first));
    let mut twin = kit.row(&listing, State::Cancelled);
    twin.details.imported_as = Some("old/17 'ü'".to_owned());
    let refused = kit.try_commit(|world| {
        world.insert_booking(twin, &[lastseat_core::event::EventKind::BookingCancelled], &Actor::System);
    });
    assert!(matches!(refused, Err(StoreError::BadData(_) | StoreError::Conflict(_))), "{refused:?}");
}

/// A case of the suite.
pub fn api_keys_are_in_force_until_they_are_revoked(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    assert_eq!(kit.read(|read| read.keys()), []);
    let mut wanted = Vec::new();
    for (hash, role) in [(1, Role::Admin), (2, Role::Operator), (3, Role::Integrator)] {
        let new = new_key(&mut kit, hash, role);
        kit.act(Action::CreateKey(Box::new(new.clone())));
        wanted.push(ApiKey { id: new.id, role, name: new.name, hash: new.hash, created_at: kit.clock.now() });
        kit.pass(1);
    }
    assert_eq!(kit.read(|read| read.keys()), wanted);
    let second = wanted.remove(1);
    assert!(kit.ask(|tx| tx.has_key(second.id)));
    kit.act(Action::RevokeKey { id: second.id });
    assert!(!kit.ask(|tx| tx.has_key(second.id)));
    assert_eq!(kit.read(|read| read.keys()), wanted);
    let unknown = KeyId::from_bits(kit.id());
    assert!(!kit.ask(|tx| tx.has_key(unknown)));
    let twin = new_key(&mut kit, 1, Role::Operator);
    let refused = kit.try_commit(|world| world.add_key(twin));
    assert!(matches!(refused, Err(StoreError::BadData(_))), "{refused:?}");
    // A secret that was revoked may come into force again, under another id.
    let again = new_key(&mut kit, 2, Role::Operator);
    kit.act(Action::CreateKey(Box::new(again.clone())));
    assert_eq!(
        kit.read(|read| read.keys()).last().map(|key| (key.id, key.hash)),
        Some((again.id, again.hash))
    );
}
