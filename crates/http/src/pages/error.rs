//! Refusals and mishaps as pages, in the style of all others: what happened, and what to do now.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lastseat_core::refusal::{Code, Refusal, RefusalData};

use super::shell::{Caching, Shell, html};

/// What to answer instead of the page that was wanted.
#[derive(Debug)]
pub(crate) enum PageError {
    /// A page that says what happened.
    Page(Box<ErrorPage>),
    /// Another address.
    Redirect(String),
    /// A page that is ready.
    Ready(Box<Response>),
}

/// What an error page says.
#[derive(Debug)]
pub(crate) struct ErrorPage {
    status: StatusCode,
    title: String,
    detail: String,
    retry_after: Option<u32>,
    links: Vec<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct View<'a> {
    shell: Shell,
    page: &'a ErrorPage,
}

impl PageError {
    /// A page of that status with these words.
    pub(crate) fn plain(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Page(Box::new(ErrorPage {
            status,
            title: title.into(),
            detail: detail.into(),
            retry_after: None,
            links: Vec::new(),
        }))
    }

    /// There is no such thing, or it is not for this visitor.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::plain(
            StatusCode::NOT_FOUND,
            format!("There is no such {what}"),
            "The address may be mistyped or cut short, or what was here is not public any more.",
        )
    }

    /// The words for a status that the framework has decided.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (title, detail) = match status.as_u16() {
            404 => return Self::not_found("page"),
            405 => ("That is not how this page works", "Please go back and use the form on the page before."),
            408 => ("That took too long", "The form came too slowly. Please send it again."),
            413 => ("That was too much", "What was sent is larger than this page takes. Please send less."),
            415 => ("That cannot be read", "The form was sent in a way that this page does not know."),
            400..500 => {
                ("That cannot be read", "Something in the address or the form is not as it should be.")
            }
            _ => (
                "Something went wrong on our side",
                "It was not your fault, and nothing was booked by halves. Please try again in a moment.",
            ),
        };
        Self::plain(status, title, detail)
    }

    /// Adds a way out below the words.
    #[must_use]
    pub(crate) fn link(mut self, href: impl Into<String>, text: &'static str) -> Self {
        if let Self::Page(page) = &mut self {
            page.links.push((href.into(), text));
        }
        self
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = match refusal.data {
            RefusalData::RetryAfter(seconds) => Some(seconds),
            _ if matches!(refusal.code, Code::Overloaded | Code::Unavailable | Code::RateLimited) => Some(1),
            _ => None,
        };
        Self::Page(Box::new(ErrorPage {
            status,
            title: refusal.code.title().to_owned(),
            detail: refusal.detail,
            retry_after,
            links: Vec::new(),
        }))
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let page = match self {
            Self::Ready(response) => return *response,
            Self::Redirect(address) => return super::shell::redirect(&address),
            Self::Page(page) => page,
        };
        let view = View { shell: Shell::bare(page.title.clone()), page: &page };
        let mut response = html(page.status, Caching::Never, view.render());
        if let Some(seconds) = page.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
