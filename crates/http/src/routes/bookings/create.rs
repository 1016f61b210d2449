//! `POST /v1/bookings`

use axum::extract::{Request, State};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command, CreateBooking};
use lastseat_core::customer::Customer;
use lastseat_core::listing::request::{LineSpec, SlotSpec, StaySpec};
use lastseat_engine::ids;
use serde::{Deserialize, Serialize};

use super::claim::{BestAvailable, one_claim};
use super::{Token, answer};
use crate::address;
use crate::auth::anybody;
use crate::body::MAX_JSON_BYTES;
use crate::body::json::{Json, json};
use crate::body::object::{object, optional_object, optional_objects};
use crate::idempotency::{self, Scope};
use crate::openapi::headers::IdempotencyKey;
use crate::problem::{Answer, Problem};
use crate::routes::listings::visible;
use crate::routes::no_params;
use crate::state::AppState;
use crate::view::BookingView;

const ROUTE: &str = "POST /v1/bookings";

/// A request to book.
#[derive(Deserialize, Serialize, utoipa::ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schema(as = BookingRequest)]
pub(crate) struct Form {
    /// The listing.
    listing_id: String,
    /// What to book, by pools.
    #[serde(default, deserialize_with = "optional_objects", skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineSpec>>,
    /// What to book, by nights.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    stay: Option<StaySpec>,
    /// What to book, by slots.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    slot: Option<SlotSpec>,
    /// So many seats, side by side if possible. Not offered yet.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    best_available: Option<BestAvailable>,
    /// The total that the customer saw, in minor units; another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_total: Option<i64>,
    /// Who it is for.
    #[serde(deserialize_with = "object")]
    customer: Customer,
    /// What the customer wants to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// A pass of the waiting room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
}

/// Books
///
/// Exactly one of `lines`, `stay` and `slot` says what. Where payment is due the booking is held until `due_at`,
/// else it is confirmed at once.
#[utoipa::path(
    post,
    path = "/v1/bookings",
    operation_id = "createBooking",
    tag = "bookings",
    params(
        IdempotencyKey,
    ),
    request_body = Form,
    responses(
        (status = 201, description = "The booking, with the token that lets its bearer act on it", body = BookingView<'_>, headers(("ETag" = String, description = "The version, in quotes"), ("Location" = String, description = "Where it is"), ("Idempotency-Replayed" = Option<String>, description = "`true` where the answer was given before"))),
        (status = 403, description = "`pass_required`, `pass_invalid`"),
        (status = 409, description = "`not_on_sale`, `price_changed`, `customer_limit`, `sold_out` with the pools"),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn create(State(state): State<AppState>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let Json { text, form, .. } = json::<Form>(&head, body, MAX_JSON_BYTES).await?;
    let actor = anybody(&state.engine, &head.headers)?;
    let form = match form {
        Ok(form) => form,
        Err(errors) => {
            // A listing that is not there is told before what else is wrong.
            if let Some(id) = listing_id(&text) {
                visible(&state.engine, &actor, &id).await?;
            }
            return Err(Problem::invalid(errors));
        }
    };
    let listing = visible(&state.engine, &actor, &form.listing_id).await?;
    no_params(&head)?;
    let idempotency = idempotency::of_json(&head, Scope::of(&actor, None), ROUTE, &form)?;
    let claim = one_claim(form.lines, form.stay, form.slot, form.best_available.as_ref())?;
    let (address, most) = address::limited(&head, &state, &actor);
    let action = Action::CreateBooking(Box::new(CreateBooking {
        id: ids::booking_id(),
        listing: listing.id,
        claim,
        expected_total: form.expected_total,
        customer: form.customer,
        address,
        max_open_holds_of_address: most,
        note: form.note,
        pass: form.pass,
    }));
    let done = state.engine.submit(Command { actor, idempotency, if_match: None, action }).await?;
    let Outcome::Booking(booking) = done.outcome else { unreachable!("a booking was made") };
    let mut response = answer(&state, StatusCode::CREATED, &booking, Token::Shown)?;
    let location = format!("/v1/bookings/{}", booking.id);
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(location).expect("ids are ASCII"));
    idempotency::mark(&mut response, done.replayed);
    Ok(response)
}

/// The listing that a request names which is wrong otherwise.
fn listing_id(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        listing_id: String,
    }
    serde_json::from_slice::<Named>(text).ok().map(|named| named.listing_id)
}
