//! `GET /v1/listings/{id}`

use axum::extract::{Request, State};
use http::StatusCode;

use crate::auth::anybody;
use crate::problem::Answer;
use crate::respond::{unless_seen, version_tag};
use crate::routes::listings::{answer, visible};
use crate::routes::{Id, no_params};
use crate::state::AppState;

pub(crate) async fn get(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id)?;
    no_params(&head)?;
    let tag = version_tag(listing.version);
    Ok(unless_seen(&head.headers, tag, || answer(StatusCode::OK, &listing)))
}
