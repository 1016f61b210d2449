//! The routes of the whole server, with what surrounds them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower_http::catch_panic::CatchPanicLayer;

use crate::state::AppState;
use crate::{pages, problem, routes};

/// All routes: the REST API, live streams, system routes and pages.
pub fn app(state: AppState) -> Router {
    Router::new()
        .merge(routes::router())
        .merge(pages::router())
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::unknown_method)
        // Each route reads its body within limits of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(state)
}

#[allow(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = text, "a handler panicked");
    problem::internal_error()
}
