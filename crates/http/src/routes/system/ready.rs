//! `GET /readyz`: the store answers, and the server is not about to stop.

use axum::extract::State;
use bytes::Bytes;
use http::StatusCode;
use lastseat_core::refusal::Code;

use crate::problem::{Answer, Problem};
use crate::respond::bytes;
use crate::routes::system::health::Health;
use crate::state::AppState;

/// Whether requests can be served
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "system",
    responses(
        (status = 200, description = "They can", body = Health),
    ),
    security(()),
)]
pub(crate) async fn ready(State(state): State<AppState>) -> Answer {
    if state.closing.is_cancelled() {
        return Err(Problem::retry(Code::Unavailable, "The server is stopping.", 2));
    }
    state.engine.check_ready().await?;
    Ok(bytes(StatusCode::OK, Bytes::from_static(br#"{"status":"ready"}"#)))
}
