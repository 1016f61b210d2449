//! `POST /v1/listings`

use axum::extract::{Request, State};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command};
use lastseat_core::listing::spec::ListingSpec;
use lastseat_engine::ids;

use crate::auth::{ADMINS, need_role};
use crate::body::json::{JSON, strict_json};
use crate::body::{MAX_JSON_BYTES, MAX_PLAN_BYTES};
use crate::idempotency::{self, Scope};
use crate::openapi::headers::IdempotencyKey;
use crate::problem::Answer;
use crate::routes::listings::{answer, form};
use crate::routes::no_params;
use crate::state::AppState;
use crate::view::ListingView;

const ROUTE: &str = "POST /v1/listings";

/// Makes a listing
#[utoipa::path(
    post,
    path = "/v1/listings",
    operation_id = "createListing",
    tag = "listings",
    params(
        IdempotencyKey,
    ),
    request_body = ListingSpec,
    responses(
        (status = 201, description = "The listing", body = ListingView, headers(("ETag" = String, description = "The version, in quotes"), ("Location" = String, description = "Where it is"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn create(State(state): State<AppState>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let actor = need_role(&state.engine, &head.headers, ADMINS);
    // Room for a seating plan is for those who may bring one.
    let limit = if actor.is_ok() { MAX_PLAN_BYTES + MAX_JSON_BYTES } else { MAX_JSON_BYTES };
    let json = strict_json::<ListingSpec>(&head, body, &[JSON], limit).await?;
    let actor = actor?;
    form::check(&json.text)?;
    no_params(&head)?;
    let mut spec = json.valid()?;
    if let Some(plan) = spec.seating.as_mut().and_then(|seating| seating.plan.as_mut()) {
        // Its fields may stand in any order, for the fingerprint.
        plan.sort_all_objects();
    }
    let idempotency = idempotency::of_json(&head, Scope::of(&actor, None), ROUTE, &spec)?;
    let action = Action::CreateListing { id: ids::listing_id(), spec: Box::new(spec) };
    let done = state.engine.submit(Command { actor, idempotency, if_match: None, action }).await?;
    let Outcome::Listing(listing) = done.outcome else { unreachable!("a listing was made") };
    let mut response = answer(StatusCode::CREATED, &listing);
    let location = format!("/v1/listings/{}", listing.id);
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(location).expect("ids are ASCII"));
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}
