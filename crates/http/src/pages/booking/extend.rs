//! `POST /bookings/{id}/extend`: more time to pay, once.

use axum::extract::Path;
use lastseat_core::command::BookingChange;

use super::open;
use super::show::render;
use crate::pages::form::Form;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

/// `POST /bookings/{id}/extend`
pub(crate) async fn extend(visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    let seconds = form.get("seconds").parse().unwrap_or(0);
    match own.change(&visit, &form, BookingChange::Extend { seconds }).await {
        Ok(_) => Ok(visit.redirect(&own.did("extended"))),
        Err(refusal) => {
            let trouble = Trouble {
                title: "There is no more time to be had".into(),
                ..Trouble::of(refusal, &own.listing, visit.now)
            };
            Ok(render(&visit, &open(&visit, &id, &form).await?, Some(trouble), ""))
        }
    }
}
