//! What time alone does to a booking. Two functions, both pure: [`due_at`] says when a booking next changes
//! by itself, [`settle`] makes the change. Every reader and every writer applies `settle` before it looks,
//! so it does not matter whether a worker has run.

use crate::booking::{Booking, State};
use crate::event::EventKind;
use crate::listing::{Listing, Status};
use crate::time::Time;

/// The name under which time's own decisions are signed.
pub const SYSTEM: &str = "system";
/// The reason of a booking whose hold lapsed.
pub const REASON_HOLD_LAPSED: &str = "hold_lapsed";
/// The reason of a booking whose receipt nobody looked at in time.
pub const REASON_REVIEW_LAPSED: &str = "review_lapsed";
/// The reason of a booking whose listing was called off.
pub const REASON_LISTING_CANCELLED: &str = "listing_cancelled";
/// The reason of a booking whose money came when its places were gone.
pub const REASON_LATE_PAYMENT: &str = "late_payment";

/// When the booking next changes by itself: a hold or a review at its deadline, a sold booking at its end,
/// and any of them at once if the listing was called off before. None if it never will.
#[must_use]
pub fn due_at(booking: &Booking, listing: &Listing) -> Option<Time> {
    let own = match booking.state {
        State::Held | State::InReview => booking.deadline,
        State::Confirmed => listing.ends_at(&booking.lines),
        State::Completed | State::Expired | State::Rejected | State::Cancelled => return None,
    };
    match cancelled_at(listing) {
        Some(cancelled) => Some(own.map_or(cancelled, |own| own.min(cancelled))),
        None => own,
    }
}

fn cancelled_at(listing: &Listing) -> Option<Time> {
    if listing.doc.status == Status::Cancelled { listing.doc.cancelled_at } else { None }
}

/// Applies what time has done up to `now`. The kind of the event, if there was a change; the version has
/// then grown by one. Settling twice at the same instant changes nothing the second time.
///
/// A deadline counts as passed at the very instant it names.
pub fn settle(booking: &mut Booking, listing: &Listing, now: Time) -> Option<EventKind> {
    let due = due_at(booking, listing)?;
    if due > now {
        return None;
    }
    let own = match booking.state {
        State::Confirmed => listing.ends_at(&booking.lines),
        _ => booking.deadline,
    };
    let called_off = cancelled_at(listing).is_some_and(|at| own.is_none_or(|own| at < own));
    let kind = if called_off {
        booking.refund_due = booking.paid - booking.refunded;
        booking.reason = Some(REASON_LISTING_CANCELLED.to_owned());
        booking.decided_by = Some(SYSTEM.to_owned());
        booking.decided_at = Some(due);
        booking.state = State::Cancelled;
        EventKind::BookingCancelled
    } else {
        match booking.state {
            State::Confirmed => {
                booking.state = State::Completed;
                EventKind::BookingCompleted
            }
            State::InReview => {
                booking.reason = Some(REASON_REVIEW_LAPSED.to_owned());
                booking.state = State::Expired;
                EventKind::BookingExpired
            }
            _ => {
                booking.reason = Some(REASON_HOLD_LAPSED.to_owned());
                booking.state = State::Expired;
                EventKind::BookingExpired
            }
        }
    };
    if booking.state == State::Expired {
        // Money that came in part pays for nothing now.
        booking.refund_due = booking.paid - booking.refunded;
    }
    booking.deadline = None;
    booking.version += 1;
    Some(kind)
}
