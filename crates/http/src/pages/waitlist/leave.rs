//! `GET` and `POST /waitlist/{id}/leave`: waiting no more, after one more question.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::command::{Action, Actor};
use lastseat_core::refusal::Code;

use super::{Own, open};
use crate::pages::form::Form;
use crate::pages::lines::{Item, wanted};
use crate::pages::shell::Shell;
use crate::pages::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "waitlist_leave.html")]
struct View<'a> {
    shell: Shell,
    own: &'a Own,
    items: Vec<Item>,
}

/// `GET /waitlist/{id}/leave`
pub(crate) async fn ask(visit: Visit, Path(id): Path<String>) -> Page {
    let own = open(&visit, &id, &visit.query).await?;
    if !own.waits() {
        return Ok(visit.redirect(&own.address()));
    }
    let view = View {
        shell: visit.shell("Leave the waitlist?"),
        items: wanted(&own.seen.listing, &own.seen.entry.want),
        own: &own,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// `POST /waitlist/{id}/leave`
pub(crate) async fn leave(visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    // What was offered meanwhile is not declined by somebody who does not know of it.
    if own.waits() {
        match visit.submit(Actor::Owner, &form, None, Action::LeaveWaitlist { id: own.id() }).await {
            Ok(_) => {}
            Err(refusal) if refusal.code == Code::WrongState => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(visit.redirect(&own.address()))
}
