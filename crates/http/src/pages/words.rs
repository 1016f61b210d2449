//! What things are called on pages: kinds, states, statuses, reasons, ways to pay.

use lastseat_core::booking::{Booking, State};
use lastseat_core::event::EventKind;
use lastseat_core::listing::{Kind, PaymentMethod, Status};
use lastseat_core::settle::{
    REASON_HOLD_LAPSED, REASON_LATE_PAYMENT, REASON_LISTING_CANCELLED, REASON_REVIEW_LAPSED,
};

/// How loud something is said: the class of a badge or a notice.
pub(crate) type Tone = &'static str;

/// Something in a word, with its tone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Badge {
    /// The word.
    pub text: &'static str,
    /// `good`, `warn`, `bad`, `info`, or nothing.
    pub tone: Tone,
}

/// A state, for operators and in lists.
#[must_use]
pub(crate) const fn state(state: State) -> Badge {
    let (text, tone) = match state {
        State::Held => ("Held", "warn"),
        State::InReview => ("In review", "info"),
        State::Confirmed => ("Confirmed", "good"),
        State::Completed => ("Completed", ""),
        State::Expired => ("Expired", ""),
        State::Rejected => ("Rejected", "bad"),
        State::Cancelled => ("Cancelled", "bad"),
    };
    Badge { text, tone }
}

/// A status of a listing.
#[must_use]
pub(crate) const fn status(status: Status) -> Badge {
    let (text, tone) = match status {
        Status::Draft => ("Draft", ""),
        Status::Published => ("Published", "good"),
        Status::Closed => ("Closed", "warn"),
        Status::Cancelled => ("Called off", "bad"),
    };
    Badge { text, tone }
}

/// A kind, as customers see it.
#[must_use]
pub(crate) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Places => "Places",
        Kind::Nights => "Stays",
        Kind::Seats => "Seats",
        Kind::Slots => "Times",
    }
}

/// The kind of that name.
#[must_use]
pub(crate) fn parse_kind(name: &str) -> Option<Kind> {
    [Kind::Places, Kind::Nights, Kind::Seats, Kind::Slots].into_iter().find(|kind| kind.as_str() == name)
}

/// The status of that name.
#[must_use]
pub(crate) fn parse_status(name: &str) -> Option<Status> {
    let all = [Status::Draft, Status::Published, Status::Closed, Status::Cancelled];
    all.into_iter().find(|status| status.as_str() == name)
}

/// Why a booking is in its state, for people.
#[must_use]
pub(crate) fn reason(reason: &str) -> String {
    match reason {
        REASON_HOLD_LAPSED => "The time to pay ran out.".to_owned(),
        REASON_REVIEW_LAPSED => "Nobody looked at the receipt in time.".to_owned(),
        REASON_LISTING_CANCELLED => "The organiser has called this off.".to_owned(),
        REASON_LATE_PAYMENT => "The payment came after the time to pay had run out.".to_owned(),
        other => other.to_owned(),
    }
}

/// A way to pay, for operators.
#[must_use]
pub(crate) const fn payment(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Receipt => "Receipt, looked at by an operator",
        PaymentMethod::External => "Paid elsewhere and confirmed",
        PaymentMethod::GiftCard => "Gift card",
    }
}

/// What happened, for people.
#[must_use]
pub(crate) const fn event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ListingCreated => "Listing made",
        EventKind::ListingUpdated => "Listing changed",
        EventKind::ListingCancelled => "Listing called off",
        EventKind::BookingHeld => "Held",
        EventKind::BookingExtended => "Hold extended",
        EventKind::BookingPaymentSubmitted => "Receipt handed in",
        EventKind::BookingApproved => "Receipt approved",
        EventKind::BookingConfirmed => "Confirmed",
        EventKind::BookingRejected => "Receipt rejected",
        EventKind::BookingCancelled => "Cancelled",
        EventKind::BookingExpired => "Expired",
        EventKind::BookingCompleted => "Completed",
        EventKind::BookingRescheduled => "Moved",
        EventKind::BookingLatePayment => "Payment came late",
        EventKind::BookingRefundDue => "Refund due",
        EventKind::BookingRefunded => "Refunded",
    }
}

/// A state in a sentence, for the customer.
#[must_use]
pub(crate) fn state_for_customer(booking: &Booking) -> (&'static str, Tone) {
    match (booking.state, booking.reason.as_deref()) {
        (State::Held, _) => ("Held for you", "warn"),
        (State::InReview, _) => ("Your receipt is being checked", "info"),
        (State::Confirmed, _) => ("Confirmed", "good"),
        (State::Completed, _) => ("This is over", ""),
        (State::Expired, Some(REASON_LATE_PAYMENT)) => ("The payment came too late", "bad"),
        (State::Expired, Some(REASON_REVIEW_LAPSED)) => ("The receipt was not checked in time", "bad"),
        (State::Expired, _) => ("The time to pay has run out", "bad"),
        (State::Rejected, _) => ("The receipt was not accepted", "bad"),
        (State::Cancelled, _) => ("Cancelled", "bad"),
    }
}

/// `1 seat`, `3 seats`.
#[must_use]
pub(crate) fn count(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_addresses_lead_back_to_what_they_name() {
        for one in [Kind::Places, Kind::Nights, Kind::Seats, Kind::Slots] {
            assert_eq!(parse_kind(one.as_str()), Some(one));
        }
        for one in [Status::Draft, Status::Published, Status::Closed, Status::Cancelled] {
            assert_eq!(parse_status(one.as_str()), Some(one));
        }
        assert_eq!(parse_kind("hotels"), None);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(count(1, "seat", "seats"), "1 seat");
        assert_eq!(count(0, "seat", "seats"), "0 seats");
    }
}
