//! `GET /admin/review`: the receipts that wait, one at a time, with approve and reject beside them.

use askama::Template;
use http::StatusCode;

use super::case::Case;
use super::session::Desk;
use super::waiting;
use crate::pages::dates::Countdown;
use crate::pages::form::address;
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::Page;
use crate::pages::{flash, money};

/// Bookings that are listed beside the one that is looked at.
const LISTED: usize = 30;

struct Entry {
    href: String,
    name: String,
    title: String,
    amount: String,
    due: Option<Countdown>,
    current: bool,
}

#[derive(Template)]
#[template(path = "admin/review.html")]
struct View {
    shell: Shell,
    count: String,
    position: usize,
    case: Option<Case>,
    entries: Vec<Entry>,
    before: Option<String>,
    after: Option<String>,
    next: String,
    trouble: Option<Trouble>,
}

/// `GET /admin/review`
pub(crate) async fn show(Desk { visit, .. }: Desk) -> Page {
    let waiting = waiting::all(&visit).await?;
    let at = visit.query.get("at");
    let found = waiting.bookings.iter().position(|booking| booking.id.to_string() == at);
    let position = found.unwrap_or(0);
    let link = |position: usize| {
        let booking = waiting.bookings.get(position)?;
        Some(address("/admin/review", [("at", booking.id.to_string().as_str())]))
    };
    let listing_of = |position: usize| {
        let booking = waiting.bookings.get(position)?;
        Some((booking, visit.engine().listing_at(booking.listing)?))
    };
    let first = position.saturating_sub(LISTED / 2);
    let entries = (first..waiting.bookings.len().min(first + LISTED)).filter_map(|index| {
        let (booking, listing) = listing_of(index)?;
        Some(Entry {
            href: link(index)?,
            name: booking.customer.name.clone(),
            title: listing.doc.title.clone(),
            amount: money::amount(booking.total, &listing.doc.currency),
            due: booking.deadline.map(|due| Countdown::new(due, visit.now)),
            current: index == position,
        })
    });
    let view = View {
        shell: visit
            .admin_shell("Review")
            .current("review")
            .flash(flash::of(&visit.query))
            .script("admin.js"),
        count: waiting.count(),
        position: position + 1,
        entries: entries.collect(),
        case: listing_of(position).map(|(booking, listing)| Case::new(&visit, &listing, booking)),
        before: position.checked_sub(1).and_then(link),
        after: link(position + 1),
        // After a decision about this one the next takes its place.
        next: waiting.bookings.get(position + 1).map(|booking| booking.id.to_string()).unwrap_or_default(),
        trouble: trouble(visit.query.get("trouble")),
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// What is told after a decision that came too late.
fn trouble(word: &str) -> Option<Trouble> {
    let (title, text) = match word {
        "decided" => (
            "Somebody has decided already",
            "The booking changed before your decision arrived, so yours changed nothing. Here is what still waits.",
        ),
        "changed" => (
            "The booking has changed meanwhile",
            "Its customer may have sent another file. Nothing was decided: look again, and decide anew.",
        ),
        _ => return None,
    };
    Some(Trouble::new(409, title, text))
}
