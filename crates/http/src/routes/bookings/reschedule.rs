//! `POST /v1/bookings/{id}/reschedule`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use lastseat_core::listing::request::{LineSpec, SlotSpec, StaySpec};
use serde::{Deserialize, Serialize};

use super::change::{Verb, change};
use super::claim::one_claim;
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::body::object::{optional_object, optional_objects};
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;
use crate::view::BookingView;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/reschedule", right: Right::OwnerOrMaker };

/// A request to claim something else instead: exactly one of the fields.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RescheduleRequest)]
pub(crate) struct Form {
    /// What to book, by pools.
    #[serde(default, deserialize_with = "optional_objects", skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineSpec>>,
    /// What to book, by nights.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    stay: Option<StaySpec>,
    /// What to book, by slots.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    slot: Option<SlotSpec>,
}

/// Moves a booking to other pools
///
/// At once or not at all; its own units are given back first.
#[utoipa::path(
    post,
    path = "/v1/bookings/{id}/reschedule",
    operation_id = "rescheduleBooking",
    tag = "bookings",
    params(
        ("id" = String, Path, description = "Id of the booking"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 200, description = "The booking as it is now", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 409, description = "`wrong_state`, `hold_expired`, `stale_version`, `not_on_sale`, `customer_limit`, `sold_out` with the pools"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn reschedule(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| {
        let claim = one_claim(form.lines, form.stay, form.slot, None)?;
        Ok(BookingChange::Reschedule { claim })
    })
    .await
}
