//! The description of the API, made from the handlers' own.

pub(crate) mod headers;
mod links;
mod problems;

use utoipa::OpenApi;
use utoipa::openapi::Info;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use crate::problem::ProblemSchema;
use crate::routes::{bookings, docs, events, keys, listings, live, system, waitlist};

#[derive(OpenApi)]
#[openapi(
    paths(
        listings::create::create,
        listings::list::list,
        listings::get::get,
        listings::patch::patch,
        listings::pools::put,
        listings::availability::availability,
        listings::seating::seating,
        bookings::create::create,
        bookings::list::list,
        bookings::get::get,
        bookings::calendar::calendar,
        bookings::events::events,
        bookings::payment::pay,
        bookings::receipts::list::list,
        bookings::receipts::get::get,
        bookings::confirm::confirm,
        bookings::approve::approve,
        bookings::reject::reject,
        bookings::cancel::cancel,
        bookings::extend::extend,
        bookings::reschedule::reschedule,
        bookings::refund::refund,
        bookings::import::import,
        waitlist::join::join,
        waitlist::list::list,
        waitlist::get::get,
        waitlist::leave::leave,
        events::events,
        listings::live::live,
        bookings::live::live,
        waitlist::live::live,
        live::live,
        keys::create::create,
        keys::list::list,
        keys::revoke::revoke,
        system::health::health,
        system::ready::ready,
        system::metrics::metrics,
        docs::description,
    ),
    components(schemas(ProblemSchema)),
    tags(
        (name = "listings", description = "What can be booked, and how much of it is left"),
        (name = "bookings", description = "From the hold to the end"),
        (name = "waitlist", description = "Who waits for what is sold out, and gets what comes free"),
        (name = "events", description = "Everything that happened"),
        (name = "live", description = "What is pushed"),
        (name = "keys", description = "Who may do what"),
        (name = "system", description = "For machines"),
    )
)]
struct Description;

/// What stands above everything.
const ABOUT: &str = "A booking engine for limited capacity: it sells the last seat exactly once. \
Instants are RFC 3339 in UTC, money is in minor units. What is refused is told as problem details (RFC 9457) \
with a stable `code`; `/errors/{code}` explains each.";

/// The whole description, as OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = Description::openapi();
    let mut info = Info::new("Lastseat", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    api.info = info;
    let components = api.components.get_or_insert_default();
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("The secret of an API key"));
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer.build()));
    let token =
        ApiKeyValue::with_description("Booking-Token", "The token of the booking, in links `?token=`");
    components.add_security_scheme("booking_token", SecurityScheme::ApiKey(ApiKey::Header(token)));
    let token = ApiKeyValue::with_description("Waitlist-Token", "The token of the entry, in links `?token=`");
    components.add_security_scheme("waitlist_token", SecurityScheme::ApiKey(ApiKey::Header(token)));
    problems::add(&mut api);
    links::add(&mut api);
    api
}
