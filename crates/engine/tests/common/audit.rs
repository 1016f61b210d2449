//! Are the counters, the money and the log true? The product's own check is asked, and the same is worked out
//! here from the bookings alone, in other words, so that the two can disagree.

use std::collections::BTreeMap;

use lastseat_core::booking::{Booking, Patch, State, Step, fold};
use lastseat_core::id::{BookingNo, EntryNo, ListingNo};
use lastseat_core::pool::PoolNo;
use lastseat_core::settle::due_at;
use lastseat_core::world::CustomerUse;
use lastseat_store::verify::verify;
use lastseat_store::{Read, Store, StoredEvent, Which};
use lastseat_store_sqlite::SqliteStore;

/// Bookings that are looked at together.
const PAGE: u32 = 500;

/// Panics with what is not true.
pub fn check(store: &SqliteStore) {
    let report = verify(store).unwrap();
    assert!(report.ok, "{report:#?}");
    let read = store.reader().unwrap();
    let bookings = all(read.as_ref());
    check_counters(read.as_ref(), &bookings);
    check_customers(read.as_ref(), &bookings);
    for booking in &bookings {
        check_money(booking);
        check_log(read.as_ref(), booking);
        check_due(read.as_ref(), booking);
    }
}

/// All bookings, as they are stored.
pub fn all(read: &dyn Read) -> Vec<Booking> {
    let mut all: Vec<Booking> = Vec::new();
    loop {
        let after = all.last().map_or(BookingNo(0), |booking| booking.no);
        let page = read.all_bookings(after, PAGE).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn check_counters(read: &dyn Read, bookings: &[Booking]) {
    let mut taken: BTreeMap<(ListingNo, PoolNo), (i64, i64)> = BTreeMap::new();
    for booking in bookings {
        for line in booking.lines.iter() {
            let (held, sold) = taken.entry((booking.listing, line.pool)).or_default();
            match booking.state {
                State::Held | State::InReview => *held += line.quantity,
                State::Confirmed | State::Completed => *sold += line.quantity,
                State::Expired | State::Rejected | State::Cancelled => {}
            }
        }
    }
    for listing in read.listings().unwrap() {
        for (no, pool) in read.pools(listing.no).unwrap() {
            let key = listing.pool_key(no);
            let counted = taken.remove(&(listing.no, no)).unwrap_or_default();
            assert_eq!((pool.held, pool.confirmed), counted, "{key}: what the bookings say stands right");
            assert!(pool.held >= 0 && pool.confirmed >= 0 && pool.blocked >= 0, "{key}: {pool:?}");
            assert!(
                pool.held + pool.confirmed + pool.blocked <= pool.capacity,
                "{key} is oversold: {pool:?}"
            );
        }
    }
    taken.retain(|_, counted| *counted != (0, 0));
    assert!(taken.is_empty(), "claims on pools that there are not: {taken:?}");
}

fn check_customers(read: &dyn Read, bookings: &[Booking]) {
    let listings = read.listings().unwrap();
    let mut has: BTreeMap<(ListingNo, String), CustomerUse> = BTreeMap::new();
    for booking in bookings.iter().filter(|b| b.state.holds() || b.state.sells()) {
        let listing = listings.iter().find(|listing| listing.no == booking.listing).unwrap();
        let open = i64::from(booking.state.holds());
        let identity = booking.customer.identity().filter(|_| listing.doc.counts_customers);
        if let Some(identity) = identity {
            let entry = has.entry((listing.no, identity)).or_default();
            entry.units += listing.units_of(&booking.lines);
            entry.open_holds += open;
        }
        if let Some(address) = &booking.address {
            has.entry((ListingNo(0), address.clone())).or_default().open_holds += open;
        }
    }
    for listing in &listings {
        for entry in read.entries(listing.no, Which::Waiting, EntryNo(0), u32::MAX).unwrap() {
            if let Some(address) = entry.address {
                has.entry((ListingNo(0), address)).or_default().open_holds += 1;
            }
        }
    }
    let scopes = listings.iter().map(|listing| listing.no).chain([ListingNo(0)]);
    for scope in scopes {
        for (identity, stored) in read.customers(scope).unwrap() {
            let counted = has.remove(&(scope, identity.clone())).unwrap_or_default();
            assert_eq!(stored, counted, "{identity}: what the bookings say stands right");
        }
    }
    has.retain(|_, counted| *counted != CustomerUse::default());
    assert!(has.is_empty(), "customers that nobody counts: {has:?}");
}

fn check_money(row: &Booking) {
    let sum = |payments: &[lastseat_core::booking::Payment]| payments.iter().map(|p| p.amount).sum::<i64>();
    assert_eq!(row.paid, sum(&row.details.payments), "{row:?}");
    assert_eq!(row.refunded, sum(&row.details.refunds), "{row:?}");
    let applied = row.paid - row.refund_due - row.refunded;
    assert!(row.refund_due >= 0 && (0..=row.total).contains(&applied), "{row:?}");
    if !row.state.holds() && !row.state.sells() {
        assert_eq!(applied, 0, "nothing is kept for nothing: {row:?}");
    }
}

fn check_log(read: &dyn Read, row: &Booking) {
    let events = read.booking_events(row.no).unwrap();
    let steps: Vec<Step> = events.iter().map(step).collect();
    assert!(steps.iter().zip(1..).all(|(step, seq)| step.seq == seq), "{steps:?}");
    let folded = fold(row.no, row.id, row.listing, &steps).unwrap();
    assert_eq!(&folded, row, "the log tells another story");
}

fn step(event: &StoredEvent) -> Step {
    let patch: Patch = serde_json::from_str(&event.data).unwrap();
    Step { version: event.version, seq: event.seq, patch }
}

fn check_due(read: &dyn Read, row: &Booking) {
    let listings = read.listings().unwrap();
    let listing = listings.iter().find(|listing| listing.no == row.listing).unwrap();
    if listing.doc.renew_through.is_none_or(|through| row.no > through) {
        assert_eq!(read.stored_due_at(row.no).unwrap(), due_at(row, listing), "{row:?}");
    }
}
