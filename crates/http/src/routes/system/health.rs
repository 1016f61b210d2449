//! `GET /healthz`: the process is alive and answers.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use crate::respond::bytes;

/// A word for probes.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a description, never made")]
pub(crate) struct Health {
    /// `alive` or `ready`.
    status: String,
}

/// Whether the process is alive
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "getHealth",
    tag = "system",
    responses(
        (status = 200, description = "It is", body = Health),
    ),
    security(()),
)]
pub(crate) async fn health() -> Response {
    bytes(StatusCode::OK, Bytes::from_static(br#"{"status":"alive"}"#))
}
