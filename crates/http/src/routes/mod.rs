//! The REST API. One endpoint per file: what it takes, what it does, what it answers. The order of checks is
//! the order of [`lastseat_core::refusal::Code`]: the body is read first, then the caller is found, then the
//! thing, then the fields.

pub(crate) mod bookings;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod listings;
pub(crate) mod live;
pub(crate) mod system;
pub(crate) mod waitlist;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::extract::Path;
use http::request::Parts;

use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

/// All routes of the API.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .merge(listings::router())
        .merge(bookings::router())
        .merge(events::router())
        .merge(keys::router())
        .merge(live::router())
        .merge(system::router())
        .merge(waitlist::router())
}

/// The one text in a path, as it was sent. What is no text names nothing.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = Path::<String>::from_request_parts(parts, state).await;
        found.map(|Path(text)| Self(text)).map_err(|_| Problem::not_found("thing"))
    }
}

/// For requests that take no parameters.
///
/// # Errors
/// `422 invalid` if there are some.
pub(crate) fn no_params(head: &Parts) -> Result<(), Problem> {
    match head.uri.query() {
        None => Ok(()),
        query => Params::new(query).finish(),
    }
}
