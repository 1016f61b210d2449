//! `GET /healthz`: the process is alive and answers.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use crate::respond::bytes;

pub(crate) async fn health() -> Response {
    bytes(StatusCode::OK, Bytes::from_static(br#"{"status":"alive"}"#))
}
