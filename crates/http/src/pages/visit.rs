//! One look at a page: who looks, when, and from where. Every handler of a page begins with it.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use lastseat_core::command::{Action, Actor, Command, Idempotency};
use lastseat_core::decide::Outcome;
use lastseat_core::id::{BookingId, WaitlistId};
use lastseat_core::refusal::Refusal;
use lastseat_core::time::Time;
use lastseat_engine::Engine;

use super::admin::session::{self, Operator};
use super::cookies::{self, Cookie, SameSite, Transport};
use super::error::PageError;
use super::form::Form;
use super::seal;
use super::shell::{self, Area, Caching, Shell};
use super::wallet::{Remembered, Wallet};
use crate::address;
use crate::state::AppState;

/// The cookie that tells one browser from another; it says nothing about who uses it.
const VISITOR_COOKIE: &str = "lastseat_visitor";
/// How long a browser keeps its name, in seconds: 180 days.
const VISITOR_MAX_AGE_SECONDS: i64 = 180 * 86_400;
/// Longest name of a browser that is believed to be one of ours, in bytes.
const MAX_VISITOR_BYTES: usize = 64;

/// What a handler gives.
pub(crate) type Page = Result<Response, PageError>;

/// One look at a page.
pub(crate) struct Visit {
    /// Everything there is.
    pub state: AppState,
    /// The store's clock.
    pub now: Time,
    /// The path, without the query.
    pub path: String,
    /// The query.
    pub query: Form,
    /// The query as it was sent.
    pub raw_query: Option<String>,
    /// The bookings of this browser.
    pub wallet: Wallet,
    /// Its places in line.
    pub places: Wallet<WaitlistId>,
    /// Who is signed in.
    pub operator: Option<Operator>,
    /// Headers of the request.
    pub headers: HeaderMap,
    visitor: String,
    address: (Option<String>, Option<i64>),
    transport: Transport,
    from_here: bool,
    cookies: Vec<Cookie>,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let now = state.engine.now().await?;
        let known = cookies::find(&parts.headers, VISITOR_COOKIE)
            .filter(|name| !name.is_empty() && name.len() <= MAX_VISITOR_BYTES);
        let visitor = known.map_or_else(seal::fresh, str::to_owned);
        let remembered = |name| cookies::find(&parts.headers, name).unwrap_or_default();
        let mut visit = Self {
            now,
            path: parts.uri.path().to_owned(),
            query: Form::of_query(&parts.uri),
            raw_query: parts.uri.query().map(str::to_owned),
            wallet: Wallet::read(remembered(BookingId::COOKIE), state.engine.secret()),
            places: Wallet::read(remembered(WaitlistId::COOKIE), state.engine.secret()),
            operator: session::read(&parts.headers, &state.engine, now),
            transport: transport(&parts.headers, state),
            from_here: seal::is_from_here(&parts.headers),
            headers: parts.headers.clone(),
            cookies: Vec::new(),
            address: address::limited(parts, state, &Actor::Public),
            visitor,
            state: state.clone(),
        };
        if known.is_none() {
            visit.set_cookie(Cookie {
                name: VISITOR_COOKIE,
                value: visit.visitor.clone(),
                path: "/",
                max_age_seconds: Some(VISITOR_MAX_AGE_SECONDS),
                same_site: SameSite::Lax,
            });
        }
        Ok(visit)
    }
}

fn transport(headers: &HeaderMap, state: &AppState) -> Transport {
    let configured = state.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    // Whoever writes this header himself gets a cookie that his browser keeps to itself: no harm in it.
    let told = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    if configured || told { Transport::Encrypted } else { Transport::Plain }
}

impl Visit {
    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.state.engine
    }

    /// The visitor's address as a digest, with the most live holds it may have, where that is limited.
    pub(crate) fn address(&self) -> (Option<String>, Option<i64>) {
        self.address.clone()
    }

    /// Sets a cookie with the answer.
    pub(crate) fn set_cookie(&mut self, cookie: Cookie) {
        self.cookies.push(cookie);
    }

    /// The frame of a page for customers.
    pub(crate) fn shell(&self, title: impl Into<String>) -> Shell {
        Shell {
            seal: seal::make(self.engine().secret(), &self.visitor),
            now: self.now.to_string(),
            operator: self.operator.as_ref().map(Operator::shown),
            ..Shell::bare(title)
        }
    }

    /// The frame of a page for operators.
    pub(crate) fn admin_shell(&self, title: impl Into<String>) -> Shell {
        Shell { area: Area::Admin, ..self.shell(title) }
    }

    /// A page that everybody may see.
    pub(crate) fn show(&self, status: StatusCode, page: &impl Template) -> Response {
        self.with_cookies(shell::html(status, Caching::Checked, page.render()))
    }

    /// A page with what belongs to somebody.
    pub(crate) fn show_private(&self, status: StatusCode, page: &impl Template) -> Response {
        self.with_cookies(shell::html(status, Caching::Never, page.render()))
    }

    /// `303 See Other`.
    pub(crate) fn redirect(&self, address: &str) -> Response {
        self.with_cookies(shell::redirect(address))
    }

    fn with_cookies(&self, mut response: Response) -> Response {
        for header in self.cookies.iter().filter_map(|cookie| cookie.header(self.transport)) {
            response.headers_mut().append(SET_COOKIE, header);
        }
        response
    }

    /// Whether a form was sent from a page of ours that this browser was given.
    pub(crate) fn is_sealed(&self, form: &Form) -> bool {
        self.from_here && seal::is_good(self.engine().secret(), &self.visitor, form)
    }

    /// Refuses a form that was not sent from a page of ours.
    ///
    /// # Errors
    /// `403` as a page.
    pub(crate) fn check_seal(&self, form: &Form) -> Result<(), PageError> {
        if self.is_sealed(form) {
            return Ok(());
        }
        Err(PageError::Ready(Box::new(
            self.with_cookies(
                PageError::plain(
                    StatusCode::FORBIDDEN,
                    "This form has to be opened again",
                    "It was not sent from a page that this browser was given: it lay open for very long, cookies are \
                     switched off, or another site sent it. Nothing was changed. Go back, load the page again, and \
                     send it once more.",
                )
                .into_response(),
            ),
        )))
    }

    /// What makes the same form, sent twice, one command.
    pub(crate) fn idempotency(&self, form: &Form) -> Idempotency {
        seal::idempotency(&self.visitor, &self.path, form)
    }

    /// Carries out what a form asks. The same form sent twice is one command.
    ///
    /// # Errors
    /// The engine's refusal.
    pub(crate) async fn submit(
        &self,
        actor: Actor,
        form: &Form,
        if_match: Option<u64>,
        action: Action,
    ) -> Result<Outcome, Refusal> {
        let command = Command { actor, idempotency: Some(self.idempotency(form)), if_match, action };
        Ok(self.engine().submit(command).await?.outcome)
    }
}
