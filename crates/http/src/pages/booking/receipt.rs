//! `POST /bookings/{id}/receipt`: proof of a payment.

use axum::extract::Path;
use lastseat_core::booking::{Receipt as Stored, State};
use lastseat_core::command::BookingChange;
use lastseat_core::decide::Outcome;
use lastseat_core::refusal::{Code, Refusal};
use lastseat_engine::ids;
use sha2::{Digest, Sha256};

use super::show::render;
use super::{Own, open};
use crate::pages::trouble::Trouble;
use crate::pages::upload::Upload;
use crate::pages::visit::{Page, Visit};
use crate::receipts::{Receipt, ReceiptError};

/// `POST /bookings/{id}/receipt`
pub(crate) async fn submit(visit: Visit, Path(id): Path<String>, Upload { form, file }: Upload) -> Page {
    let own = open(&visit, &id, &form).await?;
    visit.check_seal(&form)?;
    let refused = |own: &Own, text: String| {
        let trouble = Trouble::new(Code::Invalid.status(), "The receipt was not taken", text);
        Ok(render(&visit, own, Some(trouble)))
    };
    let Some(file) = file else {
        return refused(
            &own,
            "No file was chosen. Choose a photo or a PDF of the receipt, then send it.".to_owned(),
        );
    };
    // Cleaning ten megabytes takes milliseconds of a core.
    let accepted = tokio::task::spawn_blocking(move || Receipt::accept(&file)).await;
    let receipt = match accepted.unwrap_or(Err(ReceiptError::Unrecognised)) {
        Ok(receipt) => receipt,
        Err(error) => {
            let mut text = error.to_string();
            text[..1].make_ascii_uppercase();
            return refused(
                &own,
                format!("{text}. JPEG, PNG, WebP and PDF files of up to 10 MiB are accepted."),
            );
        }
    };
    let key = visit.state.receipts.put(&receipt, ids::bits()).await.map_err(|error| {
        tracing::error!(%error, "a receipt could not be stored");
        Refusal::new(Code::Unavailable, "The receipt could not be stored. Please send it again in a moment.")
    })?;
    let digest = Sha256::digest(receipt.bytes());
    let stored = Stored {
        file: key.to_string(),
        media_type: receipt.kind().media_type().to_owned(),
        size: receipt.bytes().len() as u64,
        sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        at: visit.now,
        note: form.text("note"),
    };
    // The content takes the place of the file in the form, so that the same upload twice is one.
    let mut sent = form.clone();
    sent.push("receipt", stored.sha256.clone());
    match own.change(&visit, &sent, BookingChange::SubmitReceipt(Box::new(stored))).await {
        Ok(Outcome::Booking(booking)) if booking.state == State::InReview => {
            Ok(visit.redirect(&own.did("receipt")))
        }
        Ok(_) => Ok(visit.redirect(&own.did("late"))),
        Err(refusal) => {
            let trouble = Trouble::of(refusal, &own.listing, visit.now);
            let trouble = Trouble { title: "The receipt was not taken".into(), ..trouble };
            Ok(render(&visit, &open(&visit, &id, &form).await?, Some(trouble)))
        }
    }
}
