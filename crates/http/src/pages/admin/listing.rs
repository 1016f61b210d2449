//! `GET /admin/listings/{id}`: a listing with its numbers, and what can be changed about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::id::ListingId;
use lastseat_core::listing::{Listing, Status};

use super::figures::{ByState, Figures, by_state};
use super::session::Desk;
use crate::pages::error::PageError;
use crate::pages::shell::Shell;
use crate::pages::visit::{Page, Visit};
use crate::pages::words::{self, Badge};
use crate::pages::{dates, flash, listing, money};

#[derive(Template)]
#[template(path = "admin/listing.html")]
struct View<'a> {
    shell: Shell,
    listing: &'a Listing,
    path: String,
    badge: Badge,
    kind: &'static str,
    when: String,
    zone: String,
    figures: Figures,
    kept: String,
    refund_due: Option<String>,
    share: u64,
    states: Vec<ByState>,
    moves: Vec<(&'static str, &'static str, &'static str)>,
    payment: Vec<&'static str>,
    hold: String,
    is_admin: bool,
}

/// A listing, drafts included.
///
/// # Errors
/// `404` as a page.
pub(super) async fn find(visit: &Visit, id: &str) -> Result<Arc<Listing>, PageError> {
    let found = match id.parse::<ListingId>() {
        Ok(id) => visit.engine().find_listing(id).await,
        Err(_) => None,
    };
    found.ok_or_else(|| PageError::not_found("listing").link("/admin", "All listings"))
}

/// `GET /admin/listings/{id}`
pub(crate) async fn show(Desk { visit, operator }: Desk, Path(id): Path<String>) -> Page {
    let listing = find(&visit, &id).await?;
    let availability = visit.engine().availability(&listing).await?;
    let numbers = visit.engine().numbers(listing.no).await?;
    let figures = Figures::new(&availability, &numbers);
    let currency = &listing.doc.currency;
    let taken = u64::try_from(figures.sold + figures.held).unwrap_or(0);
    let view = View {
        shell: visit
            .admin_shell(listing.doc.title.clone())
            .current("overview")
            .flash(flash::of(&visit.query)),
        path: format!("/admin/listings/{}", listing.id),
        badge: words::status(listing.doc.status),
        kind: words::kind(listing.kind()),
        when: listing::when(&listing).or_else(|| super::calendar_words(&listing)).unwrap_or_default(),
        zone: dates::zone_name(&listing.doc.timezone, listing.zone(), visit.now),
        kept: money::amount(figures.kept, currency),
        refund_due: (figures.refund_due > 0).then(|| money::amount(figures.refund_due, currency)),
        share: (100 * taken).checked_div(u64::try_from(figures.capacity).unwrap_or(0)).unwrap_or(0),
        states: by_state(&numbers, currency),
        moves: moves(listing.doc.status),
        payment: listing.policy().payment.iter().map(|method| words::payment(*method)).collect(),
        hold: dates::duration(listing.policy().hold_seconds),
        is_admin: operator.shown().is_admin,
        figures,
        listing: &listing,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// To which statuses it can go: the status, what that is called, and the class of the button.
fn moves(status: Status) -> Vec<(&'static str, &'static str, &'static str)> {
    let publish = ("published", "Publish", "primary");
    let open = ("published", "Open again", "primary");
    let close = ("closed", "Close", "");
    let cancel = ("cancelled", "Call off", "danger");
    match status {
        Status::Draft => vec![publish, cancel],
        Status::Published => vec![close, cancel],
        Status::Closed => vec![open, cancel],
        Status::Cancelled => Vec::new(),
    }
}
