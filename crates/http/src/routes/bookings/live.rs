//! `GET /v1/bookings/{id}/live`: how a booking stands, as an event stream.

use axum::extract::{Request, State};
use futures_util::stream;

use super::get::read;
use crate::auth::Right;
use crate::live::sse::{self, ServerSentEvent};
use crate::params::Params;
use crate::problem::Answer;
use crate::routes::Id;
use crate::state::AppState;

/// How a booking stands, as it changes
///
/// Events `booking`, the first at once.
#[utoipa::path(
    get,
    path = "/v1/bookings/{id}/live",
    operation_id = "followBooking",
    tag = "live",
    params(
        ("id" = String, Path, description = "Id of the booking"),
    ),
    responses(
        (status = 200, description = "Events, until somebody hangs up", body = ServerSentEvent, content_type = "text/event-stream"),
    ),
    security(("booking_token" = []), ("api_key" = [])),
)]
pub(crate) async fn live(State(state): State<AppState>, Id(id): Id, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    let mut params = Params::new(head.uri.query());
    let booking = read(&state, &head, &mut params, &id, Right::OwnerOrMaker).await?;
    params.finish()?;
    let frames = state.live.booking(booking.id).await?;
    let events = stream::unfold(frames, |mut frames| async { Some((frames.next().await?.sse(), frames)) });
    Ok(sse::respond(&state, events))
}
