//! What forms and addresses carry: names with values, some names more than once.

use axum::extract::{FromRequest, Query, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::error::PageError;

/// Most fields of one form: the seats of a large booking, and the rows of a large listing.
const MAX_FIELDS: usize = 4_000;

/// The fields of a form, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// A form of these fields.
    #[cfg(test)]
    pub(crate) fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The first value of that name, as sent; empty if there is none.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The first value of that name, if the form has one.
    #[must_use]
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// The first value of that name without blanks around it; none if nothing is left.
    #[must_use]
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Every value of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |(found, value)| (found == name).then_some(value.as_str()))
    }

    /// Whether a field has that name and that value.
    #[must_use]
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|found| found == value)
    }

    /// The fields whose names begin with `prefix`, without it.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// All fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a field.
    pub(crate) fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts this value in the place of every value of that name.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(found, _)| found != name);
        self.push(name, value);
    }

    /// The query of an address. One that cannot be read counts as none: an address that was cut short still opens.
    #[must_use]
    pub(crate) fn of_query(uri: &http::Uri) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        Self(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
    }
}

/// The body of a posted form (`application/x-www-form-urlencoded`).
impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(axum::Form(fields)) if fields.len() <= MAX_FIELDS => Ok(Self(fields)),
            Ok(_) => Err(PageError::plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "That was too much",
                "The form has too many fields. Please send fewer at once.",
            )
            .into_response()),
            Err(rejection) => Err(PageError::of_status(rejection.status()).into_response()),
        }
    }
}

/// `path?name=value&...`, with what needs it escaped. Fields without a value are left out.
#[must_use]
pub(crate) fn address<'a>(path: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = path.to_owned();
    let mut glue = if path.contains('?') { '&' } else { '?' };
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        out.push(glue);
        glue = '&';
        escape(&mut out, name);
        out.push('=');
        escape(&mut out, value);
    }
    out
}

/// An address without its query, and the fields of that.
#[must_use]
pub(crate) fn split(base: &str) -> (String, Vec<(String, String)>) {
    let path = base.split('?').next().unwrap_or(base).to_owned();
    let query = base.parse().map(|uri: http::Uri| Form::of_query(&uri)).unwrap_or_default();
    (path, query.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_the_fields_they_were_made_of() {
        let fields = [("q", "a b&c=d?é"), ("slot", "pitch-1/2026-12-24T17:00Z"), ("empty", "")];
        let uri: http::Uri = address("/listings", fields).parse().unwrap();
        let form = Form::of_query(&uri);
        assert_eq!(form.get("q"), "a b&c=d?é");
        assert_eq!(form.get("slot"), "pitch-1/2026-12-24T17:00Z");
        assert_eq!(form.find("empty"), None);
        assert_eq!(address("/a?b=1", [("c", "2")]), "/a?b=1&c=2");
    }

    #[test]
    fn a_query_that_cannot_be_read_counts_as_none() {
        let form = Form::of_query(&"/?q=%FF&a".parse().unwrap());
        assert_eq!(form.get("q").trim_matches('\u{fffd}'), "");
    }
}
