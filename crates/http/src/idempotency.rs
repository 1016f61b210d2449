//! Idempotency keys. What is kept are digests: of caller, method, route and key, and of the request. gRPC
//! uses the same functions, so that a request repeated over the other protocol finds its answer.

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use lastseat_core::command::{Actor, Idempotency, IdempotencyKey};
use lastseat_core::id::BookingId;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// The header with the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that tells that an answer was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 255;

/// Whose keys these are: a key of one caller means nothing to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope<'a> {
    /// Everybody without a credential.
    Public,
    /// An API key.
    Key(&'a Actor),
    /// The token of a booking.
    Booking(BookingId),
}

impl<'a> Scope<'a> {
    /// The scope of an actor, who acts on this booking if it is its owner.
    #[must_use]
    pub const fn of(actor: &'a Actor, booking: Option<BookingId>) -> Self {
        match (actor, booking) {
            (Actor::Key { .. } | Actor::System, _) => Self::Key(actor),
            (Actor::Owner, Some(id)) => Self::Booking(id),
            (Actor::Owner | Actor::Public, _) => Self::Public,
        }
    }

    fn update(self, hash: &mut Sha256) {
        match self {
            Self::Public => hash.update(b"public"),
            Self::Key(actor) => {
                hash.update(b"key");
                hash.update(actor.key().map_or([0; 16], lastseat_core::id::KeyId::to_bytes));
            }
            Self::Booking(id) => {
                hash.update(b"booking");
                hash.update(id.to_bytes());
            }
        }
    }
}

/// The digest of a key: `route` is the method and the template, `POST /v1/bookings/{id}/cancel` for example.
#[must_use]
pub fn digest(scope: Scope<'_>, route: &str, key: &str) -> IdempotencyKey {
    let mut hash = Sha256::new();
    scope.update(&mut hash);
    for part in [route, key] {
        hash.update([0]);
        hash.update(part.as_bytes());
    }
    IdempotencyKey(first_half(&hash.finalize()))
}

fn first_half(digest: &[u8]) -> [u8; 16] {
    digest[..16].try_into().expect("a digest has 32 bytes")
}

/// The key that a request carries.
///
/// # Errors
/// `422 invalid` for one that is empty, too long, not visible ASCII, or there twice.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    let text = value.to_str().ok().filter(|text| visible && (1..=MAX_KEY_CHARS).contains(&text.len()));
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text)),
        _ => Err(Problem::field(
            "Idempotency-Key",
            format!("must be one header with 1 to {MAX_KEY_CHARS} visible ASCII characters"),
        )),
    }
}

/// The key and fingerprint of a request with a JSON body that was read as `body`, if it carries a key. What is
/// hashed is the body written again: the order of fields, blanks, and nulls for what may be left out make no
/// other request.
///
/// # Errors
/// As [`key`].
pub(crate) fn of_json(
    head: &Parts,
    scope: Scope<'_>,
    route: &str,
    body: &impl Serialize,
) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = key(&head.headers)? else { return Ok(None) };
    let mut hash = request(head);
    hash.update(serde_json::to_vec(body).expect("forms are plain data"));
    Ok(Some(finished(scope, route, key, hash)))
}

/// The key and fingerprint of one line of many in a request with this key: as [`of_json`], each line by itself.
pub(crate) fn of_line(
    key: &str,
    scope: Scope<'_>,
    route: &str,
    line: u64,
    body: &impl Serialize,
) -> Idempotency {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(body).expect("forms are plain data"));
    // Keys have no blanks.
    finished(scope, route, &format!("{key} {line}"), hash)
}

/// The key and fingerprint of a request with a form, if it carries a key: of each field the name and the
/// SHA-256 of its content.
///
/// # Errors
/// As [`key`].
pub(crate) fn of_form(
    head: &Parts,
    scope: Scope<'_>,
    route: &str,
    fields: &[(&str, [u8; 32])],
) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = key(&head.headers)? else { return Ok(None) };
    let mut hash = request(head);
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    for (name, content) in fields {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(content);
    }
    Ok(Some(finished(scope, route, key, hash)))
}

/// Marks an answer that was given before.
pub(crate) fn mark(response: &mut axum::response::Response, replayed: bool) {
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, http::HeaderValue::from_static("true"));
    }
}

fn finished(scope: Scope<'_>, route: &str, key: &str, hash: Sha256) -> Idempotency {
    Idempotency { key: digest(scope, route, key), fingerprint: first_half(&hash.finalize()) }
}

fn request(head: &Parts) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(head.uri.path().as_bytes());
    hash.update([0]);
    hash.update(head.uri.query().unwrap_or_default().as_bytes());
    hash.update([0]);
    hash
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn head(uri: &str, key: &str) -> Parts {
        let request = http::Request::post(uri).header(IDEMPOTENCY_KEY, key).body(()).unwrap();
        request.into_parts().0
    }

    #[test]
    fn another_body_path_or_query_is_another_request() {
        let of = |uri: &str, body: &str| {
            of_json(&head(uri, "k"), Scope::Public, "POST /x", &body).unwrap().unwrap()
        };
        let first = of("/x", "a");
        assert_eq!(first, of("/x", "a"));
        for other in [of("/x", "b"), of("/x?y", "a"), of("/y", "a")] {
            assert_eq!(first.key, other.key);
            assert_ne!(first.fingerprint, other.fingerprint);
        }
    }

    #[test]
    fn a_key_belongs_to_its_caller_and_its_route() {
        let booking = Scope::Booking(BookingId::from_bits(1));
        let keys = [
            digest(Scope::Public, "POST /a", "k"),
            digest(Scope::Public, "POST /b", "k"),
            digest(Scope::Public, "POST /a", "l"),
            digest(booking, "POST /a", "k"),
            digest(Scope::Booking(BookingId::from_bits(2)), "POST /a", "k"),
        ];
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn keys_that_are_empty_long_or_unprintable_are_refused() {
        for bad in ["", " ", "a b", "ä", &"x".repeat(256)] {
            assert!(key(&head("/", bad).headers).is_err(), "{bad:?}");
        }
        assert_eq!(key(&head("/", &"x".repeat(255)).headers).unwrap().unwrap().len(), 255);
        let mut twice = head("/", "a").headers;
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(key(&twice).is_err());
    }
}
