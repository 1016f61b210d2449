//! Answers: JSON as bytes, versions as entity tags, pages of lists.

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use lastseat_core::booking::Booking;
use lastseat_core::listing::Listing;
use lastseat_engine::Engine;
use serde::Serialize;

use crate::cursor::{self, List};
use crate::params::Params;
use crate::problem::Problem;

/// Bytes set aside for a small answer.
const SMALL: usize = 1024;

/// An answer of JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    bytes(status, to_bytes(value))
}

/// A value as JSON.
pub(crate) fn to_bytes(value: &impl Serialize) -> Bytes {
    let mut text = Vec::with_capacity(SMALL);
    serde_json::to_writer(&mut text, value).expect("views are plain data");
    text.into()
}

/// An answer of JSON that was written before.
pub(crate) fn bytes(status: StatusCode, text: Bytes) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The entity tag of a version: `"3"`.
pub(crate) fn version_tag(version: u64) -> HeaderValue {
    // On the stack: this is made for every booking.
    let mut text = [b'"'; 22];
    let mut at = text.len() - 1;
    let mut rest = version;
    loop {
        at -= 1;
        text[at] = b'0' + u8::try_from(rest % 10).expect("one digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    HeaderValue::from_bytes(&text[at - 1..]).expect("digits in quotes")
}

/// The entity tag of a booking: its version, and behind a plus the version of its listing that last moved its
/// times, where one did: `"3"`, `"3+2"`.
pub(crate) fn booking_tag(listing: &Listing, booking: &Booking) -> HeaderValue {
    extended_tag(u64::from(booking.version), listing.doc.times_version)
}

/// The entity tag of a listing: its version, and behind a plus how often the numbers of the pools that it shows
/// were changed, where they were.
pub(crate) fn listing_tag(listing: &Listing) -> HeaderValue {
    extended_tag(listing.version, listing.doc.pools_version)
}

fn extended_tag(version: u64, more: Option<u64>) -> HeaderValue {
    let Some(more) = more else { return version_tag(version) };
    HeaderValue::try_from(format!("\"{version}+{more}\"")).expect("digits in quotes")
}

/// Sets the entity tag.
pub(crate) fn with_tag(mut response: Response, tag: HeaderValue) -> Response {
    response.headers_mut().insert(ETAG, tag);
    response
}

/// The version in `If-Match`; none where it is missing or `*`. What stands behind a plus does not count: times that
/// the listing has moved are no change of a booking, and numbers of pools none of a listing.
///
/// # Errors
/// `422 invalid` for anything else but one version in quotes.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut values = headers.get_all(IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" && values.next().is_none() {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| digits)
    };
    let version = digits.and_then(|text| match text.split_once('+') {
        Some((version, times)) => number(times).and_then(|_| number(version)),
        None => number(text),
    });
    match (version, values.next()) {
        (Some(version), None) => Ok(Some(version)),
        _ => Err(Problem::field("If-Match", "must be the ETag of one earlier answer, like \"3\"")),
    }
}

/// Whether the client has what this tag names already.
pub(crate) fn has_seen(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let matches = |one: &str| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes()
    };
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        // Our tags hold no commas.
        value.split(',').any(matches)
    })
}

/// `304` if the client has it already, else the answer; both with the tag.
pub(crate) fn unless_seen(
    headers: &HeaderMap,
    tag: HeaderValue,
    answer: impl FnOnce() -> Response,
) -> Response {
    let mut response =
        if has_seen(headers, &tag) { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// What to give as `cursor` for the next page; null where there is none.
    pub(crate) next_cursor: Option<String>,
}

/// Where in which list a page begins, and how long it is.
pub(crate) struct Paging {
    list: List,
    /// The place of the last item of the page before.
    pub(crate) after: Option<i64>,
    /// Most items.
    pub(crate) limit: u32,
}

impl Paging {
    /// Reads `limit` and `cursor`.
    pub(crate) fn read(engine: &Engine, params: &mut Params, list: List) -> Self {
        let limit = params.limit();
        let after = params.take("cursor").and_then(|text| {
            let place = cursor::read(engine.secret(), engine.epoch(), list, &text);
            if place.is_none() {
                params.problem("cursor", "was not given out by this list; begin without one");
            }
            place
        });
        Self { list, after, limit }
    }

    /// How many to ask for: one more than is shown, to know whether there are more.
    pub(crate) const fn ask(&self) -> u32 {
        self.limit + 1
    }

    /// The page made from what was asked for; `place` tells where an item stands.
    pub(crate) fn page<T>(&self, engine: &Engine, mut items: Vec<T>, place: impl Fn(&T) -> i64) -> Page<T> {
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let next = items.last().filter(|_| more).map(place);
        let next_cursor = next.map(|at| cursor::write(engine.secret(), engine.epoch(), self.list, at));
        Page { items, next_cursor }
    }
}

impl<T> Page<T> {
    /// The same page of something else.
    pub(crate) fn map<U>(self, of: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(of).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_in_quotes() {
        for version in [0, 3, 10, 4711, u64::MAX] {
            assert_eq!(version_tag(version), format!("\"{version}\""));
        }
    }

    fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn if_match_takes_one_version_or_a_star() {
        let read = |value: &str| if_match(&headers(IF_MATCH, value)).ok();
        assert_eq!(read("\"3\""), Some(Some(3)));
        assert_eq!(read("\"3+7\""), Some(Some(3)));
        assert_eq!(read("*"), Some(None));
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        for wrong in [
            "3",
            "\"\"",
            "\"x\"",
            "W/\"3\"",
            "\"3\", \"4\"",
            "\"99999999999999999999999\"",
            "\"+3\"",
            "\"3+\"",
            "\"3+x\"",
            "\"3+4+5\"",
            "\"3++4\"",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn if_none_match_finds_the_tag_among_several() {
        let tag = HeaderValue::from_static("\"a\"");
        for yes in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(has_seen(&headers(IF_NONE_MATCH, yes), &tag), "{yes}");
        }
        assert!(!has_seen(&headers(IF_NONE_MATCH, "\"b\""), &tag));
        assert!(!has_seen(&HeaderMap::new(), &tag));
    }
}
