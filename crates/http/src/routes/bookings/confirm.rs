//! `POST /v1/bookings/{id}/confirm`

use axum::extract::{Request, State};
use lastseat_core::command::{BookingChange, MoneyIn};
use serde::{Deserialize, Serialize};

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::body::object::optional_object;
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/confirm", right: Right::Maker };

/// Money that came in for a booking; nothing where nothing has to be paid.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmRequest)]
pub(crate) struct Form {
    /// The payment. Without one, what a waiting customer was offered and costs nothing is taken up.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    payment: Option<MoneyIn>,
}

/// Confirms a booking whose money came in
///
/// A payment reference that is known changes nothing. Money that pays for nothing is to go back (`refund_due`). For
/// operators and integrators; who holds the booking's token may take up what costs nothing, with an empty object.
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/confirm",
    operation_id = "confirmBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state`, `stale_version`"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn confirm(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| {
        Ok(form.payment.map_or(BookingChange::Accept, BookingChange::Confirm))
    })
    .await
}
