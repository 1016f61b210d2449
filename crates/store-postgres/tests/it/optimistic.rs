//! What a batch on what the lane knows has compared under the lock, beyond what the suite of all stores can see: the clock.

use std::time::Duration;

use lastseat_core::booking::{Booking, Details, State};
use lastseat_core::command::Actor;
use lastseat_core::customer::Customer;
use lastseat_core::decide::names::Names;
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, ListingId};
use lastseat_core::line::{Line, Lines};
use lastseat_core::listing::build::build;
use lastseat_core::pool::{PoolNo, PoolRef};
use lastseat_core::world::World;
use lastseat_store::{CommitError, Lane, Store, StoreError, Tx};
use lastseat_store_postgres::Clock;
use serde_json::json;

use crate::servers::{empty_database, node};

/// The one listing.
const LISTING: ListingId = ListingId::from_bits(1);
/// Longer than a decision may wait for being written.
const TOO_LONG: Duration = Duration::from_millis(150);

fn list(lane: &mut dyn Lane) {
    let names = Names { new_listings: 1, ..Names::default() };
    let mut tx = lane.begin(1, &names).unwrap();
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(0, 1).unwrap();
    let form = json!({"kind": "places", "title": "Gig", "timezone": "UTC", "currency": "EUR",
        "starts_at": "2099-01-01T00:00:00Z", "pools": [{"key": "standard", "capacity": 9, "price": 0}]});
    let new = build(&serde_json::from_value(form).unwrap(), tx.now()).unwrap();
    let listing = world.add_listing(LISTING, new);
    world.listing_event(EventKind::ListingCreated, listing.no, &Actor::System, "{}".to_owned());
    tx.write(&world).unwrap();
    tx.commit().unwrap();
}

fn names() -> Names {
    Names { listings: [LISTING].into(), new_bookings: 1, ..Names::default() }
}

/// Books one place, after a while.
fn book(mut tx: Box<dyn Tx + '_>, id: u128, after: Duration) -> Result<(), CommitError> {
    let mut world = World::new(tx.now());
    (world.booking_numbers, _) = tx.numbers(1, 0).unwrap();
    let listing = tx.listing(LISTING).unwrap().unwrap();
    let at = PoolRef { listing: listing.no, pool: PoolNo::new(0, 0) };
    world.load_pool(at, tx.pools(&[at]).unwrap()[0]);
    world.load_listing(listing);
    let row = Booking {
        no: BookingNo(0),
        id: BookingId::from_bits(id),
        listing: at.listing,
        policy: 0,
        version: 1,
        events: 0,
        state: State::Confirmed,
        lines: Lines::new(vec![Line { pool: at.pool, quantity: 1, unit_price: 0 }]),
        total: 0,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        deadline: None,
        created_at: world.now,
        customer: Customer { name: "A guest".to_owned(), ..Customer::default() },
        address: None,
        note: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: None,
        details: Details::default(),
    };
    world.insert_booking(row, &[EventKind::BookingConfirmed], &Actor::Public);
    tx.write(&world).unwrap();
    std::thread::sleep(after);
    tx.commit()
}

#[test]
fn what_was_decided_long_before_it_is_written_is_decided_anew() {
    let url = empty_database();
    let store = node(&url, Clock::Database);
    let mut lane = store.lane().unwrap();
    list(lane.as_mut());
    book(lane.begin(2, &names()).unwrap(), 2, Duration::ZERO).unwrap();
    let late = book(lane.begin_optimistic(3, &names()).unwrap(), 3, TOO_LONG);
    assert!(matches!(late, Err(CommitError::Aborted(StoreError::Conflict(_)))), "{late:?}");
    assert!(lane.begin_optimistic(4, &names()).is_none(), "it looks again first");
    book(lane.begin(5, &names()).unwrap(), 5, TOO_LONG).unwrap();
    book(lane.begin_optimistic(6, &names()).unwrap(), 6, Duration::ZERO).unwrap();
    let read = store.reader().unwrap();
    let mut booked = read.all_bookings(BookingNo(0), 9).unwrap();
    booked.sort_by_key(|booking| booking.no);
    let ids: Vec<u128> = booked.iter().map(|booking| booking.id.bits()).collect();
    assert_eq!(ids, [2, 5, 6]);
    assert!(booked.is_sorted_by_key(|booking| booking.created_at));
    let pools = read.pools(booked[0].listing).unwrap();
    assert_eq!(pools[0].1.confirmed, 3);
}
