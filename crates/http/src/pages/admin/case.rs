//! A booking as operators see it: on its own page, and in the review.

use lastseat_core::booking::{Booking, State};
use lastseat_core::listing::Listing;

use crate::pages::dates::{self, Countdown, Instant};
use crate::pages::lines::{Item, items};
use crate::pages::money;
use crate::pages::visit::Visit;
use crate::pages::words::{self, Badge};

/// A receipt.
pub(super) struct Proof {
    /// Where it is shown.
    pub href: String,
    /// `Picture`, `PDF`.
    pub what: &'static str,
    /// Whether it can be shown in place.
    pub is_picture: bool,
    /// How large it is.
    pub size: String,
    /// When it was handed in.
    pub at: Instant,
    /// What the customer wrote beside it.
    pub note: Option<String>,
}

/// A name and an amount.
pub(super) struct Sum {
    /// Its name.
    pub name: &'static str,
    /// The amount.
    pub value: String,
}

/// A booking.
pub(super) struct Case {
    /// Its id.
    pub id: String,
    /// Its reference.
    pub reference: String,
    /// Its version, so that decisions are about what was seen.
    pub version: u32,
    /// Its state.
    pub badge: Badge,
    /// Name of the listing.
    pub title: String,
    /// Page of the listing.
    pub listing: String,
    /// When it takes place.
    pub when: String,
    /// The customer's name.
    pub name: String,
    /// How to reach the customer.
    pub contact: Vec<(&'static str, String)>,
    /// What the customer wrote.
    pub note: Option<String>,
    /// What it claims.
    pub items: Vec<Item>,
    /// The money.
    pub sums: Vec<Sum>,
    /// The receipts.
    pub proofs: Vec<Proof>,
    /// Until when it stands as it is.
    pub due: Option<(Countdown, Instant)>,
    /// When it was made.
    pub made: Instant,
    /// Why it is in its state.
    pub reason: Option<String>,
    /// Who decided, and when.
    pub decided: Option<String>,
    /// The zone of all times.
    pub zone: String,
}

impl Case {
    /// A booking of this listing.
    pub(super) fn new(visit: &Visit, listing: &Listing, booking: &Booking) -> Self {
        let zone = listing.zone();
        let customer = &booking.customer;
        let contact = [
            ("E-mail", customer.email.clone()),
            ("Telephone", customer.phone.clone()),
            ("Telegram", customer.telegram_id.map(|id| id.to_string())),
            ("Known as", customer.external_id.clone()),
        ];
        let starts_at = listing.starts_at(&booking.lines);
        let ends_at = listing.ends_at(&booking.lines);
        Self {
            id: booking.id.to_string(),
            reference: visit.engine().secret().reference(booking.no),
            version: booking.version,
            badge: words::state(booking.state),
            title: listing.doc.title.clone(),
            listing: format!("/admin/listings/{}", listing.id),
            when: match (starts_at, ends_at) {
                (Some(start), Some(end)) => dates::span(start, end, zone),
                (Some(start), None) => dates::moment(start, zone),
                _ => String::new(),
            },
            name: customer.name.clone(),
            contact: contact.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            note: booking.note.clone(),
            items: items(listing, booking),
            sums: sums(booking, &listing.doc.currency),
            proofs: proofs(listing, booking),
            due: booking.deadline.map(|due| (Countdown::new(due, visit.now), Instant::new(due, zone))),
            made: Instant::new(booking.created_at, zone),
            reason: booking.reason.as_deref().map(words::reason),
            decided: booking.decided_by.as_ref().map(|who| match booking.decided_at {
                Some(at) => format!("{} on {}", actor_words(who), dates::moment(at, zone)),
                None => actor_words(who),
            }),
            zone: dates::zone_name(&listing.doc.timezone, zone, starts_at.unwrap_or(booking.created_at)),
        }
    }
}

/// Who decided, in words.
pub(super) fn actor_words(who: &str) -> String {
    match who {
        "owner" | "public" => "the customer".to_owned(),
        "system" => "the clock".to_owned(),
        name => name.to_owned(),
    }
}

fn sums(booking: &Booking, currency: &str) -> Vec<Sum> {
    let sum = |name, value| Sum { name, value: money::amount(value, currency) };
    let mut sums = vec![sum("Total", booking.total), sum("Paid", booking.paid)];
    if booking.refund_due > 0 {
        sums.push(sum("To go back", booking.refund_due));
    }
    if booking.refunded > 0 {
        sums.push(sum("Gone back", booking.refunded));
    }
    sums
}

fn proofs(listing: &Listing, booking: &Booking) -> Vec<Proof> {
    let receipts = (1u32..).zip(&booking.details.receipts);
    receipts
        .map(|(number, receipt)| {
            let is_picture = receipt.media_type.starts_with("image/");
            Proof {
                href: format!("/admin/bookings/{}/receipts/{number}", booking.id),
                what: if is_picture { "Picture" } else { "PDF" },
                is_picture,
                size: format!("{} kB", receipt.size.div_ceil(1000)),
                at: Instant::new(receipt.at, listing.zone()),
                note: receipt.note.clone(),
            }
        })
        .collect()
}

/// What an operator can do with a booking, and what the forms begin with.
pub(super) struct Choices {
    /// Whether its receipt can be approved or rejected.
    pub review: bool,
    /// The amount with which a payment can be written down.
    pub pay: Option<String>,
    /// The amount that can be sent back.
    pub refund: Option<String>,
    /// Whether it can be cancelled.
    pub cancel: bool,
    /// By how many minutes the hold can be extended at most.
    pub extend_minutes: Option<i64>,
    /// The currency.
    pub currency: String,
}

impl Choices {
    /// What can be done with this booking.
    pub(super) fn of(listing: &Listing, booking: &Booking) -> Self {
        let currency = listing.doc.currency.clone();
        let open = booking.total - booking.applied();
        let payable = matches!(booking.state, State::Held | State::InReview | State::Expired) && open > 0;
        let limit = booking.created_at.plus_seconds(listing.policy_of(booking.policy).hold_max());
        let more = booking.deadline.map_or(0, |deadline| (limit.millis() - deadline.millis()) / 60_000);
        let extendable = booking.state == State::Held && !booking.details.extended && more > 0;
        Self {
            review: booking.state == State::InReview,
            pay: payable.then(|| money::plain(open, &currency)),
            refund: (booking.refund_due > 0).then(|| money::plain(booking.refund_due, &currency)),
            cancel: matches!(booking.state, State::Held | State::InReview | State::Confirmed),
            extend_minutes: extendable.then_some(more),
            currency,
        }
    }

    /// Whether there is anything to do besides a review.
    pub(super) fn any(&self) -> bool {
        self.pay.is_some() || self.refund.is_some() || self.cancel || self.extend_minutes.is_some()
    }
}
