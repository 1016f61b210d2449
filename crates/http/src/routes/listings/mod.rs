//! Listings.

pub(crate) mod availability;
pub(crate) mod create;
pub(crate) mod form;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod patch;
pub(crate) mod pools;
pub(crate) mod seating;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, put};
use http::StatusCode;
use lastseat_core::command::Actor;
use lastseat_core::listing::{Listing, Status};
use lastseat_engine::Engine;

use crate::problem::Problem;
use crate::respond::{json, listing_tag, with_tag};
use crate::state::AppState;
use crate::view::ListingView;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/v1/listings", get(list::list).post(create::create))
        .route("/v1/listings/{id}", get(get::get).patch(patch::patch))
        .route("/v1/listings/{id}/pools", put(pools::put))
        .route("/v1/listings/{id}/live", get(live::live))
        .route("/v1/listings/{id}/seating", get(seating::seating))
        .route("/v1/listings/{id}/availability", get(availability::availability))
}

/// The listing that a text names, if the caller may see it: drafts are for keys.
///
/// # Errors
/// `404 not_found`.
pub(crate) async fn visible(engine: &Engine, actor: &Actor, id: &str) -> Result<Arc<Listing>, Problem> {
    let found = match id.parse() {
        Ok(id) => engine.find_listing(id).await,
        Err(_) => None,
    };
    let public = *actor == Actor::Public;
    found
        .filter(|listing| !public || listing.doc.status != Status::Draft)
        .ok_or_else(|| Problem::not_found("listing"))
}

/// A listing as an answer.
pub(crate) fn answer(status: StatusCode, listing: &Listing) -> axum::response::Response {
    with_tag(json(status, &ListingView::new(listing)), listing_tag(listing))
}
