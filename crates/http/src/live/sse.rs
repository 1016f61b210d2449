//! Event streams (the HTML standard, section 9.2), written as bytes once for all who watch.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::state::AppState;

/// The media type.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// How often something is sent when nothing happens, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What is sent then: a comment.
const COMMENT: &[u8] = b": still here\n\n";
/// What is sent first: after how many milliseconds to come back when the connection breaks.
const HELLO: &[u8] = b"retry: 2000\n\n";

/// An event of a stream, as clients read it.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a description, never made")]
pub(crate) struct ServerSentEvent {
    /// What kind of event it is.
    event: String,
    /// Its id: sent again as `Last-Event-ID`, the stream goes on behind it.
    id: String,
    /// JSON, in one line.
    data: String,
}

/// Writes one event. The data must be one line, as all our JSON is.
pub(crate) fn write(text: &mut Vec<u8>, name: &str, id: &str, data: &[u8]) {
    for part in [b"event: ", name.as_bytes(), b"\nid: ", id.as_bytes(), b"\ndata: ", data, b"\n\n"] {
        text.extend_from_slice(part);
    }
}

/// An answer that stays open: these events, comments in between, until the server stops.
pub(crate) fn respond(state: &AppState, events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let start = tokio::time::Instant::now() + HEARTBEAT;
    let mut heartbeat = interval_at(start, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let beating = stream::unfold((Box::pin(events), heartbeat), |(mut events, mut heartbeat)| async {
        let bytes = next(&mut events, &mut heartbeat).await?;
        Some((bytes, (events, heartbeat)))
    });
    let hello = stream::iter([Bytes::from_static(HELLO)]);
    let closing = state.closing.clone().cancelled_owned();
    let all = hello.chain(beating).take_until(closing).map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::from_stream(all));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would gather the events otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn next(events: &mut (impl Stream<Item = Bytes> + Unpin), heartbeat: &mut Interval) -> Option<Bytes> {
    tokio::select! {
        biased;
        event = events.next() => event,
        _ = heartbeat.tick() => Some(Bytes::from_static(COMMENT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_with_an_empty_line() {
        let mut text = Vec::new();
        write(&mut text, "availability", "17", b"{}");
        assert_eq!(text, b"event: availability\nid: 17\ndata: {}\n\n");
    }
}
