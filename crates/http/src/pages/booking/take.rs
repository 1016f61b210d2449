//! `POST /bookings/{id}/take`: what was offered and costs nothing is taken up.

use axum::extract::Path;
use lastseat_core::command::BookingChange;

use super::open;
use super::show::render;
use crate::pages::form::Form;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};

/// `POST /bookings/{id}/take`
pub(crate) async fn take(visit: Visit, Path(id): Path<String>, form: Form) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    match own.change(&visit, &form, BookingChange::Accept).await {
        Ok(_) => Ok(visit.redirect(&own.did("taken"))),
        Err(refusal) => {
            let trouble =
                Trouble { title: "It was not taken".into(), ..Trouble::of(refusal, &own.listing, visit.now) };
            Ok(render(&visit, &open(&visit, &id, &form).await?, Some(trouble), ""))
        }
    }
}
