//! Parameters of the query. Unknown ones, and those that stand twice, are refused, so that a typo in a filter
//! does not silently show everything.

use std::str::FromStr;

use lastseat_core::customer::{MAX_TEXT_CHARS, check_optional_text};
use lastseat_core::listing::Listing;
use lastseat_core::refusal::FieldError;
use lastseat_core::time::Time;

use crate::problem::Problem;

/// Items of a page unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Most items of a page.
const MAX_LIMIT: u32 = 200;
/// Most parameters of one request.
const MAX_PARAMS: usize = 50;

/// The parameters of one request, taken one after the other; [`Params::finish`] tells what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Params {
    left: Vec<(String, String)>,
    problems: Vec<FieldError>,
}

impl Params {
    /// The parameters of a query.
    pub(crate) fn new(query: Option<&str>) -> Self {
        let Some(query) = query else { return Self::default() };
        let left: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .take(MAX_PARAMS)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { left, problems: Vec::new() }
    }

    /// The value of a parameter, as it was sent.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.left.iter().position(|(other, _)| other == name)?;
        let (_, value) = self.left.swap_remove(at);
        if let Some(again) = self.left.iter().position(|(other, _)| other == name) {
            self.left.swap_remove(again);
            self.problem(name, "stands twice");
        }
        Some(value)
    }

    /// A text to look for: not empty, not long, no control characters.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        check_optional_text(&mut self.problems, name, &value, MAX_TEXT_CHARS);
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value of a type that can be read from text.
    pub(crate) fn parse<T: FromStr>(&mut self, name: &str, wanted: &str) -> Option<T> {
        let value = self.take(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.problem(name, format!("must be {wanted}"));
        }
        parsed
    }

    /// One of a few names.
    pub(crate) fn one_of<T: Copy>(&mut self, name: &str, all: &[(&str, T)]) -> Option<T> {
        let value = self.take(name)?;
        let found = all.iter().find(|(other, _)| *other == value).map(|(_, found)| *found);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            self.problem(name, format!("must be one of {}", names.join(", ")));
        }
        found
    }

    /// `limit`: 1 to 200, default 50.
    pub(crate) fn limit(&mut self) -> u32 {
        let Some(value) = self.take("limit") else { return DEFAULT_LIMIT };
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(limit) if plain && (1..=MAX_LIMIT).contains(&limit) => limit,
            _ => {
                self.problem("limit", format!("must be 1 to {MAX_LIMIT}"));
                DEFAULT_LIMIT
            }
        }
    }

    /// A date, or an instant.
    pub(crate) fn moment(&mut self, name: &str) -> Option<Moment> {
        self.parse(name, "a date like 2026-12-24 or an instant like 2026-12-24T17:00:00Z")
    }

    /// Notes that a parameter is wrong.
    pub(crate) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(FieldError::new(name, message));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `422 invalid` with all parameters that are wrong or unknown.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            self.problem(&name, "is not a parameter of this request");
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Problem::invalid(self.problems)) }
    }
}

/// A date in the time zone of whatever it is compared with, or an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moment {
    /// The beginning of a day.
    Date(jiff::civil::Date),
    /// An instant.
    Instant(Time),
}

impl FromStr for Moment {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(date) = lastseat_core::calendar::parse_date(text) {
            return Ok(Self::Date(date));
        }
        text.parse().map(Self::Instant).map_err(|_| ())
    }
}

impl Moment {
    /// The instant, in the time zone of the listing.
    pub(crate) fn at(self, listing: &Listing) -> Time {
        match self {
            Self::Instant(time) => time,
            Self::Date(date) => {
                let midnight = jiff::civil::Time::midnight();
                let zone = listing.zone();
                Time::from_millis(lastseat_core::calendar::local_instant(date, midnight, zone))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(params: Params) -> Vec<String> {
        let lastseat_core::refusal::RefusalData::Fields(fields) = params.finish().unwrap_err().0.data else {
            panic!("other data")
        };
        fields.into_iter().map(|field| field.field).collect()
    }

    #[test]
    fn parameters_are_read_and_unknown_ones_refused() {
        let mut params = Params::new(Some("q=two%20words&limit=7&kind=nights"));
        assert_eq!(params.text("q").as_deref(), Some("two words"));
        assert_eq!(params.limit(), 7);
        assert_eq!(params.one_of("kind", &[("places", 1), ("nights", 2)]), Some(2));
        assert!(params.finish().is_ok());
        assert_eq!(refused(Params::new(Some("knid=nights"))), ["knid"]);
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        for query in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=",
            "limit=x",
            "limit=1e2",
            "limit=%2B5",
            "limit=9999999999",
        ] {
            let mut params = Params::new(Some(query));
            params.limit();
            assert_eq!(refused(params), ["limit"], "{query}");
        }
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        let mut params = Params::new(Some("q=a&q=b"));
        params.text("q");
        assert_eq!(refused(params), ["q"]);
    }

    #[test]
    fn control_characters_are_not_looked_for() {
        let mut params = Params::new(Some("q=a%00b"));
        params.text("q");
        assert_eq!(refused(params), ["q"]);
    }
}
