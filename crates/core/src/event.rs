//! Events: what happened, in the words of the contract. Each transition appends its events in the same
//! transaction; they feed the log, the live streams and whatever wants to know.

use serde::{Deserialize, Serialize};

use crate::booking::Patch;
use crate::id::{BookingNo, EventId, ListingNo, uuid_v7_bits};
use crate::time::Time;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What kind of thing happened.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl EventKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kind as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A listing was made.
    ListingCreated = "listing.created";
    /// A listing, its calendar or its pools were changed.
    ListingUpdated = "listing.updated";
    /// A listing was called off.
    ListingCancelled = "listing.cancelled";
    /// Capacity was taken for a while.
    BookingHeld = "booking.held";
    /// The hold's deadline was moved.
    BookingExtended = "booking.extended";
    /// A receipt was handed in.
    BookingPaymentSubmitted = "booking.payment_submitted";
    /// An operator found the receipt good.
    BookingApproved = "booking.approved";
    /// The booking is sold.
    BookingConfirmed = "booking.confirmed";
    /// An operator refused the receipt.
    BookingRejected = "booking.rejected";
    /// The booking was called off.
    BookingCancelled = "booking.cancelled";
    /// The deadline passed.
    BookingExpired = "booking.expired";
    /// The booking's end passed.
    BookingCompleted = "booking.completed";
    /// The booking claims other pools now.
    BookingRescheduled = "booking.rescheduled";
    /// Money or a receipt came after the hold had lapsed.
    BookingLatePayment = "booking.late_payment";
    /// Money has to go back; more of it than before.
    BookingRefundDue = "booking.refund_due";
    /// Money went back.
    BookingRefunded = "booking.refunded";
    /// Somebody waits for what is sold out.
    WaitlistJoined = "waitlist.joined";
    /// What came free is held for the one who waits.
    WaitlistOffered = "waitlist.offered";
    /// Somebody who joined later, or did not wait, got what was not enough for the one who waits.
    WaitlistSkipped = "waitlist.skipped";
    /// The offer was taken up: paid, or a receipt handed in.
    WaitlistTaken = "waitlist.taken";
    /// The offer was not taken up in time.
    WaitlistLapsed = "waitlist.lapsed";
    /// Somebody waits no more, or has declined the offer.
    WaitlistLeft = "waitlist.left";
    /// Waiting came to its end: the sale is over, or the date until which one wanted to wait has passed.
    WaitlistClosed = "waitlist.closed";
}

/// What an event says beyond its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventData {
    /// The fields of the booking that changed.
    Booking(Box<Patch>),
    /// The fields of the listing that changed, as JSON text.
    Listing(String),
}

/// An event that was decided and is not yet written; the store gives it its place in the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// Of which listing.
    pub listing: ListingNo,
    /// Of which booking; none for events of the listing itself.
    pub booking: Option<BookingNo>,
    /// Number within the booking, from 1; 0 for events of a listing.
    pub seq: u32,
    /// Version of the row after the transition.
    pub version: u32,
    /// Who did it: `public`, `owner`, `system`, or the id of an API key.
    pub actor: String,
    /// When.
    pub at: Time,
    /// What changed.
    pub data: EventData,
}

/// The public id of the event at `feed_no` of the log. Derived, not stored: unique because places are.
#[must_use]
pub fn event_id(at: Time, feed_no: i64) -> EventId {
    let random = u128::from(feed_no.unsigned_abs()) << 48;
    EventId::from_bits(uuid_v7_bits(at.millis(), random))
}
