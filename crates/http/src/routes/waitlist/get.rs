//! `GET /v1/waitlist/{id}`

use axum::extract::{Request, State};
use http::StatusCode;

use super::read;
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::json;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::EntryView;

/// An entry of a waitlist
#[utoipa::path(
    get,
    path = "/v1/waitlist/{id}",
    operation_id = "getWaitlistEntry",
    tag = "waitlist",
    params(
        ("id" = String, Path, description = "Id of the entry"),
    ),
    responses(
        (status = 200, description = "The entry", body = EntryView<'_>),
    ),
    security(("waitlist_token" = []), ("api_key" = [])),
)]
pub(crate) async fn get(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let (actor, entry) = read(&state, &head, &mut params, &id).await?;
    params.finish()?;
    Ok(json(StatusCode::OK, &EntryView::now(&state.engine, &entry, &actor)))
}
