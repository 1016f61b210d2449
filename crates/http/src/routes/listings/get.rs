//! `GET /v1/listings/{id}`

use axum::extract::{Request, State};
use http::StatusCode;

use crate::auth::anybody;
use crate::problem::Answer;
use crate::respond::{unless_seen, version_tag};
use crate::routes::listings::{answer, visible};
use crate::routes::{Id, no_params};
use crate::state::AppState;
use crate::view::ListingView;

/// A listing
#[utoipa::path(
    get,
    path = "/v1/listings/{id}",
    operation_id = "getListing",
    tag = "listings",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of the answer that the client has already"),
    ),
    responses(
        (status = 200, description = "The listing as it is now", body = ListingView, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 304, description = "The client has it already", headers(("ETag" = String, description = "The version, in quotes"))),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn get(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id)?;
    no_params(&head)?;
    let tag = version_tag(listing.version);
    Ok(unless_seen(&head.headers, tag, || answer(StatusCode::OK, &listing)))
}
