//! The description of the API, for programs and for people, and a page per refusal.

pub(crate) mod errors;
pub(crate) mod model;
pub(crate) mod page;

use std::sync::LazyLock;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;

use crate::openapi::openapi;
use crate::respond::{bytes, to_bytes};
use crate::state::AppState;

/// The description as JSON. It is the same as long as the program runs.
static DESCRIPTION: LazyLock<Bytes> = LazyLock::new(|| to_bytes(&openapi()));

pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/openapi.json", get(description))
        .route("/docs", get(page::page))
        .route("/errors", get(errors::list))
        .route("/errors/{code}", get(errors::page))
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getDescription",
    tag = "system",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
    security(()),
)]
pub(crate) async fn description() -> Response {
    bytes(StatusCode::OK, DESCRIPTION.clone())
}
