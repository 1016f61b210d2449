//! `POST /v1/bookings/{id}/approve`

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

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/approve", right: Right::Operators };

/// A request to find a receipt good.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveRequest)]
pub(crate) struct Form {}

/// Finds the receipt good
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/approve",
    operation_id = "approveBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body(content = Form),
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state` with who decided and when, `hold_expired`, `stale_version`"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn approve(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json_or_nothing::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |Form {}| Ok(BookingChange::Approve)).await
}
