//! JSON bodies. What is no JSON at all is `400 malformed`; what is JSON but not what was asked for is
//! `422 invalid` with the path of the field, told only after the caller was found to have the right.

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use lastseat_core::form;
use lastseat_core::refusal::{Code, FieldError};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::duplicates::first_duplicate;
use super::object::Object;
use super::{Whole, need_type, read};
use crate::problem::Problem;
use crate::uploads::Share;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// The media type of merge patches (RFC 7396).
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
/// What serde_json calls JSON that is nested too deeply for it.
const TOO_DEEP: &str = "recursion limit exceeded";

/// A request that is JSON, with what it says or what is wrong with that.
pub(crate) struct Json<T> {
    /// The text, for the fingerprint.
    pub(crate) text: Bytes,
    /// What it says, or what keeps it from being understood.
    pub(crate) form: Result<T, Vec<FieldError>>,
    /// The memory that a large one takes, given back when this is dropped.
    _share: Option<Share>,
}

impl<T> Json<T> {
    /// What the request says.
    ///
    /// # Errors
    /// `422 invalid`. To be called after the caller's right was checked.
    pub(crate) fn valid(self) -> Result<T, Problem> {
        self.form.map_err(Problem::invalid)
    }
}

/// Reads a JSON body of at most `limit` bytes.
///
/// # Errors
/// `413 too_large`, `415 unsupported_media_type`, `400 malformed`.
pub(crate) async fn json<T: DeserializeOwned>(
    head: &Parts,
    body: Body,
    limit: usize,
) -> Result<Json<T>, Problem> {
    let Whole { bytes: text, share } = read(&head.headers, body, limit).await?;
    need_type(&head.headers, &[JSON])?;
    Ok(Json { form: parse(&text)?, text, _share: share })
}

/// As [`json`], but no body and no type stand for `{}`.
///
/// # Errors
/// As [`json`].
pub(crate) async fn json_or_nothing<T: DeserializeOwned>(
    head: &Parts,
    body: Body,
    limit: usize,
) -> Result<Json<T>, Problem> {
    let Whole { bytes: mut text, share } = read(&head.headers, body, limit).await?;
    if text.is_empty() {
        text = Bytes::from_static(b"{}");
    } else {
        need_type(&head.headers, &[JSON])?;
    }
    Ok(Json { form: parse(&text)?, text, _share: share })
}

/// As [`json`] for requests with free-form parts: fields that stand twice are wrong wherever they are.
///
/// # Errors
/// As [`json`].
pub(crate) async fn strict_json<T: DeserializeOwned>(
    head: &Parts,
    body: Body,
    accepted: &[&str],
    limit: usize,
) -> Result<Json<T>, Problem> {
    let Whole { bytes: text, share } = read(&head.headers, body, limit).await?;
    need_type(&head.headers, accepted)?;
    let mut form = parse(&text)?;
    if let Some(field) = std::str::from_utf8(&text).ok().and_then(first_duplicate) {
        form = Err(vec![FieldError::new(field, "stands twice")]);
    }
    Ok(Json { form, text, _share: share })
}

/// Reads JSON: what it says, or what is wrong with it.
///
/// # Errors
/// `400 malformed` if it is no JSON.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<Result<T, Vec<FieldError>>, Problem> {
    let text = std::str::from_utf8(text).map_err(|_| malformed("The body is not UTF-8."))?;
    let error = match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(form)) => return Ok(Ok(form)),
        Err(error) => error,
    };
    if let Err(broken) = serde_json::from_str::<IgnoredAny>(text) {
        let text = if text.trim().is_empty() {
            "The body is empty; JSON was expected.".to_owned()
        } else {
            format!("The body is not JSON: {broken}.")
        };
        return Err(malformed(text));
    }
    if error.to_string().starts_with(TOO_DEEP) {
        return Err(malformed("The body is nested too deeply."));
    }
    Ok(Err(vec![problem_of::<T>(text)]))
}

fn malformed(text: impl Into<String>) -> Problem {
    Problem::new(Code::Malformed, text)
}

/// Reads it once more, slowly, to learn where it is wrong.
fn problem_of<T: DeserializeOwned>(text: &str) -> FieldError {
    let mut reader = serde_json::Deserializer::from_str(text);
    let after = || FieldError::new("body", "has something after its end");
    form::read::<Object<T>, _>(&mut reader).err().unwrap_or_else(after)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Line {
        quantity: i64,
    }

    fn wrong(text: &str) -> (String, String) {
        let error = parse::<Sample>(text.as_bytes()).unwrap().unwrap_err().remove(0);
        (error.field, error.message)
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
        let broken =
            ["", " ", "{", "nil", "{\"name\":\"x\"}}", "{\"name\":\"a\u{1}b\"}", "{'name':1}", "[1,]", "NaN"];
        for text in broken {
            assert_eq!(parse::<Sample>(text.as_bytes()).unwrap_err().0.code, Code::Malformed, "{text}");
        }
        assert_eq!(parse::<serde_json::Value>(deep.as_bytes()).unwrap_err().0.code, Code::Malformed);
        assert_eq!(parse::<Sample>(b"{\"name\":\"\xff\"}").unwrap_err().0.code, Code::Malformed);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        let is = |text: &str, field: &str, message: &str| {
            assert_eq!(wrong(text), (field.to_owned(), message.to_owned()));
        };
        is("[]", "body", "must be an object, not sequence");
        is("7", "body", "must be an object, not integer `7`");
        is("{}", "name", "is missing");
        is(r#"{"name":"a","nmae":1}"#, "nmae", "is not a field of this request");
        is(r#"{"name":"a","name":"b"}"#, "name", "stands twice");
        is(r#"{"name":null}"#, "name", "must be a string, not null");
        is(
            r#"{"name":"a","lines":[{"quantity":1},{"quantity":"2"}]}"#,
            "lines[1].quantity",
            r#"must be an integer in range, not string "2""#,
        );
        is(r#"{"name":"a","lines":[{}]}"#, "lines[0].quantity", "is missing");
        is(r#"{"name":"a","lines":[{"quantity":1e400}]}"#, "lines[0].quantity", "number out of range");
        is(
            r#"{"name":"a","lines":[{"quantity":99999999999999999999}]}"#,
            "lines[0].quantity",
            "must be an integer in range, not floating point `1e+20`",
        );
    }
}
