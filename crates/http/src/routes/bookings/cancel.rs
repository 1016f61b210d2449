//! `POST /v1/bookings/{id}/cancel`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use serde::{Deserialize, Serialize};

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json_or_nothing;
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/cancel", right: Right::OwnerOrMaker };

/// A request to call a booking off.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRequest)]
pub(crate) struct Form {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// Calls a booking off
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/cancel",
    operation_id = "cancelBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body(content = Form),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state`, `hold_expired`, `stale_version`"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn cancel(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json_or_nothing::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Cancel { reason: form.reason })).await
}
