//! `GET` and `POST /admin/listings/{id}/status`: publishing, closing, calling off, after one more question.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::booking::State;
use lastseat_core::command::Action;
use lastseat_core::listing::{Listing, Status};

use super::listing::find;
use super::session::AdminDesk;
use crate::pages::error::PageError;
use crate::pages::form::Form;
use crate::pages::shell::Shell;
use crate::pages::visit::Page;
use crate::pages::{money, words};

#[derive(Template)]
#[template(path = "admin/status.html")]
struct View<'a> {
    shell: Shell,
    listing: &'a Listing,
    to: &'static str,
    question: &'static str,
    button: &'static str,
    danger: bool,
    says: Vec<String>,
}

/// `GET /admin/listings/{id}/status?to=`
pub(crate) async fn ask(AdminDesk(desk): AdminDesk, Path(id): Path<String>) -> Page {
    let visit = &desk.visit;
    let listing = find(visit, &id).await?;
    let to = words::parse_status(visit.query.get("to")).ok_or_else(|| PageError::not_found("status"))?;
    let mut says = Vec::new();
    let (question, button) = match to {
        Status::Draft => ("Take it off the public site?", "Make it a draft"),
        Status::Published => {
            says.push("Everybody sees it, and it can be booked within its sale window.".to_owned());
            ("Publish it?", "Publish")
        }
        Status::Closed => {
            says.push(
                "It can still be seen, but not booked any more. Bookings stand, and you can open it again."
                    .to_owned(),
            );
            ("Close it?", "Close")
        }
        Status::Cancelled => {
            let numbers = visit.engine().numbers(listing.no).await?;
            let live = numbers
                .by_state
                .iter()
                .filter(|(state, ..)| matches!(state, State::Held | State::InReview | State::Confirmed));
            let (count, paid) = live.fold((0, 0), |(count, paid), (_, more, sums)| {
                (count + more, paid + sums.paid - sums.refunded)
            });
            says.push("This cannot be undone: a listing that was called off stays so.".to_owned());
            says.push(match count {
                0 => "Nobody has a live booking for it.".to_owned(),
                1 => "One live booking is cancelled with it.".to_owned(),
                count => format!("{count} live bookings are cancelled with it."),
            });
            if paid > 0 {
                says.push(format!("{} has to go back.", money::amount(paid, &listing.doc.currency)));
            }
            ("Call it off?", "Call it off")
        }
    };
    let view = View {
        shell: visit.admin_shell(question).current("overview"),
        to: to.as_str(),
        question,
        button,
        danger: to == Status::Cancelled,
        says,
        listing: &listing,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// `POST /admin/listings/{id}/status`
pub(crate) async fn set(AdminDesk(desk): AdminDesk, Path(id): Path<String>, form: Form) -> Page {
    let visit = &desk.visit;
    visit.check_seal(&form)?;
    let listing = find(visit, &id).await?;
    let patch = serde_json::json!({ "status": form.get("to") });
    let seen = form.get("version").parse().ok();
    let action = Action::PatchListing { id: listing.id, patch: Box::new(patch) };
    let path = format!("/admin/listings/{}", listing.id);
    visit
        .submit(desk.operator.actor(), &form, seen, action)
        .await
        .map_err(|refusal| PageError::from(refusal).link(path.clone(), "Back to the listing"))?;
    Ok(visit.redirect(&format!("{path}?did=status")))
}
