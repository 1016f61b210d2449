//! `POST /v1/listings/{id}/waitlist`

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Actor, Command, JoinWaitlist, WaitFor};
use lastseat_core::customer::Customer;
use lastseat_core::id::WaitlistId;
use lastseat_core::listing::request::{LineSpec, SlotSpec, StaySpec};
use lastseat_core::time::Time;
use lastseat_engine::ids;
use serde::{Deserialize, Serialize};

use crate::address;
use crate::auth::anybody;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::{Json, json};
use crate::body::object::{object, optional_object, optional_objects};
use crate::idempotency::{self, Scope};
use crate::openapi::headers::IdempotencyKey;
use crate::problem::{Answer, Problem};
use crate::respond;
use crate::routes::bookings::claim::one_claim;
use crate::routes::listings::visible;
use crate::routes::{Id, no_params};
use crate::state::AppState;
use crate::view::EntryView;

const ROUTE: &str = "POST /v1/listings/{id}/waitlist";

/// A request to wait.
#[derive(Deserialize, Serialize, utoipa::ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitlistRequest)]
pub(crate) struct Form {
    /// Who waits.
    #[serde(deserialize_with = "object")]
    customer: Customer,
    /// What to wait for, by pools.
    #[serde(default, deserialize_with = "optional_objects", skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineSpec>>,
    /// What to wait for, by nights.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    stay: Option<StaySpec>,
    /// What to wait for, by slots.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    slot: Option<SlotSpec>,
    /// So many units of whatever pools of the listing.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    any: Option<AnySpec>,
    /// Until when to wait; none: until the sale is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// What to do when it can be had.
    #[serde(default)]
    on_offer: OnOffer,
}

/// So many units of whatever pools.
#[derive(Deserialize, Serialize, utoipa::ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schema(as = WaitlistAny)]
pub(crate) struct AnySpec {
    /// Units.
    #[schema(minimum = 1, maximum = 1000)]
    quantity: i64,
}

/// What to do when it can be had.
#[derive(Deserialize, Serialize, utoipa::ToSchema, Debug, Default)]
#[serde(rename_all = "snake_case")]
#[schema(as = WaitlistOnOffer)]
pub(crate) enum OnOffer {
    /// Hold it.
    #[default]
    Hold,
}

/// Waits for what is sold out
///
/// Exactly one of `lines`, `stay`, `slot` and `any` says what for. What comes free is held for those who wait, in the
/// order of joining. A customer waits once in a listing: who joins again gets the entry that is there, with `200`.
#[utoipa::path(
    post,
    path = "/v1/listings/{id}/waitlist",
    operation_id = "joinWaitlist",
    tag = "waitlist",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 201, description = "The entry, with the token that lets its bearer act on it", body = EntryView<'_>, headers(("Location" = String, description = "Where it is"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 200, description = "The customer waits already: that entry, without its token unless the same API key made it", body = EntryView<'_>),
        (status = 409, description = "`wrong_state` where it can be had (with the pools) or there is no waitlist, `not_on_sale`, `customer_limit`"),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn join(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let Json { form, .. } = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    let form = form.map_err(Problem::invalid)?;
    no_params(&head)?;
    let idempotency = idempotency::of_json(&head, Scope::of(&actor, None), ROUTE, &form)?;
    let want = match form.any {
        None => WaitFor::Claim(one_claim(form.lines, form.stay, form.slot, None)?),
        Some(any) if form.lines.is_none() && form.stay.is_none() && form.slot.is_none() => {
            WaitFor::Any(any.quantity)
        }
        Some(_) => {
            return Err(Problem::field("any", "must stand alone: only one of lines, stay, slot and any"));
        }
    };
    let (address, most) = address::limited(&head, &state, &actor);
    let action = Action::JoinWaitlist(Box::new(JoinWaitlist {
        id: ids::waitlist_id(),
        listing: listing.id,
        want,
        customer: form.customer,
        address,
        max_open_holds_of_address: most,
        until: form.until,
    }));
    let command = Command { actor: actor.clone(), idempotency, if_match: None, action };
    let done = state.engine.submit(command).await?;
    let entry = match done.outcome {
        Outcome::Waits(entry) => entry,
        Outcome::WaitsAlready(id) => {
            let mut response = already(&state, &actor, id).await?;
            idempotency::mark(&mut response, done.replayed);
            return Ok(response);
        }
        _ => unreachable!("somebody joined a waitlist"),
    };
    let view = EntryView::joined(&listing, &entry).with_token(&state.engine);
    let mut response: Response = respond::json(StatusCode::CREATED, &view);
    let location = format!("/v1/waitlist/{}", entry.id);
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(location).expect("ids are ASCII"));
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}

/// The entry of a customer who waits already. Its token is for who made it.
async fn already(state: &AppState, actor: &Actor, id: WaitlistId) -> Answer {
    let found = state.engine.waitlist_entry(id).await?;
    let found = found.ok_or_else(|| Problem::not_found("waitlist entry"))?;
    let view = EntryView::now(&state.engine, &found, actor);
    let made_it = actor.key().is_some() && actor.key() == found.entry.created_by;
    let view = match made_it {
        true => view.with_token(&state.engine),
        false if actor.is_operator() => view,
        false => view.for_strangers(),
    };
    Ok(respond::json(StatusCode::OK, &view))
}
