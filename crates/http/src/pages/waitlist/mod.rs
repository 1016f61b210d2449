//! "My place in line": somebody who waits for what is sold out, as that customer sees it.
//!
//! As with a booking the link with the token is the ticket, and the browser remembers it, too. When it is their turn the
//! page leads to the booking that is held for them.

pub(crate) mod ask;
pub(crate) mod join;
pub(crate) mod leave;
mod show;

use lastseat_core::id::WaitlistId;
use lastseat_core::waitlist::Standing;
use lastseat_engine::WaitlistEntry;

use super::booking;
use super::error::PageError;
use super::form::{Form, address};
use super::visit::Visit;
pub(crate) use show::show;

/// A place in line with the token that opens it.
pub(crate) struct Own {
    /// The place.
    pub seen: WaitlistEntry,
    /// The token.
    pub token: String,
}

impl Own {
    /// Its id.
    pub(crate) fn id(&self) -> WaitlistId {
        self.seen.entry.id
    }

    /// The address of its page.
    pub(crate) fn address(&self) -> String {
        address_of(self.id(), &self.token)
    }

    /// The address of something about it.
    pub(crate) fn below(&self, what: &str) -> String {
        address(&format!("/waitlist/{}/{what}", self.id()), [("token", self.token.as_str())])
    }

    /// Whether it waits.
    pub(crate) fn waits(&self) -> bool {
        self.seen.standing == Standing::Waiting
    }

    /// The address of the booking that was offered to it.
    pub(crate) fn offer(&self, visit: &Visit) -> Option<String> {
        let id = self.seen.offer.as_ref()?.id;
        Some(booking::address_of(id, &visit.engine().secret().booking_token(id)))
    }
}

/// The address of the page of a place in line, with the token that opens it.
#[must_use]
pub(crate) fn address_of(id: WaitlistId, token: &str) -> String {
    address(&format!("/waitlist/{id}"), [("token", token)])
}

/// The place in line that a visitor may open: with the token of the address or the form, else one that this browser
/// remembers.
///
/// # Errors
/// `404` as a page for everything that is not theirs; operators are sent to the list.
pub(crate) async fn open(visit: &Visit, id: &str, form: &Form) -> Result<Own, PageError> {
    let gone = || {
        PageError::plain(
            http::StatusCode::NOT_FOUND,
            "This link does not open a place in line",
            "It may be cut short: open the whole link that you were given when you joined the waitlist.",
        )
    };
    let id: WaitlistId = id.parse().map_err(|_| gone())?;
    let offered = [form.get("token"), visit.query.get("token")].into_iter().find(|token| !token.is_empty());
    let token = offered.or_else(|| visit.places.token(id)).unwrap_or_default();
    let opens = visit.engine().secret().opens_entry(id, token);
    if !opens && visit.operator.is_none() {
        return Err(gone());
    }
    let seen = visit.engine().waitlist_entry(id).await?.ok_or_else(gone)?;
    if !opens {
        return Err(PageError::Redirect(format!("/admin/listings/{}/waitlist", seen.listing.id)));
    }
    Ok(Own { seen, token: token.to_owned() })
}
