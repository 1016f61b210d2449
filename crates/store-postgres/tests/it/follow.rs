//! What one node learns of another's commits, and the order of the log.

use lastseat_core::command::{NewKey, Role};
use lastseat_core::decide::names::Names;
use lastseat_core::id::{KeyId, ListingId};
use lastseat_core::listing::build::build;
use lastseat_core::world::World;
use lastseat_store::{Lane, Store};
use lastseat_store_postgres::Clock;
use serde_json::json;

use crate::servers::{empty_database, node, sql};

/// Commits a listing under this id, and what else `change` makes.
fn commit(lane: &mut dyn Lane, id: u128, change: impl FnOnce(&mut World)) {
    let names = Names { new_listings: 1, ..Names::default() };
    let mut tx = lane.begin(id, &names).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(0, 1).unwrap();
    let form = json!({"kind": "places", "title": "Gig", "timezone": "UTC", "currency": "EUR",
        "starts_at": "2099-01-01T00:00:00Z", "pools": [{"key": "standard", "capacity": 1, "price": 0}]});
    let new = build(&serde_json::from_value(form).unwrap(), tx.now()).unwrap();
    let listing = world.add_listing(ListingId::from_bits(id), new);
    world.listing_event(
        lastseat_core::event::EventKind::ListingCreated,
        listing.no,
        &lastseat_core::command::Actor::System,
        "{}".to_owned(),
    );
    change(&mut world);
    tx.write(&world).unwrap();
    tx.commit().unwrap();
}

#[test]
fn a_node_learns_what_others_commit_and_not_what_it_has_committed_itself() {
    let url = empty_database();
    let (one, two) = (node(&url, Clock::Database), node(&url, Clock::Database));
    let mut follow = two.follow().unwrap().unwrap();
    assert_eq!(follow.poll().unwrap(), lastseat_store::Followed::default());
    commit(one.lane().unwrap().as_mut(), 1, |_| {});
    let seen = follow.poll().unwrap();
    assert_eq!((seen.listings.len(), seen.events, seen.keys, seen.lost_track), (1, true, false, false));
    commit(two.lane().unwrap().as_mut(), 2, |_| {});
    let seen = follow.poll().unwrap();
    assert_eq!((seen.listings.len(), seen.events), (0, true), "its own events have got their place");
    commit(one.lane().unwrap().as_mut(), 3, |world| {
        let id = KeyId::from_bits(3);
        world.add_key(NewKey { id, role: Role::Operator, name: "K".to_owned(), hash: [3; 32] });
    });
    assert!(follow.poll().unwrap().keys);
    assert_eq!(follow.poll().unwrap(), lastseat_store::Followed::default());
}

#[test]
fn of_nodes_that_follow_one_gives_the_places_and_another_does_when_it_stops() {
    let url = empty_database();
    let (one, two) = (node(&url, Clock::Database), node(&url, Clock::Database));
    let (mut first, mut second) = (one.follow().unwrap().unwrap(), two.follow().unwrap().unwrap());
    let without_place = || sql(&url, "SELECT count(*)::int FROM batches WHERE place IS NULL");
    commit(one.lane().unwrap().as_mut(), 1, |_| {});
    assert!(first.poll().unwrap().events);
    commit(one.lane().unwrap().as_mut(), 2, |_| {});
    // Places were given since it last asked: it leaves this one to whoever does that, and knows of it all the same.
    let seen = second.poll().unwrap();
    assert_eq!((seen.listings.len(), seen.events), (2, true));
    assert_eq!(without_place(), [[Some("1".to_owned())]]);
    // Nobody has.
    assert!(second.poll().unwrap().events);
    assert_eq!(without_place(), [[Some("0".to_owned())]]);
    assert!(first.poll().unwrap().events);
}

#[test]
fn a_log_that_has_become_shorter_has_everything_looked_at_anew() {
    let url = empty_database();
    let (one, two) = (node(&url, Clock::Database), node(&url, Clock::Database));
    let mut follow = two.follow().unwrap().unwrap();
    for id in 1..=3 {
        commit(one.lane().unwrap().as_mut(), id, |_| {});
    }
    assert_eq!(follow.poll().unwrap().listings.len(), 3);
    // As on a standby that was promoted without the last two.
    sql(&url, "DELETE FROM batches WHERE place > 1; UPDATE event_log SET place = 1");
    assert!(follow.poll().unwrap().lost_track);
    commit(one.lane().unwrap().as_mut(), 4, |_| {});
    assert_eq!(follow.poll().unwrap().listings.len(), 1);
    // And one that has become as long again since, with others' commits.
    sql(&url, "UPDATE batches SET id = gen_random_uuid() WHERE place = 2");
    assert!(follow.poll().unwrap().lost_track);
    assert!(!follow.poll().unwrap().lost_track, "once");
}

/// The numbers of a transaction that commits late are lower than those of one that was read before.
#[test]
fn the_feed_skips_nothing_when_a_transaction_commits_after_a_later_one_was_read() {
    let url = empty_database();
    let (one, two) = (node(&url, Clock::Database), node(&url, Clock::Database));
    let (mut slow, mut quick) = (one.lane().unwrap(), two.lane().unwrap());
    let names = Names { new_listings: 1, ..Names::default() };
    let mut late = slow.begin(1, &names).unwrap();
    let mut world = World::new(late.now());
    (world.booking_numbers, world.listing_numbers) = late.numbers(0, 1).unwrap();
    let read = |after: i64| {
        two.order_events().unwrap();
        two.reader().unwrap().events(after, None, 100).unwrap()
    };
    commit(quick.as_mut(), 2, |_| {});
    let first = read(0);
    assert_eq!(first.len(), 1);
    world.listing_event(
        lastseat_core::event::EventKind::ListingUpdated,
        lastseat_core::id::ListingNo(1),
        &lastseat_core::command::Actor::System,
        "{}".to_owned(),
    );
    late.write(&world).unwrap();
    late.commit().unwrap();
    let rest = read(first[0].place);
    assert_eq!(rest.len(), 1);
    assert!(rest[0].no < first[0].no, "it was begun earlier");
    assert!(rest[0].place > first[0].place, "and stands later in the log");
    assert!(read(rest[0].place).is_empty());
}

#[test]
fn the_outcome_of_a_batch_stays_the_same_however_often_one_asks() {
    let url = empty_database();
    let store = node(&url, Clock::Database);
    let mut lane = store.lane().unwrap();
    commit(lane.as_mut(), 1, |_| {});
    // Begun, and never heard of again.
    let mut other = store.lane().unwrap();
    let names = Names { new_listings: 1, ..Names::default() };
    let mut tx = other.begin(2, &names).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(0, 1).unwrap();
    world.add_key(NewKey {
        id: KeyId::from_bits(2),
        role: Role::Operator,
        name: "K".to_owned(),
        hash: [2; 32],
    });
    tx.write(&world).unwrap();
    for _ in 0..3 {
        assert!(lane.was_committed(1).unwrap());
        assert!(!lane.was_committed(2).unwrap());
    }
    assert!(tx.commit().is_err(), "its id is taken");
    assert_eq!(store.reader().unwrap().keys().unwrap(), []);
    assert!(!lane.was_committed(2).unwrap());
}

#[test]
fn new_numbers_of_pools_reach_the_lanes_of_other_nodes_although_they_are_no_edit() {
    let url = empty_database();
    let (one, two) = (node(&url, Clock::Database), node(&url, Clock::Database));
    let (mut here, mut there) = (one.lane().unwrap(), two.lane().unwrap());
    commit(here.as_mut(), 1, |_| {});
    let names = Names { listings: [ListingId::from_bits(1)].into(), ..Names::default() };
    let shown = |lane: &mut dyn Lane| {
        let listing = lane.begin(9, &names).unwrap().listing(ListingId::from_bits(1)).unwrap().unwrap();
        (listing.version, listing.doc.pools_version)
    };
    assert_eq!((shown(here.as_mut()), shown(there.as_mut())), ((1, None), (1, None)));
    let mut tx = here.begin(2, &names).unwrap();
    let mut world = World::new(tx.now());
    let mut listing = (*tx.listing(ListingId::from_bits(1)).unwrap().unwrap()).clone();
    listing.doc.pools_version = Some(1);
    world.set_listing(std::sync::Arc::new(listing));
    tx.write(&world).unwrap();
    tx.commit().unwrap();
    assert_eq!((shown(here.as_mut()), shown(there.as_mut())), ((1, Some(1)), (1, Some(1))));
}

/// The numbers of its events would be those of the next batch.
#[test]
fn a_batch_with_more_events_than_its_number_has_room_for_is_refused() {
    let url = empty_database();
    let store = node(&url, Clock::Database);
    let mut lane = store.lane().unwrap();
    commit(lane.as_mut(), 1, |_| {});
    let mut begin = |events: usize| {
        let mut tx = lane.begin(2, &Names::default()).unwrap();
        let mut world = World::new(tx.now());
        for _ in 0..events {
            world.listing_event(
                lastseat_core::event::EventKind::ListingUpdated,
                lastseat_core::id::ListingNo(1),
                &lastseat_core::command::Actor::System,
                "{}".to_owned(),
            );
        }
        tx.write(&world).and_then(|()| tx.commit().map_err(|error| panic!("{error:?}")))
    };
    let refused = begin(65_537);
    assert!(matches!(refused, Err(lastseat_store::StoreError::BadData(_))), "{refused:?}");
    begin(65_536).unwrap();
    commit(lane.as_mut(), 3, |_| {});
    store.order_events().unwrap();
    let last = store.reader().unwrap().last_event().unwrap();
    assert_eq!(store.reader().unwrap().events(last - 1, None, 9).unwrap().len(), 1);
}
