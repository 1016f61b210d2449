//! A booking as JSON.

use lastseat_core::booking::{Booking, State};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::line::Lines;
use lastseat_core::listing::{Listing, PaymentMethod};
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_engine::Engine;
use serde::Serialize;

/// A booking, in the terms of the policy it was made under.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Booking)]
pub struct BookingView<'a> {
    /// Id.
    #[schema(value_type = String, pattern = "^bkg_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub id: BookingId,
    /// 8 characters that a person can read out.
    #[schema(min_length = 8, max_length = 8)]
    pub reference: String,
    /// Counts changes; the ETag.
    #[schema(minimum = 1)]
    pub version: u32,
    /// Where it stands.
    pub state: State,
    /// The listing.
    #[schema(value_type = String)]
    pub listing_id: ListingId,
    /// What it claims.
    #[schema(inline = false)]
    pub lines: Vec<LineView>,
    /// Price in minor units.
    pub total: i64,
    /// ISO 4217 code.
    pub currency: &'a str,
    /// All money that came in, in minor units.
    pub paid: i64,
    /// Money that has to go back.
    pub refund_due: i64,
    /// Money that went back.
    pub refunded: i64,
    /// Who it is for.
    pub customer: CustomerView<'a>,
    /// What the customer wrote.
    pub note: Option<&'a str>,
    /// Ways to pay.
    pub payment: &'a [PaymentMethod],
    /// How to pay, in words.
    pub payment_instructions: Option<&'a str>,
    /// When it was made.
    pub created_at: Time,
    /// When it next changes by itself: a hold or a review lapses, a sold booking is over.
    pub due_at: Option<Time>,
    /// When what is booked begins.
    pub starts_at: Option<Time>,
    /// When it ends.
    pub ends_at: Option<Time>,
    /// Why it is in its state, where that needs saying.
    pub reason: Option<&'a str>,
    /// Who confirmed, approved, rejected or cancelled it.
    pub decided_by: Option<&'a str>,
    /// When.
    pub decided_at: Option<Time>,
    /// What lets its bearer act on the booking; in the answer to the creation and its replays only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
}

/// A claim on one pool.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Line)]
pub struct LineView {
    /// Key of the pool.
    pub pool: String,
    /// Units.
    pub quantity: i64,
    /// Price of one when the claim was made, in minor units.
    pub unit_price: i64,
}

/// A customer with all fields, those that are not known as null.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = BookingCustomer)]
pub struct CustomerView<'a> {
    /// What to call them.
    pub name: &'a str,
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// Telegram's numeric user id.
    pub telegram_id: Option<i64>,
    /// The id under which another system knows them.
    pub external_id: Option<&'a str>,
}

impl<'a> From<&'a Customer> for CustomerView<'a> {
    fn from(customer: &'a Customer) -> Self {
        Self {
            name: &customer.name,
            email: customer.email.as_deref(),
            phone: customer.phone.as_deref(),
            telegram_id: customer.telegram_id,
            external_id: customer.external_id.as_deref(),
        }
    }
}

/// Lines with the keys of their pools.
#[must_use]
pub fn lines(listing: &Listing, lines: &Lines) -> Vec<LineView> {
    let view = |line: &lastseat_core::line::Line| LineView {
        pool: listing.pool_key(line.pool),
        quantity: line.quantity,
        unit_price: line.unit_price,
    };
    lines.iter().map(view).collect()
}

impl<'a> BookingView<'a> {
    /// A settled booking of `listing`, without its token.
    #[must_use]
    pub fn new(engine: &Engine, listing: &'a Listing, booking: &'a Booking) -> Self {
        let policy = listing.policy_of(booking.policy);
        Self {
            id: booking.id,
            reference: engine.secret().reference(booking.no),
            version: booking.version,
            state: booking.state,
            listing_id: listing.id,
            lines: lines(listing, &booking.lines),
            total: booking.total,
            currency: &listing.doc.currency,
            paid: booking.paid,
            refund_due: booking.refund_due,
            refunded: booking.refunded,
            customer: (&booking.customer).into(),
            note: booking.note.as_deref(),
            payment: &policy.payment,
            payment_instructions: policy.payment_instructions.as_deref(),
            created_at: booking.created_at,
            due_at: due_at(booking, listing),
            starts_at: listing.starts_at(&booking.lines),
            ends_at: listing.ends_at(&booking.lines),
            reason: booking.reason.as_deref(),
            decided_by: booking.decided_by.as_deref(),
            decided_at: booking.decided_at,
            token: None,
        }
    }

    /// The same with its token.
    #[must_use]
    pub fn with_token(mut self, engine: &Engine) -> Self {
        self.token = Some(engine.secret().booking_token(self.id));
        self
    }
}
