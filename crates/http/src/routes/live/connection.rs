//! One WebSocket: its topics, its heartbeat, its end.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Packet, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use lastseat_core::command::Actor;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::StreamMap;

use super::request::{Message, Name, Watched};
use crate::live::frame::message;
use crate::live::topic::Source;
use crate::live::{Frame, Subscription};
use crate::problem::Problem;
use crate::state::AppState;

/// Most topics of one connection.
const MAX_TOPICS: usize = 100;
/// How often the other side is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long it may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(75);
/// How long one message may take to be written. Who is slower is let go, and may come back.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// What errors name that are about no topic.
const NO_TOPIC: &str = "";

type Updates = Pin<Box<dyn Stream<Item = Arc<Frame>> + Send>>;

/// The connection is over.
struct Over;

struct Connection {
    socket: WebSocket,
    state: AppState,
    actor: Actor,
    topics: StreamMap<String, Updates>,
}

/// Serves a connection until one of both sides ends it.
pub(super) async fn run(socket: WebSocket, state: AppState, actor: Actor) {
    let closing = state.closing.clone();
    let mut connection = Connection { socket, state, actor, topics: StreamMap::new() };
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let went_on = tokio::select! {
            () = closing.cancelled() => connection.close(close_code::AWAY, "the server is stopping").await,
            packet = connection.socket.recv() => {
                heard = Instant::now();
                connection.received(packet).await
            }
            Some((_, frame)) = connection.topics.next(), if !connection.topics.is_empty() => {
                connection.send(Packet::Text(frame.websocket())).await
            }
            _ = ping.tick() => {
                if heard.elapsed() > MAX_SILENCE {
                    Err(Over)
                } else {
                    connection.send(Packet::Ping(Bytes::new())).await
                }
            }
        };
        if went_on.is_err() {
            return;
        }
    }
}

impl Connection {
    async fn received(&mut self, packet: Option<Result<Packet, axum::Error>>) -> Result<(), Over> {
        let message = match packet {
            Some(Ok(Packet::Text(text))) => Message::read(text.as_bytes()),
            Some(Ok(Packet::Binary(bytes))) => Message::read(&bytes),
            // Pings are answered by the library.
            Some(Ok(Packet::Ping(_) | Packet::Pong(_))) => return Ok(()),
            Some(Ok(Packet::Close(_)) | Err(_)) | None => return Err(Over),
        };
        let message = match message {
            Ok(message) => message,
            Err(problem) => return self.error(NO_TOPIC, &problem).await,
        };
        for text in &message.unsubscribe {
            self.topics.remove(Name::new(text).topic);
        }
        for text in &message.subscribe {
            let name = Name::new(text);
            if let Err(problem) = self.subscribe(&name).await {
                self.error(name.topic, &problem).await?;
            }
        }
        Ok(())
    }

    async fn subscribe(&mut self, name: &Name<'_>) -> Result<(), Problem> {
        if self.topics.len() >= MAX_TOPICS && !self.topics.contains_key(name.topic) {
            let text = format!("is one too many: a connection may watch {MAX_TOPICS} topics");
            return Err(Problem::field("subscribe", text));
        }
        let updates = match name.resolve(&self.state, &self.actor).await? {
            Watched::Listing(listing) => updates(self.state.live.listing(&listing, None).await?),
            Watched::Booking(id) => updates(self.state.live.booking(id).await?),
            Watched::Entry(id) => updates(self.state.live.entry(id).await?),
        };
        self.topics.insert(name.topic.to_owned(), updates);
        Ok(())
    }

    async fn error(&mut self, topic: &str, problem: &Problem) -> Result<(), Over> {
        self.send(Packet::Text(message(topic, "error", &problem.to_json()))).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        self.send(Packet::Close(Some(frame))).await?;
        Err(Over)
    }

    async fn send(&mut self, packet: Packet) -> Result<(), Over> {
        match timeout(WRITE_TIME, self.socket.send(packet)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }
}

fn updates<S: Source>(frames: Subscription<S>) -> Updates {
    Box::pin(stream::unfold(frames, |mut frames| async { Some((frames.next().await?, frames)) }))
}
