//! Handing in a receipt.

use axum::body::Body;
use http::request::Parts;
use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, Receipt as Named};
use lastseat_core::command::{Action, Actor, BookingChange, Command, Idempotency};
use lastseat_core::id::BookingId;
use lastseat_core::refusal::Code;
use lastseat_core::time::Time;
use lastseat_engine::{Done, ids};
use sha2::{Digest as _, Sha256};

use super::VERB;
use super::form::{self, Content, ReceiptForm};
use crate::auth::booking_actor;
use crate::idempotency::{self, Scope};
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::receipts::{Receipt, ReceiptError, ReceiptKey, ReceiptStoreError};
use crate::respond::if_match;
use crate::routes::bookings::change::{changed, first_right};
use crate::state::AppState;

/// When to ask again for a file that is gone, in seconds: somebody has to bring it back.
const GONE_RETRY_SECONDS: u32 = 60;

pub(super) async fn pay(state: &AppState, head: &Parts, id: &str, body: Body) -> Answer {
    let mut params = Params::new(head.uri.query());
    let actor = booking_actor(&state.engine, head, &mut params, id);
    // Whoever may not hand in anything gets no memory for it, but hears first what is wrong with the form.
    let content = if actor.is_ok() { Content::Kept } else { Content::Dropped };
    let form = form::read(head, body, &state.uploads, content).await?;
    let (actor, id) = actor?;
    first_right(state, &actor, id, VERB.right).await?;
    params.finish()?;
    let seen = if_match(&head.headers)?;
    let form = form.map_err(Problem::invalid)?;
    let idempotency = idempotency::of_form(head, Scope::of(&actor, Some(id)), VERB.route, &form.digests)?;
    changed(state, hand_in(state, actor, id, seen, idempotency, form).await?)
}

/// Recognises and cleans the file, makes it durable, and only then has the booking name it.
///
/// # Errors
/// `413 too_large` and `422 invalid` for the file, `503 unavailable` if it cannot be kept, and the refusals of
/// the engine.
pub(crate) async fn hand_in(
    state: &AppState,
    actor: Actor,
    id: BookingId,
    if_match: Option<u64>,
    idempotency: Option<Idempotency>,
    form: ReceiptForm,
) -> Result<Done, Problem> {
    let ReceiptForm { receipt, note, share, .. } = form;
    let cleaned = tokio::task::spawn_blocking(move || {
        let accepted = Receipt::accept(&receipt)?;
        let digest = Sha256::digest(accepted.bytes());
        Ok::<_, ReceiptError>((accepted, digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    });
    let (receipt, sha256) = cleaned
        .await
        .map_err(|error| {
            tracing::error!(%error, "a receipt could not be looked at");
            Problem::field("receipt", "cannot be read")
        })?
        .map_err(|error| refused(&error))?;
    let file = state.receipts.put(&receipt, ids::bits()).await.map_err(|error| unavailable(&error))?;
    let named = Named {
        file: file.as_str().to_owned(),
        media_type: receipt.kind().media_type().to_owned(),
        size: receipt.bytes().len() as u64,
        sha256,
        at: Time::default(),
        note,
    };
    let action = Action::Booking { id, change: BookingChange::SubmitReceipt(Box::new(named)) };
    let done = state.engine.submit(Command { actor, idempotency, if_match, action }).await;
    // What no booking names is removed after a day; what certainly none will name, at once.
    let unused = match &done {
        Ok(done) => done.replayed || !names(&done.outcome, &file),
        Err(refusal) => refusal.code != Code::Unavailable,
    };
    if unused && let Err(error) = state.receipts.delete(&file).await {
        tracing::warn!(%error, "an unused receipt could not be removed");
    }
    drop(share);
    Ok(done?)
}

fn names(outcome: &Outcome, file: &ReceiptKey) -> bool {
    let has =
        |booking: &Booking| booking.details.receipts.iter().any(|receipt| receipt.file == file.as_str());
    matches!(outcome, Outcome::Booking(booking) if has(booking))
}

fn refused(error: &ReceiptError) -> Problem {
    match error {
        ReceiptError::TooLarge => {
            Problem::new(Code::TooLarge, format!("Of receipts 10 MiB are taken: {error}."))
        }
        other => Problem::field("receipt", format!("is not accepted: {other}")),
    }
}

/// `503 unavailable` for a receipt that cannot be shown: its file is gone, or the store of files does not work. Both
/// are logged here.
pub(crate) fn not_shown(error: &ReceiptStoreError, booking: &Booking) -> Problem {
    if !matches!(error, ReceiptStoreError::Missing(_)) {
        return unavailable(error);
    }
    tracing::error!(%error, booking = %booking.id, "a receipt that a booking names is gone");
    let detail = "The file of this receipt is missing on the server. Its operator has to bring it back to the \
        other receipts, from a backup for example; the booking stands.";
    Problem::retry(Code::Unavailable, detail, GONE_RETRY_SECONDS)
}

/// `503 unavailable` for a store of files that does not work, which is logged here.
pub(crate) fn unavailable(error: &ReceiptStoreError) -> Problem {
    tracing::error!(%error, "the store of receipts failed");
    Problem::retry(Code::Unavailable, "Receipts cannot be kept or shown at the moment. Try again soon.", 5)
}
