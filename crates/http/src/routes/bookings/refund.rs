//! `POST /v1/bookings/{id}/refund`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use serde::{Deserialize, Serialize};

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/refund", right: Right::Operators };

/// Money that went back.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundRequest)]
pub(crate) struct Form {
    /// How much, in minor units; at most what is due.
    #[schema(minimum = 1)]
    amount: i64,
    /// Reference of the transfer; the same one twice is the same refund.
    #[schema(min_length = 1, max_length = 200)]
    reference: String,
}

/// Notes that money went back
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/refund",
    operation_id = "refundBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`stale_version`"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn refund(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| {
        Ok(BookingChange::Refund { amount: form.amount, reference: form.reference })
    })
    .await
}
