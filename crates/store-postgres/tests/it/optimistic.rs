//! What a batch on what the lane knows has compared under the lock, beyond what the suite of all stores can see: the
//! clock, and counters that several lanes add to at once.

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
        "starts_at": "2099-01-01T00:00:00Z", "pools": [{"key": "standard", "capacity": 60, "price": 0}]});
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
    world.load_pool(at, tx.pools(&[at]).map_err(CommitError::Aborted)?[0]);
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

#[test]
fn counters_add_up_where_several_lanes_book_at_once() {
    const LANES: u128 = 3;
    const EACH: u128 = 30;
    let url = empty_database();
    let store = &node(&url, Clock::Database);
    list(store.lane().unwrap().as_mut());
    let work = move |lane: u128| {
        let (mut booked, mut at_once) = (0, 0);
        let mut connected = store.lane().unwrap();
        for id in 0..EACH {
            let id = 1_000 + lane * EACH + id;
            if let Some(tx) = connected.begin_optimistic(2 * id, &names()) {
                match book(tx, id, Duration::ZERO) {
                    Ok(()) => (booked, at_once) = (booked + 1, at_once + 1),
                    Err(CommitError::Aborted(StoreError::Conflict(_))) => {}
                    other => panic!("{other:?}"),
                }
                continue;
            }
            let tx = connected.begin(2 * id + 1, &names()).unwrap();
            match book(tx, id, Duration::ZERO) {
                Ok(()) => booked += 1,
                Err(CommitError::Aborted(StoreError::BadData(_))) => {}
                other => panic!("{other:?}"),
            }
        }
        (booked, at_once)
    };
    let told: Vec<(i64, i64)> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || work(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let read = store.reader().unwrap();
    let bookings = read.all_bookings(BookingNo(0), 1_000).unwrap();
    let booked: i64 = told.iter().map(|(booked, _)| booked).sum();
    let at_once: i64 = told.iter().map(|(_, at_once)| at_once).sum();
    let pools = read.pools(bookings[0].listing).unwrap();
    assert_eq!((booked, pools[0].1.confirmed), (i64::try_from(bookings.len()).unwrap(), booked));
    assert!(at_once > 20 && booked <= 60, "{at_once} of {booked}");
}
