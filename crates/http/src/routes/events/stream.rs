//! The feed that stays open: what is there, then what comes.

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use lastseat_engine::Committed;
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Wanted, next};
use crate::live::sse;
use crate::state::AppState;
use crate::view::EventView;

/// Events that are read at a time.
const BATCH: u32 = 200;
/// How long the feed waits after a commit, so that many commits make one question.
const GATHER: Duration = Duration::from_millis(100);
/// How often it looks without a commit: other nodes' commits tell nobody here.
const LOOK_EVERY: Duration = Duration::from_secs(5);

struct Feed {
    state: AppState,
    wanted: Wanted,
    commits: Receiver<Arc<Committed>>,
    /// Whether the last question found as much as it could, so that there may be more.
    more: bool,
}

/// The stream from `wanted.after` on.
pub(super) fn respond(state: &AppState, wanted: Wanted) -> Response {
    // Subscribed before the first question, so that no commit falls between.
    let commits = state.engine.subscribe();
    let feed = Feed { state: state.clone(), wanted, commits, more: true };
    sse::respond(
        state,
        stream::unfold(feed, |mut feed| async { feed.next().await.map(|bytes| (bytes, feed)) }),
    )
}

impl Feed {
    /// The next events as text; none when the store fails, and the client comes back with its last id.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.more {
                self.wait().await;
            }
            let engine = &self.state.engine;
            let events = engine.events(self.wanted.after, self.wanted.listing, BATCH).await.ok()?;
            self.more = events.len() >= BATCH as usize;
            if events.is_empty() {
                continue;
            }
            let mut text = Vec::new();
            for event in events {
                let id = next(engine, self.wanted.after, std::slice::from_ref(&event));
                self.wanted.after = event.place;
                let kind = event.kind.as_str();
                sse::write(&mut text, kind, &id, &crate::respond::to_bytes(&EventView::new(engine, event)));
            }
            return Some(text.into());
        }
    }

    async fn wait(&mut self) {
        match tokio::time::timeout(LOOK_EVERY, self.commits.recv()).await {
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {
                tokio::time::sleep(GATHER).await;
                // What came meanwhile is in the next question too.
                while self.commits.try_recv().is_ok() {}
            }
            Ok(Err(RecvError::Closed)) => tokio::time::sleep(LOOK_EVERY).await,
            Err(_) => {}
        }
    }
}
