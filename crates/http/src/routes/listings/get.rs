//! `GET /v1/listings/{id}`

use axum::extract::{Request, State};
use http::StatusCode;

use crate::auth::anybody;
use crate::problem::Answer;
use crate::respond::{listing_tag, unless_seen};
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
        (status = 200, description = "The listing as it is now", body = ListingView, headers(("ETag" = String, description = "The version, in quotes; with `+` and a number behind it once capacities or prices that it shows were changed"))),
        (status = 304, description = "The client has it already", headers(("ETag" = String, description = "The version, in quotes; with `+` and a number behind it once capacities or prices that it shows were changed"))),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn get(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    no_params(&head)?;
    let tag = listing_tag(&listing);
    Ok(unless_seen(&head.headers, tag, || answer(StatusCode::OK, &listing)))
}
