//! Bookings.

pub(crate) mod claim;
pub(crate) mod create;
pub(crate) mod get;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use lastseat_core::booking::Booking;
use lastseat_core::refusal::Code;

use crate::problem::Problem;
use crate::respond::{json, with_version};
use crate::state::AppState;
use crate::view::BookingView;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/v1/bookings", post(create::create)).route("/v1/bookings/{id}", get(get::get))
}

/// Whether the answer shows the booking's token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    /// Yes: it was just made.
    Shown,
    /// No.
    Hidden,
}

/// A booking as an answer.
///
/// # Errors
/// `503 unavailable` if its listing is not known yet.
pub(crate) fn answer(
    state: &AppState,
    status: StatusCode,
    booking: &Booking,
    token: Token,
) -> Result<Response, Problem> {
    let listing = state.engine.listing_at(booking.listing).ok_or_else(|| {
        Problem::new(Code::Unavailable, "The booking's listing is just being loaded. Try again in a moment.")
    })?;
    let mut view = BookingView::new(&state.engine, &listing, booking);
    if token == Token::Shown {
        view = view.with_token(&state.engine);
    }
    Ok(with_version(json(status, &view), u64::from(booking.version)))
}
