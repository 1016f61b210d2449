//! `GET /admin/bookings`: all bookings, or those of a listing, by state and customer, the newest first.

use askama::Template;
use http::StatusCode;
use lastseat_core::booking::State;
use lastseat_core::id::ListingId;
use lastseat_engine::BookingQuery;

use super::session::Desk;
use crate::pages::dates::{Countdown, Instant};
use crate::pages::form::address;
use crate::pages::lines;
use crate::pages::shell::Shell;
use crate::pages::visit::Page;
use crate::pages::words::{self, Badge};
use crate::pages::{flash, money};

/// Bookings on a page.
const ROWS: u32 = 50;

struct Row {
    href: String,
    reference: String,
    name: String,
    contact: String,
    what: String,
    title: String,
    badge: Badge,
    total: String,
    made: Instant,
    due: Option<Countdown>,
}

#[derive(Template)]
#[template(path = "admin/bookings.html")]
struct View {
    shell: Shell,
    rows: Vec<Row>,
    q: String,
    state: String,
    states: Vec<(&'static str, &'static str)>,
    listing: String,
    listings: Vec<(String, String)>,
    title: Option<(String, String)>,
    filtered: bool,
    first: Option<String>,
    later: Option<String>,
}

/// `GET /admin/bookings`
pub(crate) async fn show(Desk { visit, .. }: Desk) -> Page {
    let (query, engine) = (&visit.query, visit.engine());
    let q = query.get("q").trim();
    // A reference leads straight to its booking.
    if let Some(no) = engine.secret().booking_no(q)
        && let Some(booking) = engine.booking_at(no).await?
    {
        return Ok(visit.redirect(&format!("/admin/bookings/{}", booking.id)));
    }
    let listing = query.get("listing").parse::<ListingId>().ok().and_then(|id| engine.listing(id));
    let wanted = BookingQuery {
        listing: listing.as_ref().map(|listing| listing.no),
        state: State::parse(query.get("state")),
        customer: Some(q.to_owned()).filter(|q| !q.is_empty()),
        created_by: None,
        before: engine.secret().booking_no(query.get("before")),
    };
    let mut found = engine.bookings(wanted, ROWS + 1).await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let last = found.last().map(|booking| engine.secret().reference(booking.no));
    let at = |before: &str| {
        let others = query.fields().filter(|(name, _)| !matches!(*name, "before" | "did"));
        address("/admin/bookings", others.chain([("before", before)]))
    };
    let rows = found.iter().filter_map(|booking| {
        let listing = engine.listing_at(booking.listing)?;
        let customer = &booking.customer;
        Some(Row {
            href: format!("/admin/bookings/{}", booking.id),
            reference: engine.secret().reference(booking.no),
            name: customer.name.clone(),
            contact: customer.email.clone().or_else(|| customer.phone.clone()).unwrap_or_default(),
            what: lines::brief(&listing, booking),
            title: listing.doc.title.clone(),
            badge: words::state(booking.state),
            total: money::amount(booking.total, &listing.doc.currency),
            made: Instant::new(booking.created_at, listing.zone()),
            due: booking.deadline.map(|due| Countdown::new(due, visit.now)),
        })
    });
    let mut listings: Vec<_> =
        engine.listings().iter().map(|listing| (listing.id.to_string(), listing.doc.title.clone())).collect();
    listings.reverse();
    let view = View {
        shell: visit.admin_shell("Bookings").current("bookings").flash(flash::of(query)),
        rows: rows.collect(),
        q: q.to_owned(),
        state: query.get("state").to_owned(),
        states: State::ALL.map(|state| (state.as_str(), words::state(state).text)).to_vec(),
        listing: listing.as_ref().map(|listing| listing.id.to_string()).unwrap_or_default(),
        listings,
        title: listing.map(|listing| (format!("/admin/listings/{}", listing.id), listing.doc.title.clone())),
        filtered: ["q", "state", "listing"].iter().any(|name| !query.get(name).is_empty()),
        first: (!query.get("before").is_empty()).then(|| at("")),
        later: last.filter(|_| more).map(|last| at(&last)),
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}
