//! `GET /metrics`: for Prometheus.

use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::state::AppState;

/// The format that the metrics are written in.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "system",
    responses(
        (status = 200, description = "In OpenMetrics text format", body = String, content_type = "application/openmetrics-text"),
    ),
    security(()),
)]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let mut response = Response::new(state.engine.metrics().encode().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS));
    response
}
