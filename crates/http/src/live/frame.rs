//! One thing to tell about a topic, written once for all who are told.

use std::sync::OnceLock;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;

use super::sse;

/// Whether a frame tells everything or what changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    /// Everything.
    Snapshot,
    /// What changed since the frame before.
    Change,
}

/// One thing to tell.
#[derive(Debug)]
pub(crate) struct Frame {
    /// How the topic is called: `listing:lst_...`.
    topic: String,
    /// How event streams call it.
    event: &'static str,
    extent: Extent,
    /// The version that it leads to.
    pub(crate) version: u64,
    /// JSON in one line.
    data: Bytes,
    sse: OnceLock<Bytes>,
    websocket: OnceLock<Utf8Bytes>,
}

impl Frame {
    /// A frame with this data, which is JSON in one line.
    pub(crate) fn new(topic: &str, event: &'static str, extent: Extent, version: u64, data: Bytes) -> Self {
        Self {
            topic: topic.to_owned(),
            event,
            extent,
            version,
            data,
            sse: OnceLock::new(),
            websocket: OnceLock::new(),
        }
    }

    /// As an event of a stream.
    pub(crate) fn sse(&self) -> Bytes {
        let text = self.sse.get_or_init(|| {
            let mut text = Vec::with_capacity(self.data.len() + 64);
            sse::write(&mut text, self.event, &self.version.to_string(), &self.data);
            text.into()
        });
        text.clone()
    }

    /// As a message of a WebSocket.
    pub(crate) fn websocket(&self) -> Utf8Bytes {
        let text = self.websocket.get_or_init(|| {
            let kind = match self.extent {
                Extent::Snapshot => "snapshot",
                Extent::Change => "change",
            };
            message(&self.topic, kind, &self.data)
        });
        text.clone()
    }
}

/// A message of a WebSocket: `{"topic", "type", "data"}`. The data is JSON.
pub(crate) fn message(topic: &str, kind: &str, data: &[u8]) -> Utf8Bytes {
    let data = String::from_utf8_lossy(data);
    let topic = serde_json::Value::from(topic);
    format!(r#"{{"topic":{topic},"type":"{kind}","data":{data}}}"#).into()
}
