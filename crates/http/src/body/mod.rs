//! Reading request bodies: how large, how slow, of which type, and what is wrong with them.
//!
//! - [`read`] and [`Chunks`]: bytes within limits of size and time
//! - [`json`]: JSON, with the path of what is wrong in it
//! - [`object`], [`duplicates`]: what serde would let pass

pub(crate) mod duplicates;
pub(crate) mod json;
pub(crate) mod object;
pub(crate) mod read;

pub(crate) use read::{Chunks, Whole, read};

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use lastseat_core::refusal::Code;

use crate::problem::Problem;

/// Largest JSON body, in bytes: 1 MiB.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;
/// Largest body with a seating plan in it, in bytes: 32 MiB.
pub(crate) const MAX_PLAN_BYTES: usize = 32 * 1024 * 1024;
/// Largest import, in bytes: 64 MiB.
pub(crate) const MAX_IMPORT_BYTES: usize = 64 * 1024 * 1024;

/// The media type of the body in lower case without parameters; empty where none is named.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether the body is declared as one of these media types, which are written in lower case.
fn is_type(headers: &HeaderMap, accepted: &[&str]) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes) else { return false };
    // What nearly everybody sends, without a copy.
    accepted.iter().any(|name| name.as_bytes() == value) || accepted.contains(&media_type(headers).as_str())
}

/// `415 unsupported_media_type` unless the body is declared as one of these.
pub(crate) fn need_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    if is_type(headers, accepted) {
        return Ok(());
    }
    let given = media_type(headers);
    let given = if given.is_empty() { "nothing" } else { &given };
    let text = format!("Send the body as {} (header Content-Type), not as {given}.", accepted.join(" or "));
    Err(Problem::new(Code::UnsupportedMediaType, text))
}
