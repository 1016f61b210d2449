//! Bookings with their holds.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use lastseat_core::booking::Booking;
use lastseat_core::id::BookingNo;
use lastseat_core::listing::Listing;
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::world::{CustomerUse, World, counted};
use uuid::Uuid;

use super::{Param, Written, json, optional, params};
use crate::sql;

/// Columns of stretches of pools that a booking holds, with its deadline.
#[derive(Default)]
pub(super) struct Holds {
    pub(super) listings: Vec<i64>,
    pub(super) groups: Vec<i64>,
    pub(super) due: Vec<i64>,
    pub(super) bookings: Vec<i64>,
    pub(super) first: Vec<i64>,
    pub(super) last: Vec<i64>,
    pub(super) quantity: Vec<i64>,
}

impl Holds {
    pub(super) fn add(&mut self, booking: &Booking, due: i64) {
        for run in booking.lines.runs() {
            self.listings.push(booking.listing.0);
            self.groups.push(run.group.into());
            self.due.push(due);
            self.bookings.push(booking.no.0);
            self.first.push(run.first.into());
            self.last.push(run.last.into());
            self.quantity.push(run.quantity);
        }
    }
}

/// Listing, identity, deadline and booking of holds that customers have.
pub(crate) type CustomerHolds = (Vec<i64>, Vec<String>, Vec<i64>, Vec<i64>);
/// Listing, identity, units and open holds of customers.
pub(crate) type Customers = (Vec<i64>, Vec<String>, Vec<i64>, Vec<i64>);

fn add_customer_holds(holds: &mut CustomerHolds, booking: &Booking, listing: &Listing, due: i64) {
    for ((scope, identity), _) in counted(booking, listing) {
        holds.0.push(scope.0);
        holds.1.push(identity);
        holds.2.push(due);
        holds.3.push(booking.no.0);
    }
}

/// The deadline of a booking that holds capacity.
fn deadline(booking: &Booking) -> Option<i64> {
    booking.deadline.filter(|_| booking.state.holds()).map(Time::millis)
}

/// The numbers of the new events of each booking, as they are appended to its row.
fn event_numbers(world: &World, first: i64) -> HashMap<BookingNo, String> {
    let mut numbers: HashMap<BookingNo, String> = HashMap::with_capacity(world.changes.bookings.len());
    for (number, event) in (first..).zip(&world.changes.events) {
        if let Some(no) = event.booking {
            // Writing to a string cannot fail.
            let _ = write!(numbers.entry(no).or_default(), ",{number}");
        }
    }
    numbers
}

/// Writes changed bookings; gives the columns of new bookings and new holds, for the one statement that writes them.
pub(super) fn write(written: &mut Written, world: &World, first_event: i64) -> Vec<Param> {
    let mut numbers = event_numbers(world, first_event);
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let (mut gone, mut holds) = (Holds::default(), Holds::default());
    let (mut gone_of, mut holds_of) = (CustomerHolds::default(), CustomerHolds::default());
    for (no, old) in &world.changes.bookings {
        let booking = world.booking_at(*no).expect("a changed booking is in the world");
        let listing = world.listing_of(booking);
        let due = due_at(booking, &listing).map(Time::millis);
        let row = (booking, due, numbers.remove(no).unwrap_or_default());
        let rows = if old.is_none() { &mut new } else { &mut changed };
        rows.push(row);
        let same = old.as_ref().is_some_and(|old| {
            deadline(old) == deadline(booking) && (deadline(booking).is_none() || old.lines == booking.lines)
        });
        if same {
            continue;
        }
        if let Some((old, due)) = old.as_ref().and_then(|old| deadline(old).map(|due| (old, due))) {
            gone.add(old, due);
            add_customer_holds(&mut gone_of, old, &listing, due);
        }
        if let Some(due) = deadline(booking) {
            holds.add(booking, due);
            add_customer_holds(&mut holds_of, booking, &listing, due);
        }
    }
    if !gone.listings.is_empty() {
        let Holds { listings, groups, due, bookings, first, .. } = gone;
        written.push(sql::DELETE_HOLDS, params![listings, groups, due, bookings, first]);
    }
    if !gone_of.0.is_empty() {
        written.push(sql::DELETE_CUSTOMER_HOLDS, params![gone_of.0, gone_of.1, gone_of.2, gone_of.3]);
    }
    if !changed.is_empty() {
        written.push(sql::UPDATE_BOOKINGS, changed_columns(&changed));
    }
    if !holds_of.0.is_empty() {
        written.push(sql::INSERT_CUSTOMER_HOLDS, params![holds_of.0, holds_of.1, holds_of.2, holds_of.3]);
    }
    let imported = new.iter().filter_map(|(new, ..)| Some((new.details.imported_as.clone()?, new.no.0)));
    let (external_ids, imported): (Vec<String>, Vec<i64>) = imported.unzip();
    if !imported.is_empty() {
        written.push(sql::INSERT_IMPORTS, params![external_ids, imported]);
    }
    let mut columns = new_columns(&new);
    let Holds { listings, groups, due, bookings, first, last, quantity } = holds;
    columns.extend(params![listings, groups, due, bookings, first, last, quantity]);
    columns
}

type Row<'a> = (&'a Booking, Option<i64>, String);

fn column<'a, T>(rows: &[Row<'a>], of: impl Fn(&'a Booking) -> T) -> Vec<T> {
    rows.iter().map(|(booking, ..)| of(booking)).collect()
}

/// One that may have no values.
fn some<'a, T>(rows: &[Row<'a>], of: impl Fn(&'a Booking) -> Option<T>) -> Vec<Option<T>> {
    optional(rows.iter().map(|(booking, ..)| of(booking)))
}

fn details(booking: &Booking) -> Option<String> {
    (!booking.details.is_empty()).then(|| json(&booking.details))
}

/// The 24 columns of new bookings.
fn new_columns(rows: &[Row<'_>]) -> Vec<Param> {
    params![
        column(rows, |b| b.no.0),
        column(rows, |b| Uuid::from_u128(b.id.bits())),
        column(rows, |b| b.listing.0),
        column(rows, |b| i64::from(b.policy)),
        column(rows, |b| i64::from(b.version)),
        column(rows, |b| i64::from(b.events)),
        column(rows, |b| b.state.as_str()),
        column(rows, |b| json(&b.lines)),
        column(rows, |b| b.total),
        column(rows, |b| b.paid),
        column(rows, |b| b.refund_due),
        column(rows, |b| b.refunded),
        some(rows, |b| b.deadline.map(Time::millis)),
        optional(rows.iter().map(|(_, due, _)| *due)),
        column(rows, |b| b.created_at.millis()),
        column(rows, |b| json(&b.customer)),
        some(rows, |b| b.address.clone()),
        some(rows, |b| b.note.clone()),
        some(rows, |b| b.reason.clone()),
        some(rows, |b| b.decided_by.clone()),
        some(rows, |b| b.decided_at.map(Time::millis)),
        some(rows, |b| b.created_by.map(|id| Uuid::from_u128(id.bits()))),
        some(rows, details),
        rows.iter().map(|(.., numbers)| numbers.clone()).collect::<Vec<_>>(),
    ]
}

/// The 16 columns of changed bookings.
fn changed_columns(rows: &[Row<'_>]) -> Vec<Param> {
    params![
        column(rows, |b| b.no.0),
        column(rows, |b| i64::from(b.version)),
        column(rows, |b| i64::from(b.events)),
        column(rows, |b| b.state.as_str()),
        column(rows, |b| json(&b.lines)),
        column(rows, |b| b.total),
        column(rows, |b| b.paid),
        column(rows, |b| b.refund_due),
        column(rows, |b| b.refunded),
        some(rows, |b| b.deadline.map(Time::millis)),
        optional(rows.iter().map(|(_, due, _)| *due)),
        some(rows, |b| b.reason.clone()),
        some(rows, |b| b.decided_by.clone()),
        some(rows, |b| b.decided_at.map(Time::millis)),
        some(rows, details),
        rows.iter().map(|(.., numbers)| numbers.clone()).collect::<Vec<_>>(),
    ]
}

/// What the customers of a listing have, from all of its bookings that count.
pub(crate) fn counted_anew(bookings: &[Booking], listing: &Listing) -> (Customers, CustomerHolds) {
    let mut has: BTreeMap<String, CustomerUse> = BTreeMap::new();
    let mut holds = CustomerHolds::default();
    for booking in bookings {
        for ((scope, identity), units) in counted(booking, listing) {
            if scope != listing.no {
                continue;
            }
            if let Some(due) = deadline(booking) {
                holds.0.push(scope.0);
                holds.1.push(identity.clone());
                holds.2.push(due);
                holds.3.push(booking.no.0);
            }
            let has = has.entry(identity).or_default();
            has.units += units;
            has.open_holds += i64::from(booking.state.holds());
        }
    }
    let mut customers = Customers::default();
    for (identity, CustomerUse { units, open_holds }) in has {
        customers.0.push(listing.no.0);
        customers.1.push(identity);
        customers.2.push(units);
        customers.3.push(open_holds);
    }
    (customers, holds)
}
