//! `POST /v1/bookings/{id}/confirm`

use axum::extract::{Request, State};
use lastseat_core::command::{BookingChange, MoneyIn};
use serde::Deserialize;

use super::change::{Verb, change};
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::body::object::object;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/confirm", right: Right::Maker };

/// Money that came in for a booking.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmRequest)]
pub(crate) struct Form {
    /// The payment.
    #[serde(deserialize_with = "object")]
    payment: MoneyIn,
}

pub(crate) async fn confirm(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Confirm(form.payment))).await
}
