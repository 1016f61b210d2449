//! All that can be seen of a store through the questions that it answers, and the rows that nobody asks for.

use std::path::Path;

use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_store::{Read, Store};
use lastseat_store_postgres::{self as postgres, PgStore};
use lastseat_store_sqlite::{self as sqlite, SqliteStore};

/// Most rows that are asked for at once.
const MANY: u32 = 1 << 20;

pub fn directory(dir: &Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(dir, sqlite::OpenMode::Read).unwrap())
}

pub fn database(url: &str) -> Box<dyn Store> {
    Box::new(PgStore::open(url.parse().unwrap(), postgres::OpenMode::Read, 9).unwrap())
}

/// Lines that say everything, but for the epoch and the places of events in the log.
pub fn all(store: &dyn Store) -> Vec<String> {
    let read = store.reader().unwrap();
    let read = read.as_ref();
    let mut lines =
        vec![format!("due {:?}, renewing {}", read.next_due().unwrap(), read.is_renewing().unwrap())];
    lines.extend(read.keys().unwrap().iter().map(|key| format!("{key:?}")));
    let (keys, broken) = read.broken_keys(10).unwrap();
    lines.push(format!("{keys} idempotency keys, broken {broken:?}"));
    for listing in read.listings().unwrap() {
        let (id, version, at) = (listing.id, listing.version, listing.created_at);
        lines.push(format!(
            "{:?} {id} {version} {at} {:?} {:?}",
            listing.no,
            listing.doc,
            listing.groups.all()
        ));
        of_listing(read, listing.no, &mut lines);
    }
    lines.push(format!("addresses {:?}", read.customers(ListingNo(0)).unwrap()));
    let secret = read.secret().unwrap();
    for booking in read.all_bookings(BookingNo(0), MANY).unwrap() {
        let (token, reference) = (secret.booking_token(booking.id), secret.reference(booking.no));
        lines.push(format!("{booking:?} {token} {reference} {:?}", read.stored_due_at(booking.no).unwrap()));
        for event in read.booking_events(booking.no).unwrap() {
            lines.push(format!("{} {} {} {}", event.no, event.seq, event.version, event.data));
        }
    }
    for event in read.events(0, None, MANY).unwrap() {
        let event = lastseat_store::StoredEvent { place: 0, ..event };
        lines.push(format!("{event:?}"));
    }
    lines
}

fn of_listing(read: &dyn Read, no: ListingNo, lines: &mut Vec<String>) {
    let mut holds: Vec<String> = read.holds(no).unwrap().iter().map(|hold| format!("{hold:?}")).collect();
    holds.sort_unstable();
    lines.append(&mut holds);
    lines.push(format!("plan {:?}", read.plan(no).unwrap()));
    lines.push(format!("pools {:?}", read.pools(no).unwrap()));
    lines.push(format!("inventory {}", read.inventory_version(no).unwrap()));
    lines.push(format!("customers {:?}", read.customers(no).unwrap()));
    let mut numbers: Vec<String> =
        read.numbers(no).unwrap().by_state.iter().map(|state| format!("{state:?}")).collect();
    numbers.sort_unstable();
    lines.append(&mut numbers);
    let of_listing: Vec<i64> = read.events(0, Some(no), MANY).unwrap().iter().map(|event| event.no).collect();
    lines.push(format!("events {of_listing:?}"));
}

/// Asserts that two stores hold the same.
#[track_caller]
pub fn assert_same(one: &dyn Store, other: &dyn Store) {
    let (one, other) = (all(one), all(other));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}
