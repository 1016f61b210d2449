//! The routes of the whole server, with what surrounds them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::know_key;
use crate::limits::{Limits, limit};
use crate::state::AppState;
use crate::{pages, problem, routes};

/// All routes: the REST API, live streams, system routes and pages.
///
/// What programs ask for passes through few layers, because there is much of it; what people read, and paths
/// that lead nowhere, pass through one more, which turns problems into pages.
pub fn app(state: AppState) -> Router {
    let limits = Limits::new(&state.config);
    let surrounded = |routes: Router<AppState>| {
        let routes = routes.method_not_allowed_fallback(problem::unknown_method);
        let routes = match &limits {
            Some(limits) => routes.layer(from_fn_with_state((state.clone(), Arc::clone(limits)), limit)),
            None => routes,
        };
        let routes = if state.engine.follows() {
            routes.layer(from_fn_with_state(state.engine.clone(), know_key))
        } else {
            routes
        };
        routes.layer(CatchPanicLayer::custom(panicked))
    };
    let for_people = pages::router().merge(routes::docs::router()).fallback(problem::unknown_route);
    let for_people = surrounded(for_people).layer(from_fn(pages::for_people));
    surrounded(routes::router()).merge(for_people).with_state(state)
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
