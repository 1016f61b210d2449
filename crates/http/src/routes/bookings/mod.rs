//! Bookings.

pub(crate) mod approve;
pub(crate) mod calendar;
pub(crate) mod cancel;
pub(crate) mod change;
pub(crate) mod claim;
pub(crate) mod confirm;
pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod extend;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod payment;
pub(crate) mod receipts;
pub(crate) mod refund;
pub(crate) mod reject;
pub(crate) mod reschedule;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use lastseat_core::booking::Booking;
use lastseat_core::refusal::Code;

use crate::problem::Problem;
use crate::respond::{booking_tag, json, with_tag};
use crate::state::AppState;
use crate::view::BookingView;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/v1/bookings", get(list::list).post(create::create))
        .route("/v1/bookings/import", post(import::import))
        .route("/v1/bookings/{id}", get(get::get))
        .route("/v1/bookings/{id}/events", get(events::events))
        .route("/v1/bookings/{id}/live", get(live::live))
        .route("/v1/bookings/{id}/payment", post(payment::pay))
        .route("/v1/bookings/{id}/receipts", get(receipts::list::list))
        .route("/v1/bookings/{id}/receipts/{n}", get(receipts::get::get))
        .route("/v1/bookings/{id}/confirm", post(confirm::confirm))
        .route("/v1/bookings/{id}/approve", post(approve::approve))
        .route("/v1/bookings/{id}/reject", post(reject::reject))
        .route("/v1/bookings/{id}/cancel", post(cancel::cancel))
        .route("/v1/bookings/{id}/extend", post(extend::extend))
        .route("/v1/bookings/{id}/reschedule", post(reschedule::reschedule))
        .route("/v1/bookings/{id}/refund", post(refund::refund))
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
    Ok(with_tag(json(status, &view), booking_tag(&listing, booking)))
}
