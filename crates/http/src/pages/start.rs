//! `GET /`: what can be booked, with a search that is a plain form.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use lastseat_core::listing::{Kind, Listing, Shape, Status};
use lastseat_core::time::Time;

use super::form::{Form, address};
use super::shell::Shell;
use super::stock::Summary;
use super::visit::{Page, Visit};
use super::{booking, dates, flash, money, waitlist, wallet, words};
use crate::params::Params;
use crate::routes::listings::list::Wanted;
use crate::state::AppState;

/// Cards on a page.
const CARDS: usize = 24;
/// Bookings of this browser that are shown.
const MINE: usize = 4;

struct Card {
    href: String,
    title: String,
    kind: Kind,
    what: String,
    place: String,
    when: String,
    zone: String,
    day: Option<(String, String, String)>,
    price: Option<String>,
    left: String,
    tone: &'static str,
}

struct Mine {
    href: String,
    /// The reference of a booking; none of a place in line.
    reference: Option<String>,
    title: String,
    badge: words::Badge,
}

#[derive(Template)]
#[template(path = "start.html")]
struct View {
    shell: Shell,
    cards: Vec<Card>,
    found: usize,
    filtered: bool,
    q: String,
    kind: String,
    kinds: Vec<(&'static str, &'static str)>,
    city: String,
    cities: BTreeSet<String>,
    from: String,
    mine: Vec<Mine>,
    earlier: Option<String>,
    later: Option<String>,
}

/// `GET /`
pub(crate) async fn show(visit: Visit) -> Page {
    let all: Vec<Arc<Listing>> =
        visit.engine().listings().into_iter().filter(|listing| is_current(listing, visit.now)).collect();
    let query = &visit.query;
    // The same search as the API has. What cannot be read in an address looks for nothing.
    let wanted = Wanted::read(&mut Params::new(visit.raw_query.as_deref()));
    let mut found: Vec<&Arc<Listing>> = all.iter().filter(|listing| wanted.fits(listing)).collect();
    found.sort_by_key(|listing| (starts_at(listing).is_none(), starts_at(listing), listing.no));
    let page: usize = query.get("page").parse().unwrap_or(0);
    let begin = page.saturating_mul(CARDS).min(found.len());
    let mut cards = Vec::new();
    for listing in found.iter().skip(begin).take(CARDS) {
        let availability = visit.engine().availability(listing).await?;
        cards.push(card(listing, &Summary::of(listing, &availability, visit.now), visit.now));
    }
    let more = begin + cards.len() < found.len();
    let kinds = [Kind::Places, Kind::Nights, Kind::Seats, Kind::Slots];
    let names = ["q", "kind", "city", "from"];
    let view = View {
        shell: visit.shell("What can be booked").current("start").flash(flash::of(query)),
        filtered: names.iter().any(|name| !query.get(name).is_empty()),
        found: found.len(),
        cards,
        q: query.get("q").to_owned(),
        kind: query.get("kind").to_owned(),
        kinds: kinds.map(|kind| (kind.as_str(), words::kind(kind))).to_vec(),
        city: query.get("city").to_owned(),
        cities: all.iter().filter_map(|listing| listing.doc.city.clone()).collect(),
        from: query.get("from").to_owned(),
        mine: mine(&visit).await?,
        earlier: (page > 0).then(|| at_page(query, page - 1)),
        later: more.then(|| at_page(query, page + 1)),
    };
    Ok(visit.show(StatusCode::OK, &view))
}

/// `POST /forget`: this browser forgets its bookings.
pub(crate) async fn forget(mut visit: Visit, State(_): State<AppState>, form: Form) -> Page {
    visit.check_seal(&form)?;
    for cookie in wallet::forget() {
        visit.set_cookie(cookie);
    }
    Ok(visit.redirect("/?did=forgotten"))
}

fn at_page(query: &Form, page: usize) -> String {
    let page = page.to_string();
    let others = query.fields().filter(|(name, _)| *name != "page");
    address("/", others.chain([("page", page.as_str())]))
}

/// Whether a listing is public and not over.
fn is_current(listing: &Listing, now: Time) -> bool {
    if listing.doc.status != Status::Published {
        return false;
    }
    match &listing.doc.shape {
        Shape::Places { starts_at, .. } | Shape::Seats { starts_at, .. } => {
            starts_at.is_none_or(|start| now < start)
        }
        Shape::Nights { calendar, .. } | Shape::Slots { calendar, .. } => {
            dates::date_of(now, listing.zone()) < calendar.until
        }
    }
}

fn starts_at(listing: &Listing) -> Option<Time> {
    match &listing.doc.shape {
        Shape::Places { starts_at, .. } | Shape::Seats { starts_at, .. } => *starts_at,
        Shape::Nights { .. } | Shape::Slots { .. } => None,
    }
}

fn card(listing: &Listing, summary: &Summary, now: Time) -> Card {
    let doc = &listing.doc;
    let start = starts_at(listing);
    let date = start.map(|start| dates::date_of(start, listing.zone()));
    let unit = match listing.kind() {
        Kind::Nights => " a night",
        Kind::Places | Kind::Seats | Kind::Slots => "",
    };
    let from = if summary.varies { "from " } else { "" };
    let place = [doc.venue.as_deref(), doc.city.as_deref()];
    let join =
        |parts: [Option<&str>; 2], glue: &str| parts.into_iter().flatten().collect::<Vec<_>>().join(glue);
    Card {
        href: format!("/listings/{}", listing.id),
        title: doc.title.clone(),
        kind: listing.kind(),
        what: doc.category.clone().unwrap_or_else(|| words::kind(listing.kind()).to_owned()),
        place: join(place, ", "),
        when: start.map(|start| dates::clock(start, listing.zone())).unwrap_or_default(),
        zone: dates::zone_name(&doc.timezone, listing.zone(), start.unwrap_or(now)),
        day: date.map(|date| {
            let part = |format: &str| date.strftime(format).to_string();
            (part("%a"), part("%-d"), part("%b %Y"))
        }),
        price: summary.from.map(|price| match price {
            0 if !summary.varies => "free".to_owned(),
            price => format!("{from}{}{unit}", money::price(price, &doc.currency)),
        }),
        left: summary.text.clone(),
        tone: match summary.tone {
            "many" => "good",
            "few" => "warn",
            tone => tone,
        },
    }
}

async fn mine(visit: &Visit) -> Result<Vec<Mine>, super::error::PageError> {
    let mut mine = Vec::new();
    for (id, token) in visit.places.iter().take(MINE) {
        let Some(seen) = visit.engine().waitlist_entry(id).await? else { continue };
        // Of what was offered the booking stands here as soon as it was opened.
        if seen.standing.is_live() {
            mine.push(Mine {
                href: waitlist::address_of(id, token),
                reference: None,
                title: seen.listing.doc.title.clone(),
                badge: words::standing(seen.standing),
            });
        }
    }
    for (id, token) in visit.wallet.iter().take(MINE) {
        let Some(found) = visit.engine().booking(id).await? else { continue };
        let Some(listing) = visit.engine().listing_at(found.listing) else { continue };
        mine.push(Mine {
            href: booking::address_of(id, token),
            reference: Some(visit.engine().secret().reference(found.no)),
            title: listing.doc.title.clone(),
            badge: words::state(found.state),
        });
    }
    Ok(mine)
}
