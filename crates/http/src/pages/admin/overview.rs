//! `GET /admin`: what waits, and the listings with their numbers.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use lastseat_core::listing::{Listing, Status};
use lastseat_core::time::Time;

use super::figures::Figures;
use super::session::Desk;
use super::waiting::{self, Waiting};
use crate::pages::dates::Countdown;
use crate::pages::form::{Form, address};
use crate::pages::shell::Shell;
use crate::pages::visit::Page;
use crate::pages::words::{self, Badge};
use crate::pages::{flash, listing, money};

/// Listings on a page.
const ROWS: usize = 20;

struct Row {
    href: String,
    title: String,
    kind: &'static str,
    when: String,
    badge: Badge,
    sold: i64,
    held: i64,
    left: i64,
    capacity: i64,
    waiting: i64,
    revenue: String,
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct View {
    shell: Shell,
    waiting: Waiting,
    first_due: Option<Countdown>,
    rows: Vec<Row>,
    q: String,
    status: String,
    statuses: Vec<(&'static str, &'static str)>,
    filtered: bool,
    is_admin: bool,
    earlier: Option<String>,
    later: Option<String>,
}

/// `GET /admin`
pub(crate) async fn show(Desk { visit, operator }: Desk) -> Page {
    let query = &visit.query;
    let waiting = waiting::all(&visit).await?;
    let mut found: Vec<Arc<Listing>> =
        visit.engine().listings().into_iter().filter(|listing| fits(listing, query)).collect();
    found.reverse();
    let page: usize = query.get("page").parse().unwrap_or(0);
    let begin = page.saturating_mul(ROWS).min(found.len());
    let mut rows = Vec::new();
    for listing in found.iter().skip(begin).take(ROWS) {
        rows.push(row(&visit, listing).await?);
    }
    let more = begin + rows.len() < found.len();
    let at = |page: usize| {
        let page = page.to_string();
        let others = query.fields().filter(|(name, _)| !matches!(*name, "page" | "did"));
        address("/admin", others.chain([("page", page.as_str())]))
    };
    let all = [Status::Published, Status::Draft, Status::Closed, Status::Cancelled];
    let view = View {
        shell: visit.admin_shell("Overview").current("overview").flash(flash::of(query)),
        first_due: waiting.first_due().map(|due: Time| Countdown::new(due, visit.now)),
        waiting,
        filtered: !query.get("q").is_empty() || !query.get("status").is_empty(),
        q: query.get("q").to_owned(),
        status: query.get("status").to_owned(),
        statuses: all.map(|status| (status.as_str(), words::status(status).text)).to_vec(),
        is_admin: operator.shown().is_admin,
        earlier: (page > 0).then(|| at(page - 1)),
        later: more.then(|| at(page + 1)),
        rows,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

fn fits(listing: &Listing, query: &Form) -> bool {
    let doc = &listing.doc;
    let text = query.get("q").trim().to_lowercase();
    let texts = [Some(&doc.title), doc.city.as_ref(), doc.venue.as_ref(), doc.category.as_ref()];
    let says = texts.into_iter().flatten().any(|has| has.to_lowercase().contains(&text));
    let status = words::parse_status(query.get("status"));
    says && status.is_none_or(|status| status == doc.status)
}

async fn row(
    visit: &crate::pages::visit::Visit,
    listing: &Arc<Listing>,
) -> Result<Row, crate::pages::error::PageError> {
    let availability = visit.engine().availability(listing).await?;
    let figures = Figures::new(&availability, &visit.engine().numbers(listing.no).await?);
    Ok(Row {
        href: format!("/admin/listings/{}", listing.id),
        title: listing.doc.title.clone(),
        kind: words::kind(listing.kind()),
        when: listing::when(listing).or_else(|| super::calendar_words(listing)).unwrap_or_default(),
        badge: words::status(listing.doc.status),
        sold: figures.sold,
        held: figures.held,
        left: figures.left,
        capacity: figures.capacity,
        waiting: figures.in_review,
        revenue: money::amount(figures.kept, &listing.doc.currency),
    })
}
