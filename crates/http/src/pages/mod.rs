//! Pages for people: HTML made on the server, which works without any script and comes alive with one.
//!
//! | file | holds |
//! | --- | --- |
//! | `visit.rs` | one look at a page: who, when, from where; every handler begins with it |
//! | `seal.rs`, `cookies.rs`, `wallet.rs` | what keeps forms of other sites out; the bookings of this browser |
//! | `shell.rs`, `error.rs`, `assets.rs` | the frame of a page and its headers; mishaps; style sheets and scripts |
//! | `form.rs`, `field.rs`, `upload.rs`, `trouble.rs` | what forms carry, and what is told beside them |
//! | `money.rs`, `dates.rs`, `words.rs`, `stock.rs`, `lines.rs` | how things are written |
//! | `start.rs`, `listing.rs`, `choice/`, `book.rs`, `booking/`, `waitlist/` | for customers |
//! | `admin/` | for operators |
//!
//! Every form posts, every post redirects or shows the form again with what was typed, and every change goes to the
//! engine as the same command that the API would send.
//!
//! The commonest change is a new page: a file with its view and its handler, its template under `templates/`, its
//! line in the router, its test under `tests/`.

mod admin;
mod assets;
mod book;
mod booking;
mod choice;
mod cookies;
mod dates;
mod error;
mod field;
mod flash;
mod form;
mod lines;
mod listing;
mod money;
mod seal;
pub(crate) mod shell;
mod start;
mod stock;
mod trouble;
mod upload;
mod visit;
mod waitlist;
mod wallet;
mod words;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};

use tower_http::timeout::TimeoutLayer;

use crate::problem::PROBLEM_JSON;
use crate::receipts::MAX_RECEIPT_BYTES;
use crate::state::AppState;

/// How long a page may take, from the first byte of the form to the last of the answer.
const PAGE_TIME: Duration = Duration::from_secs(60);
/// The same for forms with a file: ten megabytes over a poor line.
const UPLOAD_TIME: Duration = Duration::from_secs(600);
/// Most bytes of a form without a file.
const MAX_FORM_BYTES: usize = 1024 * 1024;

/// How far what is shown may be behind what was just decided: who changes something should see it.
const CATCH_UP: Duration = Duration::from_millis(250);

/// Below this path everything is for programs.
const API: &str = "/v1/";

/// All pages, with what belongs to them.
pub fn router() -> Router<AppState> {
    let receipt =
        post(booking::receipt::submit).layer(DefaultBodyLimit::max(upload::body_limit(MAX_RECEIPT_BYTES)));
    let uploads = Router::new().route("/bookings/{id}/receipt", receipt).merge(admin::uploads());
    let pages = Router::new()
        .route("/", get(start::show))
        .route("/forget", post(start::forget))
        .route("/listings/{id}", get(listing::show))
        .route("/listings/{id}/book", get(book::again).post(book::create))
        .route("/listings/{id}/wait", get(waitlist::join::again).post(waitlist::join::join))
        .route("/waitlist/{id}", get(waitlist::show))
        .route("/waitlist/{id}/leave", get(waitlist::leave::ask).post(waitlist::leave::leave))
        .route("/bookings/{id}", get(booking::show))
        .route("/bookings/{id}/take", post(booking::take::take))
        .route("/bookings/{id}/extend", post(booking::extend::extend))
        .route("/bookings/{id}/cancel", get(booking::cancel::ask).post(booking::cancel::cancel))
        .route("/bookings/{id}/move", get(booking::moving::choose).post(booking::moving::submit))
        .route("/assets/{digest}/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .merge(admin::router())
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
    // Whoever sends a form drop by drop is not waited for.
    let within = |time| TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, time);
    pages.layer(within(PAGE_TIME)).merge(uploads.layer(within(UPLOAD_TIME)))
}

/// Refusals that no page has made (no such route, too many requests, a panic) as pages, for those who read HTML.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let reads_html = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_page = reads_html.is_some_and(|accept| accept.contains("text/html"))
        && !request.uri().path().starts_with(API);
    let response = next.run(request).await;
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|found| found == PROBLEM_JSON);
    let is_timeout = response.status() == StatusCode::REQUEST_TIMEOUT;
    if !(is_page && (is_problem || is_timeout)) {
        return response;
    }
    let mut page = error::PageError::of_status(response.status()).into_response();
    if let Some(seconds) = response.headers().get(RETRY_AFTER) {
        page.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    page
}
