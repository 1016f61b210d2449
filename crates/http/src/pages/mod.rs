//! The pages for people.

use axum::Router;

use crate::state::AppState;

/// The routes of the pages.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
}
