//! Pages for operators.

pub(crate) mod session;

use axum::Router;

use crate::state::AppState;

/// All of them.
pub(super) fn router() -> Router<AppState> {
    Router::new()
}
