//! What makes a transaction one, and what it is refused for.

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::Actor;
use lastseat_core::decide::names::Names;
use lastseat_core::event::EventKind;
use lastseat_core::id::BookingNo;
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::world::{CustomerUse, World};

use super::Factory;
use super::kit::{Kit, START, look, places};
use crate::error::StoreError;
use crate::read::{ApiKey, BookingFilter, Hold, ListingNumbers, Read, StoredEvent};

/// Everything that a reader can see.
#[derive(PartialEq, Debug)]
struct Seen {
    listings: Vec<Listing>,
    bookings: Vec<Booking>,
    pools: Vec<(PoolNo, Pool)>,
    holds: Vec<Hold>,
    customers: Vec<(String, CustomerUse)>,
    keys: Vec<ApiKey>,
    numbers: ListingNumbers,
    marks: (u64, Option<Time>, i64),
    events: Vec<StoredEvent>,
}

fn seen(read: &dyn Read, listing: &Listing) -> Seen {
    let no = listing.no;
    Seen {
        listings: read.listings().unwrap(),
        bookings: read.all_bookings(BookingNo(0), 100).unwrap(),
        pools: read.pools(no).unwrap(),
        holds: read.holds(no).unwrap(),
        customers: read.customers(no).unwrap(),
        keys: read.keys().unwrap(),
        numbers: read.numbers(no).unwrap(),
        marks: (read.inventory_version(no).unwrap(), read.next_due().unwrap(), read.last_event().unwrap()),
        events: read.events(0, None, 1000).unwrap(),
    }
}

/// A case of the suite.
pub fn what_is_not_committed_leaves_nothing_behind(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    kit.book(listing.id, "standard", 1);
    let before = seen(look(&kit.store).as_ref(), &listing);
    let row = kit.row(&listing, State::Held);
    let names = Names { new_bookings: 1, new_listings: 1, ..Names::default() };
    let store = std::sync::Arc::clone(&kit.store);
    let mut tx = kit.begin(&names).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(1, 1).unwrap();
    world.load_listing(tx.listing_at(listing.no).unwrap().unwrap());
    for (pool, numbers) in tx.whole(listing.no).unwrap() {
        world.load_pool(PoolRef { listing: listing.no, pool }, Some(numbers));
    }
    world.insert_booking(row, &[EventKind::BookingHeld], &Actor::Public);
    tx.write(&world).unwrap();
    assert_eq!(seen(look(&store).as_ref(), &listing), before, "readers see what is committed");
    drop(tx);
    assert_eq!(seen(look(&kit.store).as_ref(), &listing), before);
    assert_eq!(kit.next(), (2, 2));
}

/// A case of the suite.
pub fn a_snapshot_never_changes(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    kit.book(listing.id, "standard", 1);
    let store = std::sync::Arc::clone(&kit.store);
    let snapshot = look(&store);
    let before = seen(snapshot.as_ref(), &listing);
    kit.book(listing.id, "standard", 2);
    kit.patch(listing.id, serde_json::json!({"title": "Other words"}));
    assert_eq!(seen(snapshot.as_ref(), &listing), before);
    assert_eq!(snapshot.bookings(&BookingFilter::default(), 9).unwrap().len(), 1);
    assert_ne!(seen(look(&store).as_ref(), &listing), before);
}

/// A case of the suite.
pub fn a_transaction_sees_what_it_wrote(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let row = kit.row(&listing, State::Held);
    let (id, deadline) = (row.id, row.deadline);
    let names = Names { new_bookings: 1, new_listings: 1, ..Names::default() };
    let mut tx = kit.begin(&names).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(1, 1).unwrap();
    world.load_listing(tx.listing_at(listing.no).unwrap().unwrap());
    let at = PoolRef { listing: listing.no, pool: listing.find_pool("standard").unwrap() };
    world.load_pool(at, tx.pools(&[at]).unwrap()[0]);
    world.insert_booking(row, &[EventKind::BookingHeld], &Actor::Public);
    tx.write(&world).unwrap();
    assert_eq!(tx.next_releases(&[at]).unwrap(), [deadline]);
    assert_eq!(tx.pools(&[at]).unwrap()[0].unwrap().held, 1);
    assert_eq!(tx.bookings(&[id].into()).unwrap().len(), 1);
    assert_eq!(tx.last_booking(listing.no).unwrap(), BookingNo(1));
    tx.commit().unwrap();
    assert_eq!(kit.next(), (2, 2));
}

/// A case of the suite.
pub fn time_stands_still_in_a_transaction(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let clock = kit.clock.clone();
    let tx = kit.lane.begin(1, &Names::default()).unwrap();
    assert_eq!(tx.now(), START);
    clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(tx.now(), START);
    drop(tx);
    assert_eq!(kit.lane.begin(2, &Names::default()).unwrap().now(), START.plus_seconds(5));
    assert_eq!(kit.store.clock(), START.plus_seconds(5));
    let reader = look(&kit.store);
    assert_eq!(reader.now(), START.plus_seconds(5));
    clock.rewind(std::time::Duration::from_secs(5));
    assert_eq!(reader.now(), START.plus_seconds(5));
    assert_eq!(kit.store.clock(), START);
}

/// Tries to commit something that no decision would ever make, and checks that nothing of it is there.
fn refused(kit: &mut Kit, listing: &Listing, what: &str, change: impl FnOnce(&mut World)) {
    let before = seen(look(&kit.store).as_ref(), listing);
    match kit.try_commit(change) {
        Err(StoreError::BadData(_)) => {}
        other => panic!("{what}: {other:?}"),
    }
    assert_eq!(seen(look(&kit.store).as_ref(), listing), before, "{what}");
}

/// A case of the suite.
pub fn what_breaks_a_rule_is_refused_as_bad_data(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    kit.book(listing.id, "standard", 1);
    let at = PoolRef { listing: listing.no, pool: listing.find_pool("standard").unwrap() };
    let sound = kit.pool(&listing, "standard");
    for (what, pool) in [
        ("oversold by holds", Pool { held: 11, ..sound }),
        ("oversold by sales", Pool { confirmed: 10, ..sound }),
        ("oversold by a cut", Pool { capacity: 0, ..sound }),
        ("blocked under a hold", Pool { blocked: 10, ..sound }),
        ("negative holds", Pool { held: -1, ..sound }),
        ("negative sales", Pool { confirmed: -1, ..sound }),
        ("negative blocked", Pool { blocked: -1, ..sound }),
        ("negative capacity", Pool { capacity: -1, held: 0, ..sound }),
        ("kept for the waitlist although it is sold", Pool { kept: 10, ..sound }),
        ("negative keeping", Pool { kept: -1, ..sound }),
        ("negative price", Pool { price: -1, ..sound }),
    ] {
        refused(&mut kit, &listing, what, |world| {
            world.load_pool(at, Some(pool));
            world.changes.pools.insert(at);
        });
    }
    for (what, [total, paid, refund_due, refunded]) in [
        ("more goes back than came", [100, 10, 6, 5]),
        ("negative paid", [100, -1, 0, 0]),
        ("negative refund due", [100, 5, -1, 0]),
        ("negative refunded", [100, 5, 0, -1]),
        ("negative total", [-1, 0, 0, 0]),
    ] {
        let row = Booking { total, paid, refund_due, refunded, ..kit.row(&listing, State::Cancelled) };
        refused(&mut kit, &listing, what, |world| {
            world.insert_booking(row, &[EventKind::BookingCancelled], &Actor::System);
        });
    }
    for (units, open_holds) in [(-1, 0), (0, -1)] {
        refused(&mut kit, &listing, "a customer with less than nothing", |world| {
            let of = (listing.no, "x:somebody".to_owned());
            world.load_customer(of.clone(), CustomerUse { units, open_holds });
            world.changes.customers.insert(of);
        });
    }
    // The lane goes on.
    kit.book(listing.id, "standard", 9);
    assert_eq!(kit.pool(&listing, "standard").held, 10);
}

/// A case of the suite.
pub fn the_same_row_twice_is_refused_as_bad_data(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let booking = kit.book(listing.id, "standard", 1);
    let same_id = Booking { id: booking.id, ..kit.row(&listing, State::Cancelled) };
    refused(&mut kit, &listing, "the same id", |world| {
        world.insert_booking(same_id, &[EventKind::BookingCancelled], &Actor::System);
    });
    let same_no = kit.row(&listing, State::Cancelled);
    refused(&mut kit, &listing, "the same number", |world| {
        world.booking_numbers = Numbers::from(booking.no.0);
        world.insert_booking(same_no, &[EventKind::BookingCancelled], &Actor::System);
    });
    let spec = serde_json::from_value(places()).unwrap();
    let new = lastseat_core::listing::build::build(&spec, kit.clock.now()).unwrap();
    refused(&mut kit, &listing, "the same listing", |world| {
        world.add_listing(listing.id, new);
    });
}

/// A case of the suite.
pub fn the_secret_and_the_epoch_stay(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let reference = |kit: &Kit| kit.read(|read| read.secret()).reference(BookingNo(1));
    let (first, epoch) = (reference(&kit), kit.read(|read| read.epoch()));
    let listing = kit.listing(places());
    kit.book(listing.id, "standard", 1);
    assert_eq!((reference(&kit), kit.read(|read| read.epoch())), (first, epoch));
}

/// A case of the suite.
pub fn an_empty_store_has_nothing(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let no = lastseat_core::id::ListingNo(1);
    assert_eq!(kit.next(), (1, 1));
    assert_eq!(kit.ask(|tx| tx.last_booking(no)), BookingNo(0));
    assert_eq!(kit.ask(|tx| tx.due(9)), []);
    assert_eq!(kit.ask(|tx| tx.renewing()), None);
    assert_eq!(kit.read(|read| read.listings()), []);
    assert_eq!(kit.read(|read| read.all_bookings(BookingNo(0), 9)), []);
    assert_eq!(kit.read(|read| read.events(0, None, 9)), []);
    assert_eq!(kit.read(|read| read.numbers(no)).by_state, []);
    assert_eq!(kit.read(|read| read.inventory_version(no)), 0);
    assert_eq!(kit.read(|read| read.holds(no)), []);
    assert!(!kit.read(|read| read.is_renewing()));
    // A transaction that wrote nothing can be committed.
    kit.lane.begin(7, &Names::default()).unwrap().commit().unwrap();
}

/// A case of the suite.
pub fn what_was_not_committed_stays_so_however_often_one_asks(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    for _ in 0..3 {
        assert!(!kit.lane.was_committed(77).unwrap());
    }
    // Asking leaves nothing in the way.
    kit.book(listing.id, "standard", 1);
    assert_eq!(kit.read(|read| read.events(0, None, 9)).len(), 2);
}
