//! `GET /listings/{id}`: one listing with what is left of it, live, and the form that books.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;

use http::StatusCode;
use lastseat_core::command::WaitFor;
use lastseat_core::id::ListingId;
use lastseat_core::listing::{Kind, Listing, PaymentMethod, Status};
use lastseat_engine::{Availability, PoolAvailability};

use super::choice::{Choice, Ground};
use super::error::PageError;
use super::field::Field;
use super::form::Form;
use super::shell::Shell;
use super::stock::{Sale, Stock};
use super::trouble::Trouble;
use super::visit::{Page, Visit};
use super::waitlist::address_of;
use super::waitlist::ask::{Ask, Meaning, WAIT, until_field};
use super::{dates, words};

/// Most pools whose changes are streamed to a page. The first message of a stream carries all of them; pages of larger
/// listings look again from time to time instead.
const MAX_LIVE_POOLS: usize = 3_000;

/// What is looked at on the page, and what has come of it.
pub(crate) struct Look<'a> {
    /// What was chosen and typed so far.
    pub typed: &'a Form,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
    /// What is sold out of that, and can be waited for in one tap.
    pub again: Option<WaitFor>,
}

impl<'a> Look<'a> {
    /// At what was sent and refused.
    pub(crate) const fn refused(typed: &'a Form, trouble: Trouble) -> Self {
        Self { typed, trouble: Some(trouble), again: None }
    }
}

/// What the form that books can do.
enum Act {
    /// Book, under this name.
    Book(&'static str),
    /// Wait for the stay that was chosen.
    Wait(Meaning),
    /// Nothing yet.
    Nothing(&'static str),
}

#[derive(Template)]
#[template(path = "listing.html")]
struct View<'a> {
    shell: Shell,
    listing: &'a Listing,
    path: String,
    kind: &'static str,
    when: Option<String>,
    zone: String,
    sale: Sale,
    stock: Option<Stock>,
    sold_out: Option<Stock>,
    /// The place in line that this browser remembers.
    mine: Option<String>,
    ask: Option<Ask>,
    /// Until when one would wait.
    until: Field,
    act: Act,
    books: bool,
    shows_choice: bool,
    choice: Choice,
    terms: Vec<String>,
    fields: Vec<Field>,
    trouble: Option<Trouble>,
    live: Option<String>,
}

/// `GET /listings/{id}`
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Page {
    let (listing, availability) = find(&visit, &id).await?;
    let look = Look { typed: &visit.query, trouble: None, again: None };
    render(&visit, &listing, &availability, look).await
}

/// A listing that this visitor may see, with what is left of it.
///
/// # Errors
/// `404` as a page; `503` if the store fails.
pub(crate) async fn find(visit: &Visit, id: &str) -> Result<(Arc<Listing>, Arc<Availability>), PageError> {
    let listing = match id.parse::<ListingId>() {
        Ok(id) => visit.engine().find_listing(id).await,
        Err(_) => None,
    };
    let visible = |listing: &Arc<Listing>| listing.doc.status != Status::Draft || visit.operator.is_some();
    let listing = listing.filter(visible).ok_or_else(|| PageError::not_found("listing"))?;
    let availability = visit.engine().availability(&listing).await?;
    Ok((listing, availability))
}

/// The page, with what was chosen and typed so far, and what was wrong with it.
///
/// # Errors
/// When a template or the store fails.
pub(crate) async fn render(
    visit: &Visit,
    listing: &Listing,
    availability: &Availability,
    look: Look<'_>,
) -> Page {
    let Look { typed, trouble, again } = look;
    let path = format!("/listings/{}", listing.id);
    let sale = Sale::of(listing, availability, visit.now);
    let waits = sale.is_open() && listing.policy().waitlist;
    let ground = Ground { listing, availability, now: visit.now, typed, base: &path, waits };
    let choice = Choice::new(&ground).map_err(|error| broken(&error))?;
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let start = listing.doc.sale_opens_at.unwrap_or(visit.now);
    let counted = matches!(listing.kind(), Kind::Places | Kind::Seats) && availability.pools.len() > 1;
    let none_left = availability.pools.iter().all(|pool| pool.available <= 0);
    let dated = listing.kind().is_dated();
    let nothing = sale.is_open() && none_left;
    let ask = match again {
        Some(wait) => Some(Ask::again(visit, listing, typed, &wait, none_left && !dated).await?),
        None if waits => ask(&ground, visit, trouble.as_ref()).await?,
        None => None,
    };
    let alone = ask.as_ref().is_some_and(|ask| ask.alone);
    let view = View {
        sold_out: (nothing && if waits { alone } else { trouble.is_none() })
            .then(|| Stock::total(&availability.pools, visit.now)),
        books: sale.is_open() && !alone && !(nothing && !waits && trouble.is_none()),
        act: match &choice.waits {
            Some(_) if ask.is_some() => Act::Nothing(""),
            Some(wait) => Act::Wait(Meaning::of(visit, listing, wait).await?),
            None if none_left && waits && dated => Act::Nothing(match listing.kind() {
                Kind::Nights => "Every night is taken. Choose your stay, and wait for it.",
                _ => "Every time is taken. Choose the one that you would wait for.",
            }),
            None if listing.policy().payment.is_empty() => Act::Book("Book"),
            None => Act::Book("Hold it for me"),
        },
        ask,
        until: until_field(listing, typed, trouble.as_ref(), visit.now),
        mine: if waits { mine(visit, listing).await? } else { None },
        shows_choice: sale.is_open()
            || (matches!(listing.kind(), Kind::Places | Kind::Seats)
                && listing.doc.status != Status::Cancelled),
        shell: visit.shell(listing.doc.title.clone()).script("listing.js"),
        kind: words::kind(listing.kind()),
        when: when(listing),
        zone: dates::zone_name(&listing.doc.timezone, listing.zone(), starts_at(listing).unwrap_or(start)),
        sale,
        stock: counted.then(|| Stock::total(&availability.pools, visit.now)),
        choice,
        terms: if listing.doc.status == Status::Cancelled { Vec::new() } else { terms(listing) },
        fields: contact(listing, typed, trouble.as_ref())
            .into_iter()
            .chain([note(typed, trouble.as_ref())])
            .collect(),
        trouble,
        live: live(listing, availability),
        listing,
        path,
    };
    Ok(visit.show(status.unwrap_or(StatusCode::OK), &view))
}

/// The place in line in this listing that this browser remembers, if it may still lead to something.
async fn mine(visit: &Visit, listing: &Listing) -> Result<Option<String>, PageError> {
    for (id, token) in visit.places.iter() {
        let seen = visit.engine().waitlist_entry(id).await?;
        if seen.is_some_and(|seen| seen.entry.listing == listing.no && seen.standing.is_live()) {
            return Ok(Some(address_of(id, token)));
        }
    }
    Ok(None)
}

/// The form that waits in the place of the one that books: for anything if nothing is left, or for the pool that was
/// named in the address.
async fn ask(
    ground: &Ground<'_>,
    visit: &Visit,
    trouble: Option<&Trouble>,
) -> Result<Option<Ask>, PageError> {
    let Ground { listing, availability, typed, .. } = *ground;
    let contact = || contact(listing, typed, trouble);
    let dated = listing.kind().is_dated();
    if !dated && availability.pools.iter().all(|pool| pool.available <= 0) {
        return Ok(Some(Ask::all(listing, availability, typed, trouble, contact())));
    }
    let named = availability.pools.iter().find(|pool| pool.key == typed.get(WAIT));
    let gone = |pool: &&PoolAvailability| pool.available <= 0 && listing.on_sale(pool.no, ground.now);
    match named.filter(gone) {
        Some(pool) => Ok(Some(Ask::one(visit, listing, pool, typed, trouble, contact()).await?)),
        None => Ok(None),
    }
}

/// The address of the stream of what is left; none for listings that are too large for it.
#[must_use]
pub(crate) fn live(listing: &Listing, availability: &Availability) -> Option<String> {
    let streamed = availability.pools.len() <= MAX_LIVE_POOLS;
    streamed.then(|| format!("/v1/listings/{}/live", listing.id))
}

/// A page that cannot be rendered is our mistake.
pub(crate) fn broken(error: &askama::Error) -> PageError {
    tracing::error!(%error, "a part of a page could not be rendered");
    PageError::of_status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn starts_at(listing: &Listing) -> Option<lastseat_core::time::Time> {
    use lastseat_core::listing::Shape;
    match &listing.doc.shape {
        Shape::Places { starts_at, .. } | Shape::Seats { starts_at, .. } => *starts_at,
        _ => None,
    }
}

/// When it is, for listings that have one time.
#[must_use]
pub(crate) fn when(listing: &Listing) -> Option<String> {
    use lastseat_core::listing::Shape;
    match &listing.doc.shape {
        Shape::Places { starts_at, ends_at } | Shape::Seats { starts_at, ends_at, .. } => {
            let start = (*starts_at)?;
            Some(match ends_at {
                Some(end) => dates::span(start, *end, listing.zone()),
                None => dates::moment(start, listing.zone()),
            })
        }
        Shape::Nights { .. } | Shape::Slots { .. } => None,
    }
}

/// What a customer should know before booking.
fn terms(listing: &Listing) -> Vec<String> {
    let policy = listing.policy();
    let mut terms = Vec::new();
    let hold = dates::duration(policy.hold_seconds);
    if policy.payment.contains(&PaymentMethod::Receipt) {
        terms.push(format!(
            "It is held for you for {hold}: pay in that time and upload the receipt. It is checked by hand."
        ));
    } else if !policy.payment.is_empty() {
        terms.push(format!("It is held for you for {hold}, until the payment has come in."));
    } else {
        terms.push("Nothing is paid here: it is confirmed at once.".to_owned());
    }
    terms.push(match policy.cancel_until_seconds {
        0 => "You can cancel until it begins.".to_owned(),
        seconds => format!("You can cancel until {} before it begins.", dates::duration(seconds)),
    });
    if let Some(most) = policy.max_per_customer {
        terms.push(format!("One customer may have at most {most}."));
    }
    terms
}

fn contact(listing: &Listing, typed: &Form, trouble: Option<&Trouble>) -> Vec<Field> {
    let errors = trouble.map_or(&[][..], |trouble| &trouble.fields);
    let field = |name: &'static str, label: &'static str, path: &str| {
        Field::new(name, label, typed.get(name)).errors(errors, path)
    };
    let known = listing.policy().limits_customers();
    let or = |other: &'static str| if known { other } else { "" };
    vec![
        field("name", "Name", "customer.name").autocomplete("name").required().full(),
        field("email", "E-mail", "customer.email")
            .kind("email")
            .autocomplete("email")
            .optional(or("or telephone")),
        field("phone", "Telephone", "customer.phone")
            .kind("tel")
            .autocomplete("tel")
            .optional(or("or e-mail")),
    ]
}

fn note(typed: &Form, trouble: Option<&Trouble>) -> Field {
    let errors = trouble.map_or(&[][..], |trouble| &trouble.fields);
    Field::new("note", "A note for the organiser", typed.get("note"))
        .errors(errors, "note")
        .kind("textarea")
        .full()
}
