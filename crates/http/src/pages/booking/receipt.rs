//! `POST /bookings/{id}/receipt`: proof of a payment.

use axum::extract::Path;
use lastseat_core::Outcome;
use lastseat_core::booking::State;
use lastseat_core::command::Actor;
use lastseat_core::refusal::{Code, Refusal, RefusalData};
use sha2::{Digest, Sha256};

use super::show::render;
use super::{Own, open};
use crate::pages::field::sentence;
use crate::pages::trouble::Trouble;
use crate::pages::upload::Upload;
use crate::pages::visit::{Page, Visit};
use crate::routes::bookings::payment::form::ReceiptForm;
use crate::routes::bookings::payment::receipt::hand_in;

/// What is told where no file was chosen.
const NO_FILE: &str =
    "No file was chosen. Choose a photo, a screenshot or a PDF of the receipt, then send it.";

/// `POST /bookings/{id}/receipt`
pub(crate) async fn submit(visit: Visit, Path(id): Path<String>, upload: Upload) -> Page {
    let Upload { form, file, share } = upload;
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    let Some(file) = file else {
        let trouble = Trouble::new(Code::Invalid.status(), "The receipt was not taken", NO_FILE);
        return Ok(render(&visit, &own, Some(trouble), form.get("note")));
    };
    // The content takes the place of the file in the form, so that the same upload twice is one.
    let mut sent = form.clone();
    sent.push("receipt", Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let receipt = ReceiptForm { receipt: file.into(), note: form.text("note"), digests: Vec::new(), share };
    let idempotency = Some(visit.idempotency(&sent));
    match hand_in(&visit.state, Actor::Owner, own.booking.id, None, idempotency, receipt).await {
        Ok(done) => match done.outcome {
            Outcome::Booking(booking) if booking.state == State::InReview => {
                Ok(visit.redirect(&own.did("receipt")))
            }
            _ => Ok(visit.redirect(&own.did("late"))),
        },
        Err(problem) => {
            let own = open(&visit, &id, &form).await?;
            let trouble = trouble(*problem.0, &own, &visit);
            Ok(render(&visit, &own, Some(trouble), form.get("note")))
        }
    }
}

fn trouble(refusal: Refusal, own: &Own, visit: &Visit) -> Trouble {
    let title = "The receipt was not taken";
    match &refusal.data {
        RefusalData::Fields(errors) => {
            let text = errors.iter().map(|error| sentence("The file", &error.message)).collect::<Vec<_>>();
            Trouble::new(refusal.code.status(), title, text.join(" "))
        }
        _ if refusal.code == Code::TooLarge => Trouble::new(refusal.code.status(), title, refusal.detail),
        _ => Trouble { title: title.to_owned(), ..Trouble::of(refusal, &own.listing, visit.now) },
    }
}
