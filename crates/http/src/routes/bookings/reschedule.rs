//! `POST /v1/bookings/{id}/reschedule`

use axum::extract::{Request, State};
use lastseat_core::command::BookingChange;
use lastseat_core::listing::request::{LineSpec, SlotSpec, StaySpec};
use serde::Deserialize;

use super::change::{Verb, change};
use super::claim::one_claim;
use crate::auth::Right;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::body::object::{optional_object, optional_objects};
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/reschedule", right: Right::OwnerOrMaker };

/// A request to claim something else instead: exactly one of the fields.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RescheduleRequest)]
pub(crate) struct Form {
    /// What to book, by pools.
    #[serde(default, deserialize_with = "optional_objects")]
    lines: Option<Vec<LineSpec>>,
    /// What to book, by nights.
    #[serde(default, deserialize_with = "optional_object")]
    stay: Option<StaySpec>,
    /// What to book, by slots.
    #[serde(default, deserialize_with = "optional_object")]
    slot: Option<SlotSpec>,
}

pub(crate) async fn reschedule(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| {
        let claim = one_claim(form.lines, form.stay, form.slot, None)?;
        Ok(BookingChange::Reschedule { claim })
    })
    .await
}
