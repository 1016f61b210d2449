//! `POST /v1/bookings/{id}/extend`

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

const VERB: Verb = Verb { route: "POST /v1/bookings/{id}/extend", right: Right::Owner };

/// A request for more time to pay.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtendRequest)]
pub(crate) struct Form {
    /// How much more.
    #[schema(minimum = 1, maximum = 7_776_000)]
    seconds: i64,
}

pub(crate) async fn extend(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let json = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    change(&state, &head, &id, json, &VERB, |form| Ok(BookingChange::Extend { seconds: form.seconds })).await
}
