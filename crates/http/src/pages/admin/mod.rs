//! Pages for operators: what waits for a decision, the listings with their numbers, the bookings, the keys.
//!
//! `session.rs` says who is signed in; `Desk` and `AdminDesk` are what handlers ask for. `case.rs` is a booking as
//! operators see it, `decide.rs` everything that can be done with one.

mod booking;
mod bookings;
mod case;
mod decide;
mod edit;
mod figures;
mod keys;
mod listing;
mod overview;
mod pools;
mod receipt;
mod remove;
mod review;
pub(crate) mod session;
mod sign_in;
mod status;
mod waiting;
mod waitlist;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use lastseat_core::listing::{Listing, Shape};

use super::{dates, upload};
use crate::state::AppState;

/// The largest seating plan, in bytes.
const MAX_PLAN_BYTES: usize = 32 * 1024 * 1024;

/// Those whose forms have a file.
pub(super) fn uploads() -> Router<AppState> {
    let limit = DefaultBodyLimit::max(upload::body_limit(MAX_PLAN_BYTES));
    Router::new().route("/admin/listings/new", get(edit::ask_new).post(edit::create).layer(limit))
}

/// All others.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/admin", get(overview::show))
        .route("/admin/sign-in", get(sign_in::ask).post(sign_in::enter))
        .route("/admin/sign-out", post(sign_in::leave))
        .route("/admin/review", get(review::show))
        .route("/admin/bookings", get(bookings::show))
        .route("/admin/bookings/{id}", get(booking::show))
        .route("/admin/bookings/{id}/{what}", post(decide::decide))
        .route("/admin/bookings/{id}/receipts/{n}", get(receipt::show))
        .route("/admin/listings/{id}", get(listing::show))
        .route("/admin/listings/{id}/edit", get(edit::ask).post(edit::save))
        .route("/admin/listings/{id}/status", get(status::ask).post(status::set))
        .route("/admin/listings/{id}/waitlist", get(waitlist::show))
        .route("/admin/listings/{id}/pools", get(pools::ask).post(pools::put))
        .route("/admin/waitlist/{id}/remove", get(remove::ask).post(remove::remove))
        .route("/admin/keys", get(keys::list).post(keys::create))
        .route("/admin/keys/{id}/revoke", post(keys::revoke))
}

/// The dates of a calendar, for listings that have one.
fn calendar_words(listing: &Listing) -> Option<String> {
    let (Shape::Nights { calendar, .. } | Shape::Slots { calendar, .. }) = &listing.doc.shape else {
        return None;
    };
    let last = calendar.until.yesterday().unwrap_or(calendar.until);
    Some(format!("{} – {}", dates::day(calendar.from), dates::day(last)))
}
