//! `GET /admin/listings/{id}/waitlist`: who waits and waited, in the order of joining. `remove.rs` takes somebody off.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::booking::State;
use lastseat_core::id::EntryNo;
use lastseat_core::listing::Listing;
use lastseat_core::waitlist::{Ended, Standing};
use lastseat_engine::WaitlistEntry;

use super::listing::find;
use super::remove;
use super::session::Desk;
use crate::pages::dates::{Countdown, Instant};
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};
use crate::pages::words::{self, Badge};
use crate::pages::{flash, lines};

/// Entries on a page.
const ROWS: u32 = 50;

struct Row {
    name: String,
    contact: String,
    what: String,
    kept: i64,
    badge: Badge,
    due: Option<Countdown>,
    booking: Option<(String, String)>,
    why: Option<&'static str>,
    since: Instant,
    ahead: Option<i64>,
    skipped: u32,
    remove: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/waitlist.html")]
struct View {
    shell: Shell,
    listing: Arc<Listing>,
    path: String,
    waiting: String,
    rows: Vec<Row>,
    first: Option<String>,
    later: Option<String>,
    trouble: Option<Trouble>,
}

/// `GET /admin/listings/{id}/waitlist`
pub(crate) async fn show(Desk { visit, .. }: Desk, Path(id): Path<String>) -> Page {
    let listing = find(&visit, &id).await?;
    let after = after(visit.query.get("after"));
    let mut found = visit.engine().waitlist(listing.no, EntryNo(after), ROWS + 1).await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let waiting = visit.engine().waiting(listing.no).await?;
    let path = format!("/admin/listings/{}", listing.id);
    let last = found.last().map(|seen| seen.entry.no.0).filter(|_| more);
    let view = View {
        shell: visit
            .admin_shell("Waitlist")
            .current("overview")
            .flash(flash::of(&visit.query))
            .script("admin.js"),
        waiting: words::count(waiting, "waits", "wait"),
        rows: found.iter().map(|seen| row(&visit, seen, after)).collect(),
        first: (after > 0).then(|| format!("{path}/waitlist")),
        later: last.map(|last| format!("{path}/waitlist?after={last}")),
        trouble: gone(visit.query.get("trouble")),
        path,
        listing,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// After which number a page of the list begins.
pub(super) fn after(text: &str) -> i64 {
    text.parse().unwrap_or(0).max(0)
}

/// What is told to who would have removed somebody who waits no more.
fn gone(standing: &str) -> Option<Trouble> {
    let text = match standing {
        "taken" => "Their offer was taken up meanwhile. If it has to go, cancel the booking instead.",
        "lapsed" => "Their offer ran out meanwhile, and went to the next in line.",
        "left" => "They left the waitlist meanwhile, or somebody else removed them.",
        "closed" => "Waiting had come to its end already.",
        _ => return None,
    };
    Some(Trouble::new(409, "There was nobody to remove", text))
}

fn row(visit: &Visit, seen: &WaitlistEntry, after: i64) -> Row {
    let WaitlistEntry { entry, listing, standing, ahead, offer, ended } = seen;
    let customer = &entry.customer;
    let held = offer.as_ref().filter(|booking| booking.state == State::Held);
    let booking = offer.as_ref().map(|booking| {
        (format!("/admin/bookings/{}", booking.id), visit.engine().secret().reference(booking.no))
    });
    Row {
        name: customer.name.clone(),
        contact: customer.email.clone().or_else(|| customer.phone.clone()).unwrap_or_default(),
        what: lines::wanted_brief(listing, &entry.want),
        kept: entry.kept.iter().map(|(_, units)| units).sum(),
        badge: words::standing(*standing),
        due: held.and_then(|booking| booking.deadline).map(|due| Countdown::new(due, visit.now)),
        booking,
        why: ended.map(why),
        since: Instant::new(entry.created_at, listing.zone()),
        ahead: (*standing == Standing::Waiting).then_some(*ahead),
        skipped: entry.skipped,
        remove: standing.is_live().then(|| remove::address_of(seen, after)),
    }
}

/// Why waiting came to its end, for operators.
const fn why(ended: Ended) -> &'static str {
    match ended {
        Ended::Until => "wanted to wait no longer",
        Ended::SaleOver => "the sale is over",
        Ended::ListingClosed => "the listing was closed",
        Ended::ListingCancelled => "the listing was called off",
        Ended::CustomerLimit => "had as much as one may have",
        Ended::OfferCancelled => "the offer was cancelled",
    }
}
