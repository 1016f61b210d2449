//! What adapters call.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use lastseat_core::Outcome;
use lastseat_core::booking::Booking;
use lastseat_core::command::Command;
use lastseat_core::id::{KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::refusal::{Code, Refusal, RefusalData};
use lastseat_core::secret::InstanceSecret;
use lastseat_core::time::Time;
use lastseat_core::world::Answer;
use lastseat_store::{ApiKey, Store, StoreError};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};

use crate::availability::AvailabilityCache;
use crate::catalog::Catalog;
use crate::follow::{self, Left};
use crate::lane::{Committed, Job, LaneThread, Message, Reply};
use crate::metrics::Metrics;

/// Commands in one transaction, unless configured.
const BATCH_LIMIT: usize = 1_024;
/// Commands that may wait, unless configured.
const QUEUE_LIMIT: usize = 16_384;
/// Questions that are answered at the same time.
const MAX_READERS: usize = 8;
/// Commits that a watcher may be behind before it misses some and has to look anew.
const WATCH_BUFFER: usize = 1_024;

/// How long a lone caller looks for its answer before it sleeps.
const LOOK: Duration = Duration::from_micros(300);

/// Whether what is due is done by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DueWorker {
    /// Yes.
    #[default]
    On,
    /// Only when somebody looks: for tests that show that it makes no difference to anybody.
    Off,
}

/// Limits of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EngineConfig {
    /// Most commands in one transaction, at least 1.
    pub batch_limit: usize,
    /// Most commands that wait; beyond, callers get `503 overloaded` at once.
    pub queue_limit: usize,
    /// Whether what is due is done by itself.
    pub due_worker: DueWorker,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { batch_limit: BATCH_LIMIT, queue_limit: QUEUE_LIMIT, due_worker: DueWorker::On }
    }
}

/// A command that was carried out.
#[derive(Clone, PartialEq, Debug)]
pub struct Done {
    /// What became of it. Replays are resolved: a booking is as it was when it was first answered.
    pub outcome: Outcome,
    /// Whether it had been carried out before under the same idempotency key.
    pub replayed: bool,
    /// When it was decided.
    pub now: Time,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) config: EngineConfig,
    pub(crate) catalog: Catalog,
    pub(crate) availability: AvailabilityCache,
    pub(crate) metrics: Metrics,
    pub(crate) watchers: broadcast::Sender<Arc<Committed>>,
    pub(crate) readers: Semaphore,
    secret: InstanceSecret,
    epoch: u64,
    draining: AtomicBool,
    /// Whether other nodes may write to the store.
    pub(crate) follows: bool,
    /// What others had committed by then is known here.
    pub(crate) followed: Mutex<Instant>,
    /// How often the others' commits were asked for.
    pub(crate) polls: watch::Sender<u64>,
    /// What was last seen to be left to be done; taken by the lane.
    pub(crate) left: Mutex<Option<Left>>,
    /// Callers that wait for the lane.
    waiting: AtomicUsize,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The engine. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    queue: Sender<Message>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("waiting", &self.queue.len()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

impl Engine {
    /// Starts the engine on a store. What came due while nobody served is done at once.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn start(store: Arc<dyn Store>, config: EngineConfig) -> Result<Self, StoreError> {
        // Whatever others commit from here on is told, or is in what is read after it.
        let others = store.follow()?;
        let (catalog, secret, epoch, next_due, renewing) = {
            let read = store.reader()?;
            (
                Catalog::load(read.as_ref())?,
                read.secret()?,
                read.epoch()?,
                read.next_due()?,
                read.is_renewing()?,
            )
        };
        let lane = store.lane()?;
        let (queue, receiver) = crossbeam_channel::bounded(config.queue_limit.max(1));
        let shared = Arc::new(Shared {
            store,
            config: EngineConfig { batch_limit: config.batch_limit.max(1), ..config },
            catalog,
            availability: AvailabilityCache::default(),
            metrics: Metrics::default(),
            watchers: broadcast::Sender::new(WATCH_BUFFER),
            readers: Semaphore::new(MAX_READERS),
            secret,
            epoch,
            draining: AtomicBool::new(false),
            follows: others.is_some(),
            followed: Mutex::new(Instant::now()),
            polls: watch::Sender::new(0),
            left: Mutex::default(),
            waiting: AtomicUsize::new(0),
            thread: Mutex::new(None),
        });
        let thread = LaneThread { shared: Arc::clone(&shared), lane, queue: receiver, next_due, renewing };
        let spawned = std::thread::Builder::new().name("lane".to_owned()).spawn(move || thread.run());
        let handle =
            spawned.map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
        *shared.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(handle);
        if let Some(others) = others {
            follow::start(&shared, others)?;
        }
        Ok(Self { shared, queue })
    }

    /// Has a command decided and made durable. When this returns a success, it survives a power cut. The
    /// caller may go away at any time; a command that was begun is finished.
    ///
    /// # Errors
    /// The refusal; `503 overloaded` if too many wait, `503 unavailable` if the store fails.
    pub async fn submit(&self, command: Command) -> Result<Done, Refusal> {
        if self.is_draining() {
            return Err(shutting_down());
        }
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Message::Job(Box::new(Job { command, reply }))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.shared.metrics.overloaded.inc();
                let detail = "More wait than can be served. Nothing was begun; try again in a moment.";
                return Err(Refusal::with(Code::Overloaded, detail, RefusalData::RetryAfter(1)));
            }
            Err(TrySendError::Disconnected(_)) => return Err(shutting_down()),
        }
        let (outcome, now) = self.wait_for(answer).await?;
        match outcome {
            Outcome::Replay(answer) => Ok(Done { outcome: self.replay(answer).await?, replayed: true, now }),
            outcome => Ok(Done { outcome, replayed: false, now }),
        }
    }

    /// Waits for the lane's answer. Who asks alone looks for it for a while before going to sleep, letting other tasks
    /// run in between: to be woken takes about as long as the lane's own work. Not where a server does that work.
    async fn wait_for(&self, mut answer: oneshot::Receiver<Reply>) -> Reply {
        let waiting = Waiting::begin(&self.shared.waiting);
        let begun = Instant::now();
        let looks = waiting.alone && !self.shared.follows;
        while looks && begun.elapsed() < LOOK {
            match answer.try_recv() {
                Ok(reply) => return reply,
                Err(TryRecvError::Empty) => tokio::task::yield_now().await,
                // A receiver that has said so must not be asked again.
                Err(TryRecvError::Closed) => return Err(shutting_down()),
            }
        }
        answer.await.unwrap_or_else(|_| Err(shutting_down()))
    }

    /// What was answered before. A booking is folded from its events up to the version it then had.
    async fn replay(&self, answer: Answer) -> Result<Outcome, Refusal> {
        match answer {
            Answer::Booking { no, version } => {
                let found = self.booking_as_of(no, version).await?;
                if let Some(booking) = &found {
                    self.know(booking.listing).await;
                }
                found
                    .map(|booking| Outcome::Booking(Box::new(booking)))
                    .ok_or_else(|| Refusal::not_found("booking"))
            }
            Answer::Listing(id) => {
                let found = self.find_listing(id).await;
                found.map(Outcome::Listing).ok_or_else(|| Refusal::not_found("listing"))
            }
            Answer::Key(id) => Ok(Outcome::Key(id)),
            Answer::EntryThere(id) => Ok(Outcome::WaitsAlready(id)),
            Answer::Entry(id) => {
                let found = self.waitlist_entry(id).await?;
                found
                    .map(|found| Outcome::Waits(Box::new(found.entry)))
                    .ok_or_else(|| Refusal::not_found("waitlist entry"))
            }
        }
    }

    /// Takes nothing new, finishes what waits, and stops.
    pub async fn drain(&self) {
        self.shared.draining.store(true, Ordering::SeqCst);
        let queue = self.queue.clone();
        let handle = self.shared.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let stopped = tokio::task::spawn_blocking(move || {
            // The lane has gone already if nobody takes it.
            let _ = queue.send(Message::Stop);
            if let Some(handle) = handle
                && handle.join().is_err()
            {
                tracing::error!("the lane had panicked");
            }
        });
        if let Err(error) = stopped.await {
            tracing::error!(%error, "could not wait for the lane");
        }
    }

    /// Whether it is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.is_draining()
    }

    /// Whether commands and questions can be answered.
    ///
    /// # Errors
    /// `503` if not.
    pub async fn check_ready(&self) -> Result<(), Refusal> {
        let thread_ended = {
            let thread = self.shared.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            thread.as_ref().is_none_or(JoinHandle::is_finished)
        };
        if self.is_draining() || thread_ended {
            return Err(shutting_down());
        }
        self.now().await.map(|_| ())
    }

    /// The secret behind tokens and references.
    #[must_use]
    pub fn secret(&self) -> &InstanceSecret {
        &self.shared.secret
    }

    /// The epoch of the event log.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// A listing.
    #[must_use]
    pub fn listing(&self, id: ListingId) -> Option<Arc<Listing>> {
        self.shared.catalog.listing(id)
    }

    /// A listing by its number.
    #[must_use]
    pub fn listing_at(&self, no: ListingNo) -> Option<Arc<Listing>> {
        self.shared.catalog.listing_at(no)
    }

    /// All listings, the oldest first.
    #[must_use]
    pub fn listings(&self) -> Vec<Arc<Listing>> {
        self.shared.catalog.listings()
    }

    /// The API key whose secret has this SHA-256.
    #[must_use]
    pub fn key(&self, hash: &[u8; 32]) -> Option<Arc<ApiKey>> {
        self.shared.catalog.key(hash)
    }

    /// The API key of that id.
    #[must_use]
    pub fn key_by_id(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.shared.catalog.key_by_id(id)
    }

    /// All API keys in force, the oldest first.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<ApiKey>> {
        self.shared.catalog.keys()
    }

    /// When a booking next changes by itself.
    #[must_use]
    pub fn due_at(&self, booking: &Booking) -> Option<Time> {
        self.listing_at(booking.listing).and_then(|listing| lastseat_core::settle::due_at(booking, &listing))
    }

    /// Follows commits. Who falls behind is told so and looks anew.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.shared.watchers.subscribe()
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }
}

/// A caller that waits, counted as long as this lives: callers may go away at any time.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    /// Whether nobody else waited when it began.
    alone: bool,
}

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        Self { count, alone: count.fetch_add(1, Ordering::Relaxed) == 0 }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

fn shutting_down() -> Refusal {
    let detail = "The server is stopping. Try again in a moment.";
    Refusal::with(Code::Unavailable, detail, RefusalData::RetryAfter(2))
}

#[cfg(test)]
mod tests {
    use lastseat_store::memory::{Faults, MemoryStore, TestClock};

    use super::*;

    #[tokio::test]
    async fn a_caller_whose_command_is_dropped_is_told_so_alone_or_not() {
        let store = MemoryStore::new(TestClock::at(Time::from_millis(1_000)), Faults::default());
        let engine = Engine::start(Arc::new(store), EngineConfig::default()).unwrap();
        for alone in [true, false] {
            let _other = (!alone).then(|| Waiting::begin(&engine.shared.waiting));
            let (reply, answer) = oneshot::channel::<Reply>();
            drop(reply);
            assert_eq!(engine.wait_for(answer).await.unwrap_err().code, Code::Unavailable);
        }
        assert_eq!(engine.shared.waiting.load(Ordering::Relaxed), 0);
    }
}
