//! `GET` and `POST /bookings/{id}/cancel`: calling a booking off, after one more question.

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::command::BookingChange;

use super::show::{can_cancel, render};
use super::{Own, open};
use crate::pages::form::Form;
use crate::pages::lines::{Item, items};
use crate::pages::money;
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "booking_cancel.html")]
struct View<'a> {
    shell: Shell,
    own: &'a Own,
    items: Vec<Item>,
    back: Option<String>,
}

/// `GET /bookings/{id}/cancel`
pub(crate) async fn ask(visit: Visit, Path(id): Path<String>) -> Page {
    let own = open(&visit, &id, &visit.query).await?;
    if !can_cancel(&own, visit.now) {
        return Ok(visit.redirect(&own.address()));
    }
    let back = own.booking.paid - own.booking.refunded;
    let view = View {
        shell: visit.shell("Cancel your booking?"),
        items: items(&own.listing, &own.booking),
        back: (back > 0).then(|| money::amount(back, &own.listing.doc.currency)),
        own: &own,
    };
    Ok(visit.show_private(StatusCode::OK, &view))
}

/// `POST /bookings/{id}/cancel`
pub(crate) async fn cancel(visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    match own.change(&visit, &form, BookingChange::Cancel { reason: form.text("reason") }).await {
        Ok(_) => Ok(visit.redirect(&own.did("cancelled"))),
        Err(refusal) => {
            let trouble = Trouble {
                title: "It was not cancelled".into(),
                ..Trouble::of(refusal, &own.listing, visit.now)
            };
            Ok(render(&visit, &open(&visit, &id, &form).await?, Some(trouble), ""))
        }
    }
}
