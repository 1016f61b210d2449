//! `POST /v1/bookings/{id}/extend`

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

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/extend", right: Right::Owner };

/// A request for more time to pay.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtendRequest)]
pub(crate) struct Form {
    /// How much more.
    #[schema(minimum = 1, maximum = 7_776_000)]
    seconds: i64,
}

/// Gives a hold more time, once
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/extend",
    operation_id = "extendBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state`, `hold_expired`, `stale_version`"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn extend(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Extend { seconds: form.seconds })).await
}
