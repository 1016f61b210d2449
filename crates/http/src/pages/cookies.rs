//! Cookies: read from a request, written to an answer.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// When a cookie comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SameSite {
    /// Also when a link from elsewhere is followed.
    Lax,
    /// From our own pages only.
    Strict,
}

/// Whether the connection is encrypted as far as the browser goes, so that cookies may demand it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transport {
    /// `http`
    Plain,
    /// `https`
    Encrypted,
}

/// A cookie to be set. No script can read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cookie {
    /// Its name.
    pub name: &'static str,
    /// Its value, of characters that need no escape.
    pub value: String,
    /// Where it is sent: this path and what lies below.
    pub path: &'static str,
    /// How long it lives; none means until the browser is closed.
    pub max_age_seconds: Option<i64>,
    /// When it comes back.
    pub same_site: SameSite,
}

impl Cookie {
    /// As the value of `Set-Cookie`. None if the value has characters that no header may carry.
    #[must_use]
    pub(crate) fn header(&self, transport: Transport) -> Option<HeaderValue> {
        let Self { name, value, path, .. } = self;
        let same_site = match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
        };
        let mut text = format!("{name}={value}; Path={path}; HttpOnly; SameSite={same_site}");
        if let Some(seconds) = self.max_age_seconds {
            text.push_str(&format!("; Max-Age={seconds}"));
        }
        if transport == Transport::Encrypted {
            text.push_str("; Secure");
        }
        HeaderValue::from_str(&text).ok()
    }
}

/// The value of the first cookie of that name.
#[must_use]
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("ab=1; a=2; b=x=y"));
        headers.append(COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(find(&headers, "a"), Some("2"));
        assert_eq!(find(&headers, "b"), Some("x=y"));
        assert_eq!(find(&headers, "c"), Some("3"));
        assert_eq!(find(&headers, "d"), None);
    }

    #[test]
    fn scripts_never_see_them_and_encrypted_sites_demand_encryption() {
        let cookie = Cookie {
            name: "a",
            value: "1".into(),
            path: "/",
            max_age_seconds: Some(60),
            same_site: SameSite::Strict,
        };
        let text = |transport| cookie.header(transport).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text(Transport::Plain), "a=1; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
        assert!(text(Transport::Encrypted).ends_with("; Secure"));
        assert!(Cookie { value: "a\nb".into(), ..cookie }.header(Transport::Plain).is_none());
    }
}
