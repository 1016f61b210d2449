//! `GET /v1/waitlist/{id}/live`: how an entry stands, as an event stream.

use axum::extract::{Request, State};
use futures_util::stream;

use super::read;
use crate::live::sse::{self, ServerSentEvent};
use crate::params::Params;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

/// How an entry of a waitlist stands, as it changes
///
/// Events `waitlist`, the first at once.
#[utoipa::path(
    get,
    path = "/v1/waitlist/{id}/live",
    operation_id = "followWaitlistEntry",
    tag = "live",
    params(
        ("id" = String, Path, description = "Id of the entry"),
    ),
    responses(
        (status = 200, description = "Events, until somebody hangs up", body = ServerSentEvent, content_type = "text/event-stream"),
    ),
    security(("waitlist_token" = []), ("api_key" = [])),
)]
pub(crate) async fn live(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let (_, entry) = read(&state, &head, &mut params, &id).await?;
    params.finish()?;
    let frames = state.live.entry(entry.entry.id).await?;
    let events = stream::unfold(frames, |mut frames| async { Some((frames.next().await?.sse(), frames)) });
    Ok(sse::respond(&state, events))
}
