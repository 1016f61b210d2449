//! `PATCH /v1/listings/{id}`: a JSON merge patch (RFC 7396) of the form.

use axum::extract::{Request, State};
use http::StatusCode;
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command};
use serde_json::{Map, Value};

use crate::auth::{ADMINS, allow, need_key};
use crate::body::MAX_JSON_BYTES;
use crate::body::json::{JSON, MERGE_PATCH, strict_json};
use crate::openapi::headers::IfMatch;
use crate::problem::Answer;
use crate::respond::if_match;
use crate::routes::listings::{answer, form, visible};
use crate::routes::{Id, no_params};
use crate::state::AppState;
use crate::view::ListingView;

/// Edits a listing
///
/// A JSON merge patch (RFC 7396): what is left out stays, and null takes away. Texts, times, terms, sale window
/// and status may change; resources and the calendar may grow.
#[utoipa::path(
    patch,
    path = "/v1/listings/{id}",
    operation_id = "editListing",
    tag = "listings",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        IfMatch,
    ),
    request_body(content((Object = "application/merge-patch+json"), (Object = "application/json"))),
    responses(
        (status = 200, description = "The listing as it is now", body = ListingView, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, description = "`stale_version`, `capacity_in_use`"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn patch(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = strict_json::<Map<String, Value>>(&head, body, &[JSON, MERGE_PATCH], MAX_JSON_BYTES).await?;
    let actor = need_key(&state.engine, &head.headers)?;
    let id = visible(&state.engine, &actor, &id).await?.id;
    allow(&actor, ADMINS)?;
    no_params(&head)?;
    form::check(&json.text)?;
    let if_match = if_match(&head.headers)?;
    let action = Action::PatchListing { id, patch: Box::new(Value::Object(json.valid()?)) };
    let done = state.engine.submit(Command { actor, idempotency: None, if_match, action }).await?;
    let Outcome::Listing(listing) = done.outcome else { unreachable!("a listing was edited") };
    Ok(answer(StatusCode::OK, &listing))
}
