//! What all changes of one booking share: from the request to the command to the booking as it is then.

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Actor, BookingChange, Command, Idempotency};
use lastseat_core::id::BookingId;
use lastseat_engine::Done;
use serde::Serialize;

use super::{Token, answer};
use crate::auth::{Right, booking_actor, check_right};
use crate::body::json::Json;
use crate::idempotency::{self, Scope};
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::if_match;
use crate::state::AppState;

/// A kind of change.
pub(crate) struct Verb {
    /// Method and template, for idempotency keys.
    pub(crate) route: &'static str,
    /// Who may, besides operators.
    pub(crate) right: Right,
}

/// Carries out a change that a JSON request asks for.
///
/// # Errors
/// Whatever keeps it from being done, what comes first in the order of precedence.
pub(crate) async fn change<T: Serialize>(
    state: &AppState,
    head: &Parts,
    id: &str,
    json: Json<T>,
    verb: &Verb,
    make: impl FnOnce(T) -> Result<BookingChange, Problem>,
) -> Answer {
    let mut params = Params::new(head.uri.query());
    let (actor, id) = booking_actor(&state.engine, head, &mut params, id)?;
    let scope = Scope::of(&actor, Some(id));
    let read = || {
        params.finish()?;
        let seen = if_match(&head.headers)?;
        let form = json.valid()?;
        let idempotency = idempotency::of_json(head, scope, verb.route, &form)?;
        Ok((seen, idempotency, make(form)?))
    };
    match read() {
        Ok((seen, idempotency, change)) => submit(state, actor, id, seen, idempotency, change).await,
        Err(problem) => Err(first_right(state, &actor, id, verb.right).await.err().unwrap_or(problem)),
    }
}

/// Whether the booking is there and the caller has the right, which is told before what is wrong with the
/// request.
///
/// # Errors
/// `404 not_found`, `403 forbidden`.
pub(crate) async fn first_right(
    state: &AppState,
    actor: &Actor,
    id: BookingId,
    right: Right,
) -> Result<(), Problem> {
    let booking = state.engine.booking(id).await?.ok_or_else(|| Problem::not_found("booking"))?;
    check_right(actor, &booking, right)
}

/// Has the change decided, and answers with the booking.
///
/// # Errors
/// The refusal.
pub(crate) async fn submit(
    state: &AppState,
    actor: Actor,
    id: BookingId,
    if_match: Option<u64>,
    idempotency: Option<Idempotency>,
    change: BookingChange,
) -> Answer {
    let action = Action::Booking { id, change };
    let done = state.engine.submit(Command { actor, idempotency, if_match, action }).await?;
    changed(state, done)
}

/// The answer to a change that was decided.
///
/// # Errors
/// `503 unavailable` if the booking's listing is not known yet.
pub(crate) fn changed(state: &AppState, done: Done) -> Answer {
    let Outcome::Booking(booking) = done.outcome else { unreachable!("a booking was changed") };
    let mut response: Response = answer(state, StatusCode::OK, &booking, Token::Hidden)?;
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}
