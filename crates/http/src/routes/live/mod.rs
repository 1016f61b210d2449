//! `GET /v1/live`: a WebSocket for any number of topics.

mod connection;
mod request;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::routing::get;
use lastseat_core::refusal::Code;

use crate::auth::anybody;
use crate::problem::{Answer, Problem};
use crate::routes::no_params;
use crate::state::AppState;

/// Bytes that are read at a time: what clients send is short.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Bytes that are gathered before they are written; each message is flushed anyway.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// Longest message of a client, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/v1/live", get(live))
}

/// A WebSocket for any number of topics
///
/// Send `{"subscribe": ["listing:lst_...", "booking:bkg_...?token=...", "waitlist:wtl_...?token=..."],
/// "unsubscribe": [...]}`; what comes is `{"topic", "type": "snapshot" | "change" | "error", "data"}`.
#[utoipa::path(
    get,
    path = "/v1/live",
    operation_id = "openLive",
    tag = "live",
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 400, description = "`malformed`: not a WebSocket handshake"),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn live(State(state): State<AppState>, request: Request) -> Answer {
    let (mut head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    no_params(&head)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &state).await.map_err(|error| {
        let text = format!("This is for WebSockets, version 13: {error}.");
        Problem::new(Code::Malformed, text)
    })?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| connection::run(socket, state, actor)))
}
