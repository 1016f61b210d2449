//! `POST /v1/bookings/{id}/approve`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use serde::Deserialize;

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json_or_nothing;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/approve", right: Right::Operators };

/// A request to find a receipt good.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveRequest)]
pub(crate) struct Form {}

pub(crate) async fn approve(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json_or_nothing::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |Form {}| Ok(BookingChange::Approve)).await
}
