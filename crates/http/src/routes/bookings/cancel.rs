//! `POST /v1/bookings/{id}/cancel`

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

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/cancel", right: Right::OwnerOrMaker };

/// A request to call a booking off.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRequest)]
pub(crate) struct Form {
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

pub(crate) async fn cancel(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json_or_nothing::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Cancel { reason: form.reason })).await
}
