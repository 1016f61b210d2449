//! `GET /v1/bookings/{id}`

use axum::extract::{Request, State};
use http::StatusCode;
use http::header::ETAG;
use http::request::Parts;
use lastseat_core::booking::Booking;

use super::calendar::calendar;
use super::{Token, answer};
use crate::auth::{Right, booking_actor, check_right};
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::unless_seen;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

/// With this ending the same path is the calendar file.
const CALENDAR_ENDING: &str = ".ics";

/// A booking
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}",
    operation_id = "getBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of the answer that the client has already"),
    ),
    responses(
        (status = 200, description = "The booking", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes; with `+` and a number behind it once an edit of the listing has moved its times"))),
        (status = 304, description = "The client has it already", headers(("ETag" = String, description = "The version, in quotes; with `+` and a number behind it once an edit of the listing has moved its times"))),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn get(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    // The router has no patterns for endings.
    if let Some(id) = id.strip_suffix(CALENDAR_ENDING) {
        return calendar(&state, &head, id).await;
    }
    let mut params = Params::new(head.uri.query());
    let booking = read(&state, &head, &mut params, &id, Right::OwnerOrMaker).await?;
    params.finish()?;
    let shown = answer(&state, StatusCode::OK, &booking, Token::Hidden)?;
    let tag = shown.headers()[ETAG].clone();
    Ok(unless_seen(&head.headers, tag, || shown))
}

/// The settled booking that a text names, if the caller has this right to it.
///
/// # Errors
/// `401 unauthenticated`, `404 not_found`, `403 forbidden`.
pub(crate) async fn read(
    state: &AppState,
    head: &Parts,
    params: &mut Params,
    id: &str,
    right: Right,
) -> Result<Booking, Problem> {
    let (actor, id) = booking_actor(&state.engine, head, params, id)?;
    let booking = state.engine.booking(id).await?.ok_or_else(|| Problem::not_found("booking"))?;
    check_right(&actor, &booking, right)?;
    Ok(booking)
}
