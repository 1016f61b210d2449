//! Problem details (RFC 9457): the one place where a refusal becomes an answer. `type` is the page of the
//! code, relative to the server; `code` is what programs look at.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use lastseat_core::refusal::{Code, FieldError, Refusal, RefusalData, ShortPool};
use lastseat_core::time::Time;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The media type of all refusals.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// After how many seconds to try again, where the refusal does not say.
const DEFAULT_RETRY_SECONDS: u32 = 1;
/// Bytes set aside for a refusal; most fit.
const SMALL: usize = 512;
/// What is said when a handler panics. Not a code: clients cannot bring it about.
const INTERNAL: &str = r#"{"type":"about:blank","title":"Internal error","status":500,"detail":"Something went wrong inside; it was logged. Nothing may be assumed about the request: look before you repeat it.","code":"internal"}"#;

/// A refusal on its way to the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem(pub Box<Refusal>);

/// What a handler gives.
pub type Answer = Result<Response, Problem>;

impl Problem {
    /// A problem with a sentence and no further facts.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Refusal::new(code, detail).into()
    }

    /// `422 invalid` for one field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Refusal::field(field, message).into()
    }

    /// `422 invalid` for these fields.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Refusal::invalid(errors).into()
    }

    /// `404 not_found` for a thing of this kind.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Refusal::not_found(what).into()
    }

    /// `429` or `503` with the seconds after which to try again.
    #[must_use]
    pub fn retry(code: Code, detail: impl Into<String>, seconds: u32) -> Self {
        Refusal::with(code, detail, RefusalData::RetryAfter(seconds)).into()
    }

    /// The body, as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(SMALL);
        serde_json::to_writer(&mut text, &Body(&self.0)).expect("a problem is plain data");
        text
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).expect("codes have statuses of HTTP");
        let mut response = Response::new(Bytes::from(self.to_json()).into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        match (self.0.code, &self.0.data) {
            (_, RefusalData::RetryAfter(seconds)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            (Code::RateLimited | Code::Overloaded | Code::Unavailable, _) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(DEFAULT_RETRY_SECONDS));
            }
            (Code::Unauthenticated, _) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// A refusal as the object that clients read.
struct Body<'a>(&'a Refusal);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Refusal { code, detail, data } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &format_args!("/errors/{code}"))?;
        map.serialize_entry("title", code.title())?;
        map.serialize_entry("status", &code.status())?;
        map.serialize_entry("detail", detail)?;
        map.serialize_entry("code", code.as_str())?;
        match data {
            RefusalData::None | RefusalData::RetryAfter(_) => {}
            RefusalData::Fields(errors) => map.serialize_entry("errors", errors)?,
            RefusalData::State { state, decided_by, decided_at } => {
                map.serialize_entry("state", state)?;
                map.serialize_entry("decided_by", decided_by)?;
                map.serialize_entry("decided_at", decided_at)?;
            }
            RefusalData::Standing(standing) => map.serialize_entry("state", standing)?,
            RefusalData::Version(version) => map.serialize_entry("version", version)?,
            RefusalData::Total(total) => map.serialize_entry("total", total)?,
            RefusalData::Pools { pools, waitlist } => {
                map.serialize_entry("pools", pools)?;
                if let Some(listing) = waitlist {
                    map.serialize_entry("waitlist", &format_args!("/v1/listings/{listing}/waitlist"))?;
                }
            }
        }
        map.end()
    }
}

/// What [`Problem`] looks like, for the description of the API.
#[derive(utoipa::ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "a description, never made")]
pub struct ProblemSchema {
    /// Page about the code, relative to this server.
    #[schema(value_type = String, example = "/errors/sold_out")]
    r#type: String,
    /// A short sentence, the same for every occurrence.
    title: String,
    /// The HTTP status again.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened in this case and what to do.
    detail: String,
    /// The stable code.
    code: String,
    /// With `invalid`: what is wrong with which field.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// With `sold_out` and `capacity_in_use`: the pools that are short. With `wrong_state`, for who wants to wait for
    /// what can be had: those.
    #[schema(nullable = false)]
    pools: Option<Vec<ShortPool>>,
    /// With `sold_out`, where the listing has a waitlist: where to join it.
    #[schema(nullable = false)]
    waitlist: Option<String>,
    /// With `wrong_state` and `hold_expired`: the state of the booking, or of the entry of the waitlist.
    #[schema(nullable = false)]
    state: Option<String>,
    /// Who brought it there.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<Time>,
    /// With `stale_version`: the current version.
    #[schema(nullable = false)]
    version: Option<u64>,
    /// With `price_changed`: the price now, in minor units.
    #[schema(nullable = false)]
    total: Option<i64>,
}

/// The answer where a handler panicked. The panic itself was logged.
pub(crate) fn internal_error() -> Response {
    let mut response = Response::new(Bytes::from_static(INTERNAL.as_bytes()).into());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
}

/// The answer for paths that lead nowhere.
pub(crate) async fn unknown_route() -> Problem {
    Problem::new(Code::NotFound, "No route has this path. What there is stands under /docs.")
}

/// The answer for methods that a path does not know; axum adds the `Allow` header.
pub(crate) async fn unknown_method(method: http::Method) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!("{method} cannot be done here; the header Allow names what can."),
    )
}

#[cfg(test)]
mod tests {
    use lastseat_core::booking::State;

    use super::*;

    fn json(refusal: Refusal) -> serde_json::Value {
        serde_json::from_slice(&Problem::from(refusal).to_json()).unwrap()
    }

    #[test]
    fn every_code_has_its_page_and_its_status() {
        for code in Code::ALL {
            let body = json(Refusal::new(*code, "Because."));
            assert_eq!(body["type"], format!("/errors/{code}"));
            assert_eq!(body["status"], code.status());
            let answer = Problem::new(*code, "Because.").into_response();
            assert_eq!(answer.status().as_u16(), code.status());
            let retries = matches!(code.status(), 429 | 503);
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), retries, "{code}");
        }
    }

    #[test]
    fn facts_stand_beside_the_sentence() {
        let state = RefusalData::State { state: State::Confirmed, decided_by: None, decided_at: None };
        let mut body = json(Refusal::with(Code::WrongState, "It is confirmed.", state));
        body.sort_all_objects();
        insta::assert_json_snapshot!(body, @r#"
        {
          "code": "wrong_state",
          "decided_at": null,
          "decided_by": null,
          "detail": "It is confirmed.",
          "state": "confirmed",
          "status": 409,
          "title": "The state does not allow this",
          "type": "/errors/wrong_state"
        }
        "#);
        assert_eq!(json(Refusal::field("a", "is wrong"))["errors"][0]["field"], "a");
        let total = Refusal::with(Code::PriceChanged, "x", RefusalData::Total(7));
        assert_eq!(json(total)["total"], 7);
    }
}
