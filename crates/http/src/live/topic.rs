//! One topic: what is known of it, who watches, and the task that looks after it.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lastseat_core::refusal::Refusal;
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, sleep_until};

use super::frame::Frame;

/// Most frames of one topic in a second.
pub(crate) const FRAMES_PER_SECOND: u64 = 10;
/// Frames that a reader may be behind before it gets the whole state instead.
const RING: usize = 16;
/// Frames that are kept for readers who come back.
const MEMORY: usize = 64;
/// How long after a commit it is looked at once more: the first answer may have been up to 250 ms old.
const LOOK_AGAIN: Duration = Duration::from_millis(260);
/// How long a topic is looked after when nobody watches, so that who comes back finds its frames.
pub(crate) const LINGER: Duration = Duration::from_secs(60);

/// Where a topic's state comes from, and how it is shown.
pub(crate) trait Source: Send + Sync + 'static {
    /// What is known.
    type State: Send + Sync;

    /// The pause between two looks.
    const GAP: Duration = Duration::from_millis(1_000 / FRAMES_PER_SECOND);

    /// Asks the engine; none if there is no such thing any more.
    fn load(&self) -> impl Future<Output = Result<Option<Self::State>, Refusal>> + Send;

    /// Everything, as a frame.
    fn snapshot(&self, state: &Self::State) -> Frame;

    /// What changed, as a frame; none if nothing did.
    fn change(&self, old: &Self::State, new: &Self::State) -> Option<Frame>;

    /// How often to look although nothing was committed here.
    fn look_every(&self, state: &Self::State) -> Duration;
}

/// A topic that is watched.
pub(crate) struct Topic<S: Source> {
    source: S,
    known: Mutex<Known<S::State>>,
    frames: broadcast::Sender<Arc<Frame>>,
    touched: Notify,
}

struct Known<T> {
    state: T,
    /// Everything as a frame, made when first asked for.
    snapshot: Option<Arc<Frame>>,
    /// The versions that were sent, the oldest first, with the frames that led to them. The first has none:
    /// it is where the topic began.
    sent: VecDeque<(u64, Option<Arc<Frame>>)>,
}

impl<S: Source> Topic<S> {
    /// A topic at this state.
    pub(crate) fn new(source: S, state: S::State) -> Self {
        let snapshot = source.snapshot(&state);
        let sent = VecDeque::from([(snapshot.version, None)]);
        let known = Mutex::new(Known { state, snapshot: Some(Arc::new(snapshot)), sent });
        Self { source, known, frames: broadcast::Sender::new(RING), touched: Notify::new() }
    }

    /// Notes that something may have changed.
    pub(crate) fn touch(&self) {
        self.touched.notify_one();
    }

    /// Where its state comes from.
    pub(crate) const fn source(&self) -> &S {
        &self.source
    }

    /// How many watch.
    pub(crate) fn watchers(&self) -> usize {
        self.frames.receiver_count()
    }

    /// Watches from now on, beginning with everything, or with what came after the version `seen`.
    pub(crate) fn watch(self: &Arc<Self>, seen: Option<u64>) -> Subscription<S> {
        let mut known = self.lock();
        let frames = self.frames.subscribe();
        let missed = seen.and_then(|seen| {
            let at = known.sent.iter().position(|(version, _)| *version == seen)?;
            Some(known.sent.iter().skip(at + 1).filter_map(|(_, frame)| frame.clone()).collect())
        });
        let first = missed.unwrap_or_else(|| VecDeque::from([known.snapshot(&self.source)]));
        Subscription { topic: Arc::clone(self), first, frames }
    }

    /// Looks after the topic until `over` says that nobody has watched for a while.
    pub(crate) async fn run(self: Arc<Self>, over: impl Fn(&Self) -> bool) {
        let mut alone_since: Option<Instant> = None;
        let mut again: Option<Instant> = None;
        loop {
            let looked = Instant::now();
            let every = self.source.look_every(&self.lock().state);
            let next = again.map_or(looked + every, |again| again.min(looked + every));
            let touched = tokio::select! {
                () = self.touched.notified() => true,
                () = sleep_until(next) => false,
            };
            sleep_until(looked + S::GAP).await;
            again = touched.then(|| Instant::now() + LOOK_AGAIN);
            match self.source.load().await {
                Ok(Some(state)) => self.publish(state),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "a watched topic could not be looked at"),
            }
            if self.watchers() > 0 {
                alone_since = None;
            } else if alone_since.get_or_insert_with(Instant::now).elapsed() >= LINGER && over(&self) {
                return;
            }
        }
    }

    fn publish(&self, state: S::State) {
        let mut known = self.lock();
        let change = self.source.change(&known.state, &state);
        known.state = state;
        let Some(frame) = change.map(Arc::new) else { return };
        known.snapshot = None;
        if known.sent.len() == MEMORY {
            known.sent.pop_front();
        }
        known.sent.push_back((frame.version, Some(Arc::clone(&frame))));
        // Sent under the lock, so that who begins to watch misses none and gets none twice.
        let _ = self.frames.send(frame);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known<S::State>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Known<T> {
    fn snapshot<S: Source<State = T>>(&mut self, source: &S) -> Arc<Frame> {
        let state = &self.state;
        Arc::clone(self.snapshot.get_or_insert_with(|| Arc::new(source.snapshot(state))))
    }
}

/// One who watches.
pub(crate) struct Subscription<S: Source> {
    topic: Arc<Topic<S>>,
    first: VecDeque<Arc<Frame>>,
    frames: broadcast::Receiver<Arc<Frame>>,
}

impl<S: Source> Subscription<S> {
    /// The next frame. Who was too slow gets everything anew.
    pub(crate) async fn next(&mut self) -> Option<Arc<Frame>> {
        if let Some(frame) = self.first.pop_front() {
            return Some(frame);
        }
        match self.frames.recv().await {
            Ok(frame) => Some(frame),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let mut known = self.topic.lock();
                self.frames = self.topic.frames.subscribe();
                Some(known.snapshot(&self.topic.source))
            }
        }
    }
}
