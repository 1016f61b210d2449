//! `POST /v1/bookings/{id}/reject`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use serde::Deserialize;

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/reject", right: Right::Operators };

/// A request to refuse a receipt.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RejectRequest)]
pub(crate) struct Form {
    /// Why; the customer reads it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

pub(crate) async fn reject(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Reject { reason: form.reason })).await
}
