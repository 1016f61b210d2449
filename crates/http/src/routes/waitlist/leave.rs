//! `DELETE /v1/waitlist/{id}`

use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use http::StatusCode;
use lastseat_core::command::{Action, Command};

use crate::auth::waitlist_actor;
use crate::params::Params;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

/// Waits no more
///
/// What was offered is given back, and goes to the next.
#[utoipa::path(
    delete,
    path = "/v1/waitlist/{id}",
    operation_id = "leaveWaitlist",
    tag = "waitlist",
    params(
        ("id" = String, Path, description = "Id of the entry"),
    ),
    responses(
        (status = 204, description = "The customer waits no more"),
        (status = 409, description = "`wrong_state`: the offer was taken up, or waiting has ended"),
    ),
    security(("waitlist_token" = []), ("api_key" = [])),
)]
pub(crate) async fn leave(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let (actor, id) = waitlist_actor(&state.engine, &head, &mut params, &id)?;
    params.finish()?;
    state.engine.submit(Command::new(actor, Action::LeaveWaitlist { id })).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
