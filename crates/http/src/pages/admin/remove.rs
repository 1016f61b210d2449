//! `GET` and `POST /admin/waitlist/{id}/remove`: taking somebody off a waitlist, after one more question.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::command::Action;
use lastseat_core::id::WaitlistId;
use lastseat_core::refusal::{Code, RefusalData};
use lastseat_core::waitlist::Standing;
use lastseat_engine::WaitlistEntry;

use super::session::Desk;
use super::waitlist::after;
use crate::pages::dates::{Countdown, Instant};
use crate::pages::error::PageError;
use crate::pages::form::{Form, address};
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};
use crate::pages::words::{self, Badge};
use crate::pages::{lines, money};

/// What is held for somebody whose turn it is.
struct Offer {
    href: String,
    reference: String,
    due: Option<Countdown>,
    /// What was paid of it already.
    paid: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/waitlist_remove.html")]
struct View<'a> {
    shell: Shell,
    seen: &'a WaitlistEntry,
    badge: Badge,
    what: String,
    since: Instant,
    offer: Option<Offer>,
    /// After which number the page of the list begins to which this leads back.
    after: i64,
    back: String,
    trouble: Option<Trouble>,
}

/// The address of the question, from a page of the list that begins after this number.
pub(super) fn address_of(seen: &WaitlistEntry, after: i64) -> String {
    let path = format!("/admin/waitlist/{}/remove", seen.entry.id);
    address(&path, [("after", from(after).as_str())])
}

/// The page of the list that one came from, with a word about what has happened.
fn list(seen: &WaitlistEntry, after: i64, word: Option<(&str, &str)>) -> String {
    let path = format!("/admin/listings/{}/waitlist", seen.listing.id);
    address(&path, [("after", from(after).as_str())].into_iter().chain(word))
}

/// None for the first page.
fn from(after: i64) -> String {
    if after > 0 { after.to_string() } else { String::new() }
}

async fn find(visit: &Visit, id: &str) -> Result<WaitlistEntry, PageError> {
    let found = match id.parse::<WaitlistId>() {
        Ok(id) => visit.engine().waitlist_entry(id).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| PageError::not_found("place in line").link("/admin", "All listings"))
}

/// `GET /admin/waitlist/{id}/remove`
pub(crate) async fn ask(Desk { visit, .. }: Desk, Path(id): Path<String>) -> Page {
    let seen = find(&visit, &id).await?;
    let after = after(visit.query.get("after"));
    if !seen.standing.is_live() {
        return Ok(visit.redirect(&list(&seen, after, Some(("trouble", seen.standing.as_str())))));
    }
    Ok(question(&visit, &seen, after, None))
}

/// `POST /admin/waitlist/{id}/remove`
pub(crate) async fn remove(Desk { visit, operator }: Desk, Path(id): Path<String>, form: Form) -> Page {
    visit.check_seal(&form)?;
    let seen = find(&visit, &id).await?;
    let after = after(form.get("after"));
    let knows = form.get("standing") == Standing::Offered.as_str();
    if seen.standing == Standing::Offered && !knows {
        let trouble = Trouble::new(
            409,
            "It is their turn now",
            "Something came free before your decision arrived, and is held for them. Nobody was removed: look again.",
        );
        return Ok(question(&visit, &seen, after, Some(trouble)));
    }
    let action = Action::LeaveWaitlist { id: seen.entry.id };
    match visit.submit(operator.actor(), &form, None, action).await {
        Ok(_) => {
            let did = if knows { "removed-offer" } else { "removed" };
            Ok(visit.redirect(&list(&seen, after, Some(("did", did)))))
        }
        Err(refusal) => match (refusal.code, &refusal.data) {
            (Code::WrongState, RefusalData::Standing(standing)) => {
                Ok(visit.redirect(&list(&seen, after, Some(("trouble", standing.as_str())))))
            }
            _ => Err(PageError::from(refusal).link(list(&seen, after, None), "Back to the waitlist")),
        },
    }
}

fn question(
    visit: &Visit,
    seen: &WaitlistEntry,
    after: i64,
    trouble: Option<Trouble>,
) -> axum::response::Response {
    let WaitlistEntry { entry, listing, standing, offer, .. } = seen;
    let offer = offer.as_ref().filter(|_| *standing == Standing::Offered).map(|booking| {
        let paid = booking.paid - booking.refunded;
        Offer {
            href: format!("/admin/bookings/{}", booking.id),
            reference: visit.engine().secret().reference(booking.no),
            due: booking.deadline.map(|due| Countdown::new(due, visit.now)),
            paid: (paid > 0).then(|| money::amount(paid, &listing.doc.currency)),
        }
    });
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let view = View {
        shell: visit.admin_shell("Remove from the waitlist?").current("overview").script("admin.js"),
        badge: words::standing(*standing),
        what: lines::wanted_brief(listing, &entry.want),
        since: Instant::new(entry.created_at, listing.zone()),
        offer,
        after,
        back: list(seen, after, None),
        trouble,
        seen,
    };
    visit.show_private(status.unwrap_or(StatusCode::OK), &view)
}
