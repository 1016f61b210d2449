//! "My booking": one booking as its customer sees it, and what the customer can do with it.
//!
//! The link with the token is the ticket: it works in any browser, without cookies, and can be kept or sent to the
//! other phone. So the token stays in the address; no page names it to anybody else (no referrer, nothing from
//! elsewhere on the page, nothing logged). The browser remembers the booking, too, for those who lose the link.

pub(crate) mod cancel;
pub(crate) mod extend;
pub(crate) mod moving;
pub(crate) mod receipt;
mod show;
pub(crate) mod take;

use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::{Action, Actor, BookingChange};
use lastseat_core::decide::Outcome;
use lastseat_core::id::BookingId;
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Refusal;

use super::error::PageError;
use super::form::{Form, address};
use super::visit::Visit;
pub(crate) use show::show;

/// A booking with the token that opens it.
pub(crate) struct Own {
    /// The booking.
    pub booking: Booking,
    /// Its listing.
    pub listing: Arc<Listing>,
    /// The token.
    pub token: String,
}

impl Own {
    /// The address of its page.
    pub(crate) fn address(&self) -> String {
        address_of(self.booking.id, &self.token)
    }

    /// A number that grows whenever the booking does, or its times move.
    pub(crate) fn sequence(&self) -> u64 {
        self.listing.sequence_of(self.booking.version)
    }

    /// The address of its page with a word about what was done.
    pub(crate) fn did(&self, what: &str) -> String {
        address(&self.address(), [("did", what)])
    }

    /// The address of something about it.
    pub(crate) fn below(&self, what: &str) -> String {
        address(&format!("/bookings/{}/{what}", self.booking.id), [("token", self.token.as_str())])
    }

    /// Changes it, as its owner.
    ///
    /// # Errors
    /// The engine's refusal.
    pub(crate) async fn change(
        &self,
        visit: &Visit,
        form: &Form,
        change: BookingChange,
    ) -> Result<Outcome, Refusal> {
        visit.submit(Actor::Owner, form, None, Action::Booking { id: self.booking.id, change }).await
    }
}

/// The address of a booking's page, with the token that opens it.
#[must_use]
pub(crate) fn address_of(id: BookingId, token: &str) -> String {
    address(&format!("/bookings/{id}"), [("token", token)])
}

/// The booking that a visitor may open: with the token of the address or the form, else one that this browser
/// remembers.
///
/// # Errors
/// `404` as a page for everything that is not theirs; operators are sent to their own page about it.
pub(crate) async fn open(visit: &Visit, id: &str, form: &Form) -> Result<Own, PageError> {
    let gone = || {
        PageError::plain(
            http::StatusCode::NOT_FOUND,
            "This link does not open a booking",
            "It may be cut short: open the whole link that you were given when you booked. The organiser can find \
             your booking by its reference, too.",
        )
    };
    let id: BookingId = id.parse().map_err(|_| gone())?;
    let offered = [form.get("token"), visit.query.get("token")].into_iter().find(|token| !token.is_empty());
    let token = offered.or_else(|| visit.wallet.token(id)).unwrap_or_default();
    if !visit.engine().secret().opens(id, token) {
        if visit.operator.is_some() && visit.engine().booking(id).await?.is_some() {
            return Err(PageError::Redirect(format!("/admin/bookings/{id}")));
        }
        return Err(gone());
    }
    let booking = visit.engine().booking(id).await?.ok_or_else(gone)?;
    let listing = visit.engine().listing_at(booking.listing).ok_or_else(gone)?;
    Ok(Own { booking, listing, token: token.to_owned() })
}
