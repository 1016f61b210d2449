//! What machines ask: alive, ready, counted.

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod ready;

use axum::Router;
use axum::routing::get;

use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::health))
        .route("/readyz", get(ready::ready))
        .route("/metrics", get(metrics::metrics))
}
