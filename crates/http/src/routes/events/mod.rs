//! `GET /v1/events`: the feed of everything that happened, as pages or as a stream.

pub(crate) mod stream;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use lastseat_core::id::{ListingId, ListingNo};
use lastseat_engine::Engine;
use lastseat_store::StoredEvent;
use serde::Serialize;

use crate::auth::{OPERATORS, need_role};
use crate::cursor::{self, List};
use crate::live::sse::{EVENT_STREAM, ServerSentEvent};
use crate::params::Params;
use crate::problem::{Answer, Problem};
use crate::respond::json;
use crate::state::AppState;
use crate::view::EventView;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/v1/events", get(events))
}

/// A page of the feed.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Feed {
    /// The events, in order.
    items: Vec<EventView>,
    /// What to give as `after` for those that follow; there may be none yet.
    next: String,
}

/// Everything that happened, in order
///
/// With `Accept: text/event-stream` it stays open; the id of each event is a cursor.
#[utoipa::path(
    get,
    path = "/v1/events",
    operation_id = "listEvents",
    tag = "events",
    params(
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("listing_id" = Option<String>, Query, description = "Of this listing"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of the page; default 50"),
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "A page, or events until somebody hangs up", content((Feed = "application/json"), (ServerSentEvent = "text/event-stream"))),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn events(State(state): State<AppState>, request: Request) -> Answer {
    let (head, _) = request.into_parts();
    need_role(&state.engine, &head.headers, OPERATORS)?;
    let wanted = Wanted::read(&state.engine, &head).await?;
    if accepts_stream(&head.headers) {
        return Ok(stream::respond(&state, wanted));
    }
    let events = state.engine.events(wanted.after, wanted.listing, wanted.limit).await?;
    let next = next(&state.engine, wanted.after, &events);
    let items = events.into_iter().map(|event| EventView::new(&state.engine, event)).collect();
    Ok(json(StatusCode::OK, &Feed { items, next }))
}

/// From where on, and of what.
struct Wanted {
    after: i64,
    listing: Option<ListingNo>,
    limit: u32,
}

impl Wanted {
    async fn read(engine: &Engine, head: &Parts) -> Result<Self, Problem> {
        let mut params = Params::new(head.uri.query());
        let limit = params.limit();
        let listing: Option<ListingId> = params.parse("listing_id", "the id of a listing");
        // A browser that reconnects names the last event that it saw; that is later than where it began.
        let last_seen = head.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        let after = params.take("after");
        let after = last_seen.map(str::to_owned).or(after).map_or(0, |text| {
            cursor::read(engine.secret(), engine.epoch(), List::Events, &text).unwrap_or_else(|| {
                params.problem("after", "was not given out by this feed; begin without it");
                0
            })
        });
        params.finish()?;
        let listing = match listing {
            Some(id) => Some(engine.find_listing(id).await.ok_or_else(|| Problem::not_found("listing"))?.no),
            None => None,
        };
        Ok(Self { after, listing, limit })
    }
}

/// The cursor behind these events.
fn next(engine: &Engine, after: i64, events: &[StoredEvent]) -> String {
    let place = events.last().map_or(after, |event| event.place);
    cursor::write(engine.secret(), engine.epoch(), List::Events, place)
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepts = |value: &str| value.split(',').any(|one| one.trim().starts_with(EVENT_STREAM));
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(accepts)
}
