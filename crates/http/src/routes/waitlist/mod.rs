//! Waitlists.

pub(crate) mod get;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod live;

use axum::Router;
use axum::routing::get;
use http::request::Parts;
use lastseat_core::command::{Actor, Role};
use lastseat_core::id::WaitlistId;
use lastseat_engine::{Engine, WaitlistEntry};

use crate::auth::waitlist_actor;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/v1/listings/{id}/waitlist", get(list::list).post(join::join))
        .route("/v1/waitlist/{id}", get(get::get).delete(leave::leave))
        .route("/v1/waitlist/{id}/live", get(live::live))
}

/// The entry that a text names, if the caller may see it, with who that is.
///
/// # Errors
/// `401 unauthenticated`, `404 not_found`.
pub(super) async fn read(
    state: &AppState,
    head: &Parts,
    params: &mut Params,
    id: &str,
) -> Result<(Actor, WaitlistEntry), Problem> {
    let (actor, id) = waitlist_actor(&state.engine, head, params, id)?;
    let entry = visible(&state.engine, &actor, id).await?;
    Ok((actor, entry))
}

/// The entry, if this caller may see it: integrators see those that they made.
///
/// # Errors
/// `404 not_found`, `503 unavailable`.
pub(crate) async fn visible(
    engine: &Engine,
    actor: &Actor,
    id: WaitlistId,
) -> Result<WaitlistEntry, Problem> {
    let missing = || Problem::not_found("waitlist entry");
    let found = engine.waitlist_entry(id).await?.ok_or_else(missing)?;
    match actor {
        Actor::Key { role: Role::Integrator, id, .. } if found.entry.created_by != Some(*id) => {
            Err(missing())
        }
        Actor::Public => Err(missing()),
        _ => Ok(found),
    }
}
