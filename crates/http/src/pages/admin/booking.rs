//! `GET /admin/bookings/{id}`: one booking with its history and everything that can be done with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::booking::{Booking, Patch};
use lastseat_core::id::{BookingId, KeyId};
use lastseat_core::listing::Listing;
use lastseat_store::StoredEvent;

use super::case::{Case, Choices, actor_words};
use super::session::Desk;
use crate::pages::dates::Instant;
use crate::pages::error::PageError;
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};
use crate::pages::{dates, flash, money, words};

/// Something that happened.
struct Happened {
    at: Instant,
    what: &'static str,
    who: String,
    details: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/booking.html")]
struct View {
    shell: Shell,
    case: Case,
    choices: Choices,
    history: Vec<Happened>,
    trouble: Option<Trouble>,
}

/// `GET /admin/bookings/{id}`
pub(crate) async fn show(Desk { visit, .. }: Desk, Path(id): Path<String>) -> Page {
    render(&visit, &id, None).await
}

/// A booking with its listing.
///
/// # Errors
/// `404` as a page.
pub(super) async fn find(visit: &Visit, id: &str) -> Result<(Arc<Listing>, Booking), PageError> {
    let missing = || PageError::not_found("booking").link("/admin/bookings", "All bookings");
    let id: BookingId = id.parse().map_err(|_| missing())?;
    let booking = visit.engine().booking(id).await?.ok_or_else(missing)?;
    let listing = visit.engine().listing_at(booking.listing).ok_or_else(missing)?;
    Ok((listing, booking))
}

/// The page, with what went wrong above it.
///
/// # Errors
/// `404` and `503` as pages.
pub(super) async fn render(visit: &Visit, id: &str, trouble: Option<Trouble>) -> Page {
    let (listing, booking) = find(visit, id).await?;
    let events = visit.engine().booking_events(booking.no).await?;
    let case = Case::new(visit, &listing, &booking);
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let view = View {
        shell: visit
            .admin_shell(format!("Booking {}", case.reference))
            .current("bookings")
            .flash(flash::of(&visit.query))
            .script("admin.js"),
        case,
        choices: Choices::of(&listing, &booking),
        history: events.iter().rev().map(|event| happened(visit, &listing, event)).collect(),
        trouble,
    };
    Ok(visit.show_private(status.unwrap_or(StatusCode::OK), &view))
}

fn happened(visit: &Visit, listing: &Listing, event: &StoredEvent) -> Happened {
    let who = match event.actor.parse::<KeyId>() {
        Ok(key) => visit.engine().key_by_id(key).map_or_else(|| event.actor.clone(), |key| key.name.clone()),
        Err(_) => actor_words(&event.actor),
    };
    Happened {
        at: Instant::new(event.at, listing.zone()),
        what: words::event(event.kind),
        who,
        details: serde_json::from_str(&event.data).map(|patch| details(listing, &patch)).unwrap_or_default(),
    }
}

/// What an event has changed, as far as it says something to people.
fn details(listing: &Listing, patch: &Patch) -> Vec<String> {
    let currency = &listing.doc.currency;
    let mut details = Vec::new();
    let amounts = [
        ("costs", patch.total),
        ("paid", patch.paid),
        ("to go back", patch.refund_due),
        ("gone back", patch.refunded),
    ];
    for (name, value) in amounts {
        details.extend(value.map(|value| format!("{name} {}", money::amount(value, currency))));
    }
    if let Some(Some(deadline)) = patch.deadline {
        details.push(format!("until {}", dates::moment(deadline, listing.zone())));
    }
    if let Some(Some(reason)) = &patch.reason {
        details.push(words::reason(reason));
    }
    details
}
