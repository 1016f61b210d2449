//! API keys.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod revoke;

use axum::Router;
use axum::routing::{delete, get};

use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/v1/keys", get(list::list).post(create::create))
        .route("/v1/keys/{id}", delete(revoke::revoke))
}
