//! Who asks. A wrong key is `401` wherever it is shown; a wrong token is `404`, like somebody else's booking.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use lastseat_core::booking::Booking;
use lastseat_core::command::{Actor, Role};
use lastseat_core::id::{BookingId, KeyId, WaitlistId};
use lastseat_core::refusal::Code;
use lastseat_engine::{Engine, ids};
use lastseat_store::ApiKey;
use sha2::{Digest as _, Sha256};

use crate::params::Params;
use crate::problem::Problem;

/// The header with the token of an entry of a waitlist; in links it is the parameter `token`.
pub const WAITLIST_TOKEN: HeaderName = HeaderName::from_static("waitlist-token");
/// The header with the token of a booking; in links it is the parameter `token`.
pub const BOOKING_TOKEN: HeaderName = HeaderName::from_static("booking-token");
/// How secrets of keys begin, so that one that got lost is recognised.
const SECRET_PREFIX: &str = "lsk_";
/// Longest secret of a key, in bytes, that is looked at.
const MAX_SECRET_BYTES: usize = 512;

/// A fresh secret of an API key: 256 random bits.
#[must_use]
pub fn new_secret() -> String {
    format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(ids::secret_bytes()))
}

/// What is stored of the secret of an API key: secrets have 256 random bits, so a plain SHA-256 is enough.
#[must_use]
pub fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The secret that a request shows, if it shows just one.
pub(crate) fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none()).and_then(bearer)
}

/// Sees to it that a key that is shown is known here, also one that another node has made just now.
pub(crate) async fn know_key(State(engine): State<Engine>, request: Request, next: Next) -> Response {
    if let Some(hash) = bearer_of(request.headers()).map(hash_secret) {
        engine.find_key(&hash).await;
    }
    next.run(request).await
}

/// Who shows an API key.
///
/// # Errors
/// `401 unauthenticated` for a header that holds no key in force.
pub(crate) fn api_key(engine: &Engine, headers: &HeaderMap) -> Result<Option<Arc<ApiKey>>, Problem> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    // The lookup is by the hash of the secret: how long it takes tells nothing about any key.
    bearer_of(headers).and_then(|secret| engine.key(&hash_secret(secret))).map(Some).ok_or_else(|| {
        Problem::new(
            Code::Unauthenticated,
            "The API key is not known here. Send a key in force: Authorization: Bearer <key>.",
        )
    })
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, secret) = value.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty() && secret.len() <= MAX_SECRET_BYTES)
        .then_some(secret)
}

/// A key as an actor.
pub(crate) fn actor_of(key: &ApiKey) -> Actor {
    Actor::Key { id: key.id, role: key.role, name: key.name.as_str().into() }
}

/// Anybody, or who shows an API key.
///
/// # Errors
/// `401 unauthenticated` for a wrong key.
pub(crate) fn anybody(engine: &Engine, headers: &HeaderMap) -> Result<Actor, Problem> {
    Ok(api_key(engine, headers)?.map_or(Actor::Public, |key| actor_of(&key)))
}

/// Who shows an API key of one of these roles.
///
/// # Errors
/// As [`need_key`] and [`allow`].
pub(crate) fn need_role(engine: &Engine, headers: &HeaderMap, roles: &[Role]) -> Result<Actor, Problem> {
    let actor = need_key(engine, headers)?;
    allow(&actor, roles)?;
    Ok(actor)
}

/// Who shows an API key.
///
/// # Errors
/// `401 unauthenticated` without a key in force.
pub(crate) fn need_key(engine: &Engine, headers: &HeaderMap) -> Result<Actor, Problem> {
    let missing =
        || Problem::new(Code::Unauthenticated, "An API key is needed: Authorization: Bearer <key>.");
    api_key(engine, headers)?.map(|key| actor_of(&key)).ok_or_else(missing)
}

/// Lets keys of these roles pass.
///
/// # Errors
/// `403 forbidden` for others.
pub(crate) fn allow(actor: &Actor, roles: &[Role]) -> Result<(), Problem> {
    if matches!(actor, Actor::Key { role, .. } if roles.contains(role)) {
        return Ok(());
    }
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    Err(Problem::new(Code::Forbidden, format!("This is for keys with the role {}.", names.join(" or "))))
}

/// The roles that may see and decide all bookings.
pub(crate) const OPERATORS: &[Role] = &[Role::Admin, Role::Operator];
/// The role that may change listings and keys.
pub(crate) const ADMINS: &[Role] = &[Role::Admin];

/// Who acts on booking `id`: an API key, else whoever has its token.
///
/// # Errors
/// `401 unauthenticated` without any credential or with a wrong key, `404 not_found` for an id that is none
/// and a token that does not open the booking.
pub(crate) fn booking_actor(
    engine: &Engine,
    head: &Parts,
    params: &mut Params,
    id: &str,
) -> Result<(Actor, BookingId), Problem> {
    let in_words = "the booking's token (header Booking-Token)";
    let (key, token) = credentials(engine, head, params, &BOOKING_TOKEN, in_words)?;
    let id: BookingId = id.parse().map_err(|_| Problem::not_found("booking"))?;
    match (key, token) {
        (Some(key), _) => Ok((actor_of(&key), id)),
        (None, Some(token)) if engine.secret().opens(id, &token) => Ok((Actor::Owner, id)),
        _ => Err(Problem::not_found("booking")),
    }
}

/// Who acts on the entry `id` of a waitlist: an API key, else whoever has its token.
///
/// # Errors
/// As [`booking_actor`].
pub(crate) fn waitlist_actor(
    engine: &Engine,
    head: &Parts,
    params: &mut Params,
    id: &str,
) -> Result<(Actor, WaitlistId), Problem> {
    let missing = || Problem::not_found("waitlist entry");
    let in_words = "the entry's token (header Waitlist-Token)";
    let (key, token) = credentials(engine, head, params, &WAITLIST_TOKEN, in_words)?;
    let id: WaitlistId = id.parse().map_err(|_| missing())?;
    match (key, token) {
        (Some(key), _) => Ok((actor_of(&key), id)),
        (None, Some(token)) if engine.secret().opens_entry(id, &token) => Ok((Actor::Owner, id)),
        _ => Err(missing()),
    }
}

/// The key in force and the token that a request shows.
///
/// # Errors
/// `401 unauthenticated` without either, or with a wrong key.
fn credentials(
    engine: &Engine,
    head: &Parts,
    params: &mut Params,
    name: &HeaderName,
    token_in_words: &str,
) -> Result<(Option<Arc<ApiKey>>, Option<String>), Problem> {
    let parameter = params.take("token");
    let header = head.headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
    let key = api_key(engine, &head.headers)?;
    let token = header.or(parameter);
    if key.is_none() && token.is_none() {
        let text = format!("Send {token_in_words} or an API key (Authorization: Bearer <key>).");
        return Err(Problem::new(Code::Unauthenticated, text));
    }
    Ok((key, token))
}

/// Who may do something with a booking, besides admins and operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Right {
    /// Nobody.
    Operators,
    /// The integrator that made it.
    Maker,
    /// Its owner.
    Owner,
    /// Its owner and the integrator that made it.
    OwnerOrMaker,
}

/// Checks the right of `actor` to do something with `booking`. Commands are checked by the core; this is for
/// reading, and for requests that are too broken to become a command.
///
/// # Errors
/// `404 not_found` for somebody else's booking, `403 forbidden` for what is not this caller's to do.
pub(crate) fn check_right(actor: &Actor, booking: &Booking, right: Right) -> Result<(), Problem> {
    let made_by = |id: &KeyId| booking.created_by == Some(*id);
    let allowed = match actor {
        Actor::System | Actor::Key { role: Role::Admin | Role::Operator, .. } => true,
        Actor::Key { role: Role::Integrator, id, .. } if made_by(id) => {
            matches!(right, Right::Maker | Right::OwnerOrMaker)
        }
        Actor::Owner => matches!(right, Right::Owner | Right::OwnerOrMaker),
        Actor::Key { .. } | Actor::Public => return Err(Problem::not_found("booking")),
    };
    if allowed { Ok(()) } else { Err(Problem::new(Code::Forbidden, "Only operators may do this.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_with_something_in_it_is_a_key() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for text in ["", "Bearer", "Bearer ", "Basic abc", "abc", &format!("Bearer {}", "x".repeat(600))] {
            assert_eq!(bearer(text), None, "{text}");
        }
    }
}
