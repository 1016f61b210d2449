//! Paying with gift cards. The request is read and checked; no server takes them yet.

use axum::body::Body;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::VERB;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::json;
use crate::body::object::objects;
use crate::problem::{Answer, Problem};
use crate::routes::bookings::change::change;
use crate::state::AppState;

/// A request to pay with gift cards.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GiftCardPayment)]
#[allow(dead_code, reason = "read to be checked; not offered yet")]
pub(crate) struct Form {
    /// The cards, in the order in which they are used up.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1)]
    gift_cards: Vec<GiftCard>,
}

/// A gift card.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read to be checked; not offered yet")]
pub(crate) struct GiftCard {
    /// Its code.
    code: String,
    /// Its PIN.
    pin: String,
}

pub(super) async fn pay(state: &AppState, head: &Parts, id: &str, body: Body) -> Answer {
    let json = json::<Form>(head, body, MAX_JSON_BYTES).await?;
    change(state, head, id, json, &VERB, |_| {
        Err(Problem::field("gift_cards", "are not taken by this server; hand in a receipt or pay otherwise"))
    })
    .await
}
