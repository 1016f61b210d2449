//! What things are called on pages: kinds, states, statuses, reasons, ways to pay.

use lastseat_core::booking::{Booking, State};
use lastseat_core::event::EventKind;
use lastseat_core::listing::{Kind, PaymentMethod, Status};
use lastseat_core::settle::{
    REASON_HOLD_LAPSED, REASON_LATE_PAYMENT, REASON_LISTING_CANCELLED, REASON_REVIEW_LAPSED,
};
use lastseat_core::waitlist::{Ended, REASON_DECLINED, Standing};

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

/// What is booked of a kind: one of it, and more than one.
#[must_use]
pub(crate) const fn units(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Places => ("place", "places"),
        Kind::Nights => ("night", "nights"),
        Kind::Seats => ("seat", "seats"),
        Kind::Slots => ("time", "times"),
    }
}

/// Where somebody stands on a waitlist, for operators and in lists.
#[must_use]
pub(crate) const fn standing(standing: Standing) -> Badge {
    let (text, tone) = match standing {
        Standing::Waiting => ("Waiting", "info"),
        Standing::Offered => ("Offered", "warn"),
        Standing::Taken => ("Taken", "good"),
        Standing::Lapsed => ("Lapsed", ""),
        Standing::Left => ("Left", ""),
        Standing::Closed => ("Closed", ""),
    };
    Badge { text, tone }
}

/// Why waiting came to its end, in a sentence for who waited.
#[must_use]
pub(crate) const fn ended(why: Ended) -> &'static str {
    match why {
        Ended::Until => "It is later than you wanted to wait.",
        Ended::SaleOver => "The sale of what you waited for is over.",
        Ended::ListingClosed => "The organiser takes no bookings for this any more.",
        Ended::ListingCancelled => "The organiser has called this off.",
        Ended::CustomerLimit => "When it was your turn, you had as much as one customer may have here.",
        Ended::OfferCancelled => "It was held for you, and the organiser cancelled that.",
    }
}

/// How many are ahead of somebody who waits.
#[must_use]
pub(crate) fn ahead(number: i64) -> String {
    match number {
        ..=0 => "nobody is ahead of you".to_owned(),
        1 => "1 person is ahead of you".to_owned(),
        many => format!("{many} people are ahead of you"),
    }
}

/// `1st`, `22nd`, `113th`.
#[must_use]
pub(crate) fn ordinal(number: i64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// How many wait already, for who may join them.
#[must_use]
pub(crate) fn waiting(ahead: i64) -> String {
    match ahead {
        ..=0 => "Nobody waits yet: you would be the first.".to_owned(),
        1 => "1 person waits already.".to_owned(),
        many => format!("{many} people wait already."),
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
        REASON_DECLINED => "The offer from the waitlist was given up.".to_owned(),
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
        EventKind::WaitlistJoined => "Joined the waitlist",
        EventKind::WaitlistOffered => "Offered to who waits",
        EventKind::WaitlistSkipped => "Passed over on the waitlist",
        EventKind::WaitlistTaken => "Offer taken up",
        EventKind::WaitlistLapsed => "Offer lapsed",
        EventKind::WaitlistLeft => "Left the waitlist",
        EventKind::WaitlistClosed => "Waiting ended",
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
        (State::Expired, _) if booking.details.offer.is_some() && booking.total == booking.applied() => {
            ("The time to take it has run out", "bad")
        }
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

    #[test]
    fn places_in_line_are_named() {
        let named = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(named.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th");
    }
}
