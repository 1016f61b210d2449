//! `GET /waitlist/{id}`

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::listing::{Listing, Status};
use lastseat_core::waitlist::{Ended, Entry, MAX_SKIPS, Standing, Want, ends_at};

use super::ask::{ANY, WAIT};
use super::{Own, open};
use crate::pages::dates::{self, Instant};
use crate::pages::lines::{Item, wanted};
use crate::pages::shell::Shell;
use crate::pages::visit::{Page, Visit};
use crate::pages::words::{self, Tone};
use crate::pages::{choice, listing};

#[derive(Template)]
#[template(path = "waitlist.html")]
struct View<'a> {
    shell: Shell,
    own: &'a Own,
    heading: &'static str,
    tone: Tone,
    says: Vec<String>,
    /// Of who waits: how many are ahead, which place that is, and how many are ahead in words.
    ahead: Option<(i64, String, String)>,
    items: Vec<Item>,
    when: Option<String>,
    zone: String,
    since: Instant,
    until: String,
    skipped: Option<String>,
    kept: Option<String>,
    live: Option<String>,
    booking: Option<String>,
    rejoin: Option<Vec<(&'static str, String)>>,
    back: (String, &'static str),
}

/// `GET /waitlist/{id}`. Who was offered something is led to it.
pub(crate) async fn show(mut visit: Visit, Path(id): Path<String>) -> Page {
    let own = open(&visit, &id, &visit.query).await?;
    visit.set_cookie(visit.places.with(own.id(), &own.token));
    let booking = own.offer(&visit);
    if let Some(booking) = booking.as_ref().filter(|_| own.seen.standing == Standing::Offered) {
        return Ok(visit.redirect(booking));
    }
    let seen = &own.seen;
    let (entry, listing, waits) = (&seen.entry, &seen.listing, own.waits());
    let (heading, tone) = heading(&own);
    let until = match ends_at(entry, listing) {
        Some(at) => dates::deadline(at, listing.zone()),
        None => "the sale is over".to_owned(),
    };
    let view = View {
        shell: visit.shell(format!("{heading}: {}", listing.doc.title)).script("waitlist.js"),
        heading,
        tone,
        says: says(&own),
        ahead: waits.then(|| (seen.ahead, words::ordinal(seen.ahead + 1), words::ahead(seen.ahead))),
        items: wanted(listing, &entry.want),
        when: listing::when(listing),
        zone: dates::zone_name(&listing.doc.timezone, listing.zone(), visit.now),
        since: Instant::new(entry.created_at, listing.zone()),
        until,
        skipped: waits.then(|| skipped(listing, entry)).flatten(),
        kept: waits.then(|| kept(entry, listing)).flatten(),
        live: waits.then(|| format!("/v1/waitlist/{}/live?token={}", own.id(), own.token)),
        booking: booking.filter(|_| matches!(seen.standing, Standing::Taken | Standing::Lapsed)),
        rejoin: can_rejoin(&own, &visit).then(|| rejoin(listing, entry)),
        back: match listing.doc.status {
            Status::Published => (format!("/listings/{}", listing.id), "Look at the listing"),
            _ => ("/".to_owned(), "See what else can be booked"),
        },
        own: &own,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

fn heading(own: &Own) -> (&'static str, Tone) {
    match own.seen.standing {
        Standing::Waiting if own.seen.ahead == 0 => ("You are next", "info"),
        Standing::Waiting => ("You are in line", "info"),
        Standing::Offered => ("It is your turn", "warn"),
        Standing::Taken => ("You have got it", "good"),
        Standing::Lapsed => ("Your turn has passed", "bad"),
        Standing::Left => ("You wait no more", ""),
        Standing::Closed => ("Waiting has come to its end", "bad"),
    }
}

/// What that means, and what happens next.
fn says(own: &Own) -> Vec<String> {
    let seen = &own.seen;
    let policy = seen.listing.policy();
    match seen.standing {
        Standing::Waiting => {
            let hold = dates::duration(policy.hold_seconds);
            let pay = if policy.payment.is_empty() { "" } else { " You pay only if you take it." };
            vec![format!(
                "When it is your turn it is held for you for {hold}, and this page becomes your booking. Keep it open, or \
                 look in again.{pay}"
            )]
        }
        Standing::Offered => vec!["It is held for you.".to_owned()],
        Standing::Taken => {
            vec!["It was your turn, and you took it. Your booking has all the rest.".to_owned()]
        }
        Standing::Lapsed => vec![
            "It was held for you, but not taken up in time. So it went to the next in line.".to_owned(),
            "If you join again, you stand at the end.".to_owned(),
        ],
        Standing::Left => {
            vec!["Your place went to those behind you. If you join again, you stand at the end.".to_owned()]
        }
        Standing::Closed => {
            let why = seen.ended.map(|why| words::ended(why).to_owned());
            why.into_iter().chain(["Nobody was charged for waiting.".to_owned()]).collect()
        }
    }
}

/// How often others were served first, and why.
fn skipped(listing: &Listing, entry: &Entry) -> Option<String> {
    if entry.skipped == 0 {
        return None;
    }
    let times = match entry.skipped {
        1 => "Once".to_owned(),
        2 => "Twice".to_owned(),
        many => format!("{many} times"),
    };
    let needed = entry.want.units(listing);
    let next = if entry.skipped >= MAX_SKIPS {
        "From now on what comes free is kept for you until it is enough.".to_owned()
    } else {
        format!("After {MAX_SKIPS} times, what comes free is kept for you until it is enough.")
    };
    Some(format!(
        "{times} less came free than the {needed} you need, and went to somebody who needs less. {next}"
    ))
}

/// What is kept for it already.
fn kept(entry: &Entry, listing: &Listing) -> Option<String> {
    let units: i64 = entry.kept.iter().map(|(_, units)| units).sum();
    (units > 0).then(|| format!("{units} of {} so far", entry.want.units(listing)))
}

/// Whether joining once more can lead anywhere.
fn can_rejoin(own: &Own, visit: &Visit) -> bool {
    let seen = &own.seen;
    let listing = &seen.listing;
    let ended = match seen.standing {
        Standing::Lapsed | Standing::Left => true,
        Standing::Closed => matches!(seen.ended, Some(Ended::Until)),
        Standing::Waiting | Standing::Offered | Standing::Taken => false,
    };
    let sold =
        ends_at(&Entry { until: None, ..seen.entry.clone() }, listing).is_none_or(|end| visit.now < end);
    ended && sold && listing.doc.status == Status::Published && listing.policy().waitlist
}

/// The fields of the form that joins once more, at the end, for the same.
fn rejoin(listing: &Listing, entry: &Entry) -> Vec<(&'static str, String)> {
    let customer = &entry.customer;
    let mut fields = vec![("name", customer.name.clone())];
    fields.extend(customer.email.clone().map(|email| ("email", email)));
    fields.extend(customer.phone.clone().map(|phone| ("phone", phone)));
    match &entry.want {
        Want::Any(quantity) => fields.extend([(WAIT, ANY.to_owned()), ("quantity", quantity.to_string())]),
        Want::Lines(lines) => fields.extend(choice::fields_of(listing, lines)),
    }
    fields
}
