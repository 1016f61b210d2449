//! Who is signed in. A session is a signed cookie that names an API key and an end; the key itself is looked up on
//! each request, so that taking it away ends its sessions at once.

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use lastseat_core::command::{Actor, Role};
use lastseat_core::id::KeyId;
use lastseat_core::time::Time;
use lastseat_engine::Engine;
use lastseat_store::read::ApiKey;
use subtle::ConstantTimeEq;

use crate::pages::cookies::{self, Cookie, SameSite};
use crate::pages::error::PageError;
use crate::pages::form::address;
use crate::pages::shell::SignedIn;
use crate::pages::visit::Visit;
use crate::state::AppState;

/// The name of the cookie.
const COOKIE: &str = "lastseat_session";
/// How long one is signed in, in seconds: 12 hours.
const SESSION_SECONDS: i64 = 12 * 3600;
/// Keeps these digests apart from all others.
const PURPOSE: &[u8] = b"page-session\0";

/// Somebody who may see and decide bookings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// The key's id.
    pub id: KeyId,
    /// Its role: operator or admin.
    pub role: Role,
    /// Its name.
    pub name: String,
}

impl Operator {
    /// The operator behind a key. None for keys of programs.
    #[must_use]
    pub(crate) fn of_key(key: &ApiKey) -> Option<Self> {
        let (Role::Admin | Role::Operator) = key.role else { return None };
        Some(Self { id: key.id, role: key.role, name: key.name.clone() })
    }

    /// As the engine knows it.
    #[must_use]
    pub(crate) fn actor(&self) -> Actor {
        Actor::Key { id: self.id, role: self.role, name: self.name.as_str().into() }
    }

    /// As pages show it.
    #[must_use]
    pub(crate) fn shown(&self) -> SignedIn {
        SignedIn { name: self.name.clone(), role: self.role.as_str(), is_admin: self.role == Role::Admin }
    }

    /// Refuses who may not change listings and keys.
    ///
    /// # Errors
    /// `403` as a page.
    pub(crate) fn need_admin(&self) -> Result<(), PageError> {
        if self.role == Role::Admin {
            return Ok(());
        }
        Err(PageError::plain(
            StatusCode::FORBIDDEN,
            "Only admins may do this",
            format!(
                "You are signed in as {} with the role operator, which decides bookings. Changing listings and keys \
                 takes a key with the role admin.",
                self.name
            ),
        )
        .link("/admin", "Back to the overview"))
    }
}

/// The cookie of a new session.
#[must_use]
pub(crate) fn begin(engine: &Engine, key: &ApiKey, now: Time) -> Cookie {
    let ends = now.plus_seconds(SESSION_SECONDS).millis();
    let value = format!("{}.{ends}.{}", key.id, digest(engine, key, ends));
    cookie(value, SESSION_SECONDS)
}

/// The cookie that ends a session.
#[must_use]
pub(crate) fn end() -> Cookie {
    cookie(String::new(), 0)
}

fn cookie(value: String, max_age_seconds: i64) -> Cookie {
    Cookie {
        name: COOKIE,
        value,
        path: "/",
        max_age_seconds: Some(max_age_seconds),
        same_site: SameSite::Strict,
    }
}

fn digest(engine: &Engine, key: &ApiKey, ends: i64) -> String {
    let mut data = key.id.to_bytes().to_vec();
    data.extend(key.hash);
    data.extend(ends.to_le_bytes());
    URL_SAFE_NO_PAD.encode(engine.secret().mac(PURPOSE, &data))
}

/// Who is signed in, if anybody is: the signature is ours, the end has not come, and the key is still in force.
#[must_use]
pub(crate) fn read(headers: &HeaderMap, engine: &Engine, now: Time) -> Option<Operator> {
    let mut parts = cookies::find(headers, COOKIE)?.splitn(3, '.');
    let id: KeyId = parts.next()?.parse().ok()?;
    let ends: i64 = parts.next()?.parse().ok()?;
    let key = engine.key_by_id(id)?;
    let signed: bool = digest(engine, &key, ends).as_bytes().ct_eq(parts.next()?.as_bytes()).into();
    (signed && now.millis() < ends).then(|| Operator::of_key(&key)).flatten()
}

/// A visit by somebody who is signed in; all others are sent to the sign-in page.
pub(crate) struct Desk {
    /// The visit.
    pub visit: Visit,
    /// Who it is.
    pub operator: Operator,
}

impl FromRequestParts<AppState> for Desk {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let mut visit = Visit::from_request_parts(parts, state).await?;
        if let Some(operator) = visit.operator.take() {
            visit.operator = Some(operator.clone());
            return Ok(Self { visit, operator });
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(PageError::plain(
                StatusCode::UNAUTHORIZED,
                "You are not signed in any more",
                "The session has ended, so nothing was changed. Sign in again and repeat what you wanted to do.",
            )
            .link("/admin/sign-in", "Sign in"));
        }
        let next = parts.uri.path_and_query().map_or("/admin", |path| path.as_str());
        Err(PageError::Redirect(address("/admin/sign-in", [("next", next)])))
    }
}

/// A visit by an admin.
pub(crate) struct AdminDesk(pub(crate) Desk);

impl FromRequestParts<AppState> for AdminDesk {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let desk = Desk::from_request_parts(parts, state).await?;
        desk.operator.need_admin()?;
        Ok(Self(desk))
    }
}
