//! `DELETE /v1/keys/{id}`

use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use http::StatusCode;
use lastseat_core::command::{Action, Command};
use lastseat_core::id::KeyId;

use crate::auth::{ADMINS, allow, need_key};
use crate::problem::{Answer, Problem};
use crate::routes::{Id, no_params};
use crate::state::AppState;

/// Takes an API key away
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    operation_id = "revokeKey",
    tag = "keys",
    params(
        ("id" = String, Path, description = "Id of the key"),
    ),
    responses(
        (status = 204, description = "It is gone"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn revoke(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = need_key(&state.engine, &head.headers)?;
    allow(&actor, ADMINS)?;
    let id: KeyId = id.parse().map_err(|_| Problem::not_found("API key"))?;
    no_params(&head)?;
    state.engine.submit(Command::new(actor, Action::RevokeKey { id })).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
