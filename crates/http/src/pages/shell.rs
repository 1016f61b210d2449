//! The frame of every page, and the headers with which pages are served.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};

use super::assets;
use super::error::PageError;

/// Nothing but our own files, no inline script or style, no frame around us, forms to ourselves only.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Whether a browser may keep a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Caching {
    /// For the way back, asking again otherwise.
    Checked,
    /// Not at all: it shows what belongs to somebody.
    Never,
}

/// Which part of the site a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Area {
    /// For customers.
    Public,
    /// For operators.
    Admin,
}

/// Who is signed in, as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// The name of the key.
    pub name: String,
    /// Its role.
    pub role: &'static str,
    /// Whether it may change listings and keys.
    pub is_admin: bool,
}

/// What the frame of a page shows.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// Title of the page.
    pub title: String,
    /// Part of the site.
    pub area: Area,
    /// The entry of the menu that is marked.
    pub current: &'static str,
    /// Who is signed in.
    pub operator: Option<SignedIn>,
    /// What every form carries to show that it comes from this page.
    pub seal: String,
    /// What was just done.
    pub flash: Option<&'static str>,
    /// The server's clock, for countdowns; empty on pages without any.
    pub now: String,
    /// The script of the page.
    pub script: Option<&'static str>,
}

impl Shell {
    /// The frame of a page on which there is nothing to do.
    #[must_use]
    pub(crate) fn bare(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            area: Area::Public,
            current: "",
            operator: None,
            seal: String::new(),
            flash: None,
            now: String::new(),
            script: None,
        }
    }

    /// With this module running in it.
    #[must_use]
    pub(crate) const fn script(mut self, name: &'static str) -> Self {
        self.script = Some(name);
        self
    }

    /// With this entry of the menu marked.
    #[must_use]
    pub(crate) const fn current(mut self, name: &'static str) -> Self {
        self.current = name;
        self
    }

    /// With this said above the page.
    #[must_use]
    pub(crate) const fn flash(mut self, text: Option<&'static str>) -> Self {
        self.flash = text;
        self
    }

    /// Whether it is a page for operators.
    pub(crate) fn is_admin(&self) -> bool {
        self.area == Area::Admin
    }

    /// The address of an asset, for the template.
    #[expect(clippy::unused_self, reason = "templates reach functions through the value they show")]
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url(name)
    }
}

/// A rendered template as an answer. One that fails to render is our mistake, and says so.
pub(crate) fn html(status: StatusCode, caching: Caching, rendered: askama::Result<String>) -> Response {
    let text = match rendered {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            let plain = "Something went wrong on our side. Please try again in a moment.";
            return (StatusCode::INTERNAL_SERVER_ERROR, plain).into_response();
        }
    };
    let caching = match caching {
        Caching::Checked => "private, no-cache",
        Caching::Never => "no-store",
    };
    let headers: [(HeaderName, &str); 7] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ];
    (status, headers, Body::from(text)).into_response()
}

/// `303 See Other` to one of our own addresses.
pub(crate) fn redirect(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(location) => {
            let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(_) => PageError::not_found("page").into_response(),
    }
}
