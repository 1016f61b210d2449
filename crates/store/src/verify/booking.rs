//! What one booking must fulfil by itself.

use std::collections::HashMap;

use lastseat_core::booking::{Booking, Patch, Payment, State, Step, fold};
use lastseat_core::id::ListingNo;
use lastseat_core::listing::Listing;
use lastseat_core::settle::due_at;

use super::report::{Report, Rule};
use crate::error::StoreError;
use crate::read::{Read, StoredEvent};

/// The listings as they were last read.
pub(super) type Listings = HashMap<ListingNo, Listing>;

pub(super) fn listings(read: &dyn Read) -> Result<Listings, StoreError> {
    Ok(read.listings()?.into_iter().map(|listing| (listing.no, listing)).collect())
}

/// Checks a booking, all in one snapshot. Listings that were edited since they were read are read anew before
/// anything is called broken.
pub(super) fn check(
    read: &dyn Read,
    booking: &Booking,
    known: &mut Listings,
    report: &mut Report,
) -> Result<(), StoreError> {
    let name = || booking.id.to_string();
    report.check(Rule::MoneyIsConserved, money_is_conserved(booking), name);
    let events = read.booking_events(booking.no)?;
    report.check(Rule::LogFoldsToRows, log_folds_to_row(booking, &events), name);
    let found = read.booking(booking.id)?;
    report.check(Rule::BookingsAreUnique, found.as_ref() == Some(booking), name);
    let due = due_at_is_computed(read, booking, known)?;
    report.check(Rule::DueAtIsComputed, due, name);
    Ok(())
}

fn money_is_conserved(booking: &Booking) -> bool {
    let sum = |payments: &[Payment]| payments.iter().map(|payment| i128::from(payment.amount)).sum::<i128>();
    let Booking { total, paid, refund_due, refunded, .. } = *booking;
    let applied = i128::from(paid) - i128::from(refund_due) - i128::from(refunded);
    let over = matches!(booking.state, State::Cancelled | State::Rejected);
    [total, paid, refund_due, refunded].iter().all(|amount| *amount >= 0)
        && i128::from(paid) == sum(&booking.details.payments)
        && i128::from(refunded) == sum(&booking.details.refunds)
        && (0..=i128::from(total)).contains(&applied)
        && !(over && applied > 0)
}

/// The steps that events tell, in order. None if one of them cannot be read.
pub(super) fn steps(events: &[StoredEvent]) -> Option<Vec<Step>> {
    let step = |event: &StoredEvent| {
        let patch: Patch = serde_json::from_str(&event.data).ok()?;
        Some(Step { version: event.version, seq: event.seq, patch })
    };
    events.iter().map(step).collect()
}

fn log_folds_to_row(booking: &Booking, events: &[StoredEvent]) -> bool {
    let numbered = (1..=booking.events).eq(events.iter().map(|event| event.seq));
    let belong = events
        .iter()
        .all(|event| event.booking == Some((booking.no, booking.id)) && event.listing == booking.listing);
    let placed = events.is_sorted_by(|a, b| a.no < b.no);
    let Some(steps) = steps(events) else { return false };
    let first = steps.first().is_some_and(|step| step.version == 1);
    let grows =
        steps.windows(2).all(|pair| matches!(pair[1].version.checked_sub(pair[0].version), Some(0 | 1)));
    let folded = fold(booking.no, booking.id, booking.listing, &steps);
    numbered && belong && placed && first && grows && folded.as_ref() == Some(booking)
}

fn due_at_is_computed(read: &dyn Read, booking: &Booking, known: &mut Listings) -> Result<bool, StoreError> {
    let stored = read.stored_due_at(booking.no)?;
    let computed = |known: &Listings| known.get(&booking.listing).map(|listing| due_at(booking, listing));
    if booking.deadline.is_some() != booking.state.holds() {
        return Ok(false);
    }
    if computed(known) == Some(stored) {
        return Ok(true);
    }
    *known = listings(read)?;
    if computed(known) == Some(stored) {
        return Ok(true);
    }
    // After an edit a worker goes through the bookings; until it is done they may be behind.
    let edited = known.get(&booking.listing).is_some_and(|listing| listing.version > 1);
    Ok(edited && read.is_renewing()?)
}
