//! `GET` and `POST /bookings/{id}/move`: other days, another time, other seats, all at once or not at all.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::command::BookingChange;

use super::show::can_move;
use super::{Own, open};
use crate::pages::choice::{self, Choice, Ground};
use crate::pages::form::Form;
use crate::pages::lines::{Item, items};
use crate::pages::listing::{broken, live};
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "booking_move.html")]
struct View<'a> {
    shell: Shell,
    own: &'a Own,
    items: Vec<Item>,
    choice: Choice,
    live: Option<String>,
    trouble: Option<Trouble>,
}

/// `GET /bookings/{id}/move`
pub(crate) async fn choose(visit: Visit, Path(id): Path<String>) -> Page {
    let own = open(&visit, &id, &visit.query).await?;
    if !can_move(&own, visit.now) {
        return Ok(visit.redirect(&own.address()));
    }
    render(&visit, &own, &visit.query, None).await
}

/// `POST /bookings/{id}/move`
pub(crate) async fn submit(visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    let wanted = match choice::wanted(&own.listing, &form) {
        Ok(wanted) => wanted,
        Err(errors) => {
            let title = "That could not be moved yet".to_owned();
            let trouble = Trouble { title, ..Trouble::fields(errors) };
            return render(&visit, &own, &form, Some(trouble)).await;
        }
    };
    match own.change(&visit, &form, BookingChange::Reschedule { claim: wanted.claim }).await {
        Ok(_) => Ok(visit.redirect(&own.did("moved"))),
        Err(refusal) => {
            let mut trouble = Trouble::of(refusal, &own.listing, visit.now);
            if trouble.title == "Somebody was faster" {
                trouble.text =
                    "Nothing was changed: your booking stands as it was. Here is how it stands now:"
                        .to_owned();
            }
            let own = open(&visit, &id, &form).await?;
            render(&visit, &own, &form, Some(trouble)).await
        }
    }
}

async fn render(visit: &Visit, own: &Own, typed: &Form, trouble: Option<Trouble>) -> Page {
    let availability = visit.engine().availability(&own.listing).await?;
    let base = own.below("move");
    let ground = Ground {
        listing: &own.listing,
        availability: &availability,
        now: visit.now,
        typed,
        base: &base,
        waits: false,
    };
    let choice = Choice::new(&ground).map_err(|error| broken(&error))?;
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let view = View {
        shell: visit.shell("Move your booking").script("listing.js"),
        items: items(&own.listing, &own.booking),
        choice,
        live: live(&own.listing, &availability),
        trouble,
        own,
    };
    Ok(visit.show_private(status.unwrap_or(StatusCode::OK), &view))
}
