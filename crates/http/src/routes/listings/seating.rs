//! `GET /v1/listings/{id}/seating`: the plan as it was sent, with the prices of its categories.

use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;
use lastseat_core::listing::Shape;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::auth::anybody;
use crate::problem::{Answer, Problem};
use crate::respond::{bytes, to_bytes, unless_seen, version_tag};
use crate::routes::listings::visible;
use crate::routes::{Id, no_params};
use crate::state::AppState;

/// A seating plan with its prices.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Seating)]
pub(crate) struct SeatingView<'a> {
    /// The plan in pretix's JSON format.
    #[schema(value_type = Object)]
    plan: &'a RawValue,
    /// Price of a seat of each category, in minor units.
    prices: &'a std::collections::BTreeMap<String, i64>,
}

/// The seating plan with its prices
#[utoipa::path(
    get,
    path = "/v1/listings/{id}/seating",
    operation_id = "getSeating",
    tag = "listings",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        ("If-None-Match" = Option<String>, Header, description = "ETag of the answer that the client has already"),
    ),
    responses(
        (status = 200, description = "The plan", body = SeatingView<'_>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 304, description = "The client has it already", headers(("ETag" = String, description = "The version, in quotes"))),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn seating(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    let Shape::Seats { prices, .. } = &listing.doc.shape else {
        return Err(Problem::not_found("seating plan"));
    };
    no_params(&head)?;
    let text = state.engine.plan(listing.no).await?.ok_or_else(|| Problem::not_found("seating plan"))?;
    let plan = RawValue::from_string(text).map_err(|error| {
        tracing::error!(%error, listing = %listing.id, "a stored seating plan is no JSON");
        Problem::not_found("seating plan")
    })?;
    // The plan never changes, and prices change with the version of the listing.
    let body: Bytes = to_bytes(&SeatingView { plan: &plan, prices });
    Ok(unless_seen(&head.headers, version_tag(listing.version), || bytes(StatusCode::OK, body)))
}
