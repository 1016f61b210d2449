//! `PUT /v1/listings/{id}/pools`: capacities, blocked units and prices.

use axum::extract::{Request, State};
use http::StatusCode;
use jiff::civil::Date;
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command, PoolRange, PoolSpec, PoolsChange};
use lastseat_core::refusal::FieldError;
use serde::{Deserialize, Serialize};

use crate::auth::{ADMINS, allow, need_key};
use crate::body::MAX_PLAN_BYTES;
use crate::body::json::json;
use crate::body::object::optional_objects;
use crate::idempotency::{self, Scope};
use crate::openapi::headers::{IdempotencyKey, IfMatch};
use crate::problem::{Answer, Problem};
use crate::respond::if_match;
use crate::routes::listings::{answer, visible};
use crate::routes::{Id, no_params};
use crate::state::AppState;
use crate::view::ListingView;

const ROUTE: &str = "PUT /v1/listings/{id}/pools";

/// New numbers: either of `pools`, or of one `resource` on the dates `from` to `until`.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolsRequest)]
pub(crate) struct Form {
    /// New numbers of these pools; what is left out stays.
    #[serde(default, deserialize_with = "optional_objects", skip_serializing_if = "Option::is_none")]
    pools: Option<Vec<PoolSpec>>,
    /// Key of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// First date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The date after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    /// Units that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    capacity: Option<i64>,
    /// Units withheld from sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    blocked: Option<i64>,
    /// Price of a unit in minor units, for new bookings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    price: Option<i64>,
}

impl Form {
    fn change(self) -> Result<PoolsChange, Problem> {
        let Self { pools, resource, from, until, capacity, blocked, price } = self;
        if let Some(pools) = pools {
            let others = [
                ("resource", resource.is_some()),
                ("from", from.is_some()),
                ("until", until.is_some()),
                ("capacity", capacity.is_some()),
                ("blocked", blocked.is_some()),
                ("price", price.is_some()),
            ];
            let others = others.into_iter().filter(|(_, given)| *given);
            let wrong: Vec<_> =
                others.map(|(field, _)| FieldError::new(field, "does not stand beside pools")).collect();
            return if wrong.is_empty() {
                Ok(PoolsChange::Pools(pools))
            } else {
                Err(Problem::invalid(wrong))
            };
        }
        let (Some(resource), Some(from), Some(until)) = (resource, from, until) else {
            return Err(Problem::field("pools", "is missing; or name resource, from and until"));
        };
        Ok(PoolsChange::Range(PoolRange { resource, from, until, capacity, blocked, price }))
    }
}

/// Changes capacities, blocked units and prices
#[utoipa::path(
    put,
    path = "/v1/listings/{id}/pools",
    operation_id = "putPools",
    tag = "listings",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        IfMatch,
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 200, description = "The listing as it is now", body = ListingView, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, description = "`stale_version`, `capacity_in_use` with the pools"),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn put(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let key = need_key(&state.engine, &head.headers);
    // A hall of 60,000 seats may be repriced at once, by those who may.
    let limit = if key.is_ok() { MAX_PLAN_BYTES } else { crate::body::MAX_JSON_BYTES };
    let json = json::<Form>(&head, body, limit).await?;
    let actor = key?;
    let id = visible(&state.engine, &actor, &id).await?.id;
    allow(&actor, ADMINS)?;
    no_params(&head)?;
    let if_match = if_match(&head.headers)?;
    let form = json.valid()?;
    let idempotency = idempotency::of_json(&head, Scope::of(&actor, None), ROUTE, &form)?;
    let action = Action::PutPools { id, change: form.change()? };
    let done = state.engine.submit(Command { actor, idempotency, if_match, action }).await?;
    let Outcome::Listing(listing) = done.outcome else { unreachable!("a listing was changed") };
    let mut response = answer(StatusCode::OK, &listing);
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}
