//! `GET /v1/listings/{id}/live`: what can be had, as an event stream.

use axum::extract::{Request, State};
use futures_util::stream;

use crate::auth::anybody;
use crate::live::sse::{self, ServerSentEvent};
use crate::problem::Answer;
use crate::routes::listings::visible;
use crate::routes::{Id, no_params};
use crate::state::AppState;

/// What can be had, as it changes
///
/// Events `availability`: the first has all pools (`"full": true`), the others those that changed. Their id is
/// the version; who comes back with it gets what was missed.
#[utoipa::path(
    get,
    path = "/v1/listings/{id}/live",
    operation_id = "followListing",
    tag = "live",
    params(
        ("id" = String, Path, description = "Id of the listing"),
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events, until somebody hangs up", body = ServerSentEvent, content_type = "text/event-stream"),
    ),
    security((), ("api_key" = [])),
)]
pub(crate) async fn live(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let actor = anybody(&state.engine, &head.headers)?;
    let listing = visible(&state.engine, &actor, &id).await?;
    no_params(&head)?;
    // One that makes no sense is one that nobody knows: the stream begins with everything.
    let seen = head.headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let frames = state.live.listing(&listing, seen).await?;
    let events = stream::unfold(frames, |mut frames| async { Some((frames.next().await?.sse(), frames)) });
    Ok(sse::respond(&state, events))
}
