//! The thread that runs batches, one after the other, and does in between what is due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use lastseat_core::Outcome;
use lastseat_core::command::{Action, Actor, Command};
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, ListingNo};
use lastseat_core::refusal::Refusal;
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::world::World;
use lastseat_store::Lane;
use tokio::sync::oneshot;

use crate::batch::{self, Ran};
use crate::engine::{DueWorker, Shared};
use crate::follow::Left;
use crate::ids;

/// How long the lane looks for the next command before it sleeps: to wake a thread takes longer than most answers
/// of the disk, and a caller who asks one thing after the other has the next one soon. Where several nodes write the
/// work is done by a server, perhaps on this machine: it needs the processor more.
const SPIN: Duration = Duration::from_micros(60);
/// Longest sleep: so that a clock that was set forward is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Due bookings that are settled in one batch when nobody else waits.
const DUE_ALONE: u32 = 1_024;
/// Fewest due bookings that are settled in one batch while others wait. More are if the batch is larger: what is due
/// gets a little less than half of the lane.
const MIN_DUE_PER_BATCH: u32 = 44;
/// For each time that it is so late, in milliseconds, what is due gets that share once more.
const LATE_MS: i64 = 2_000;
/// Bookings that are renewed in one batch after an edit of their listing.
const RENEWALS_PER_BATCH: u32 = 500;
/// Longest sleep where other nodes may leave something to be done.
const MAX_SLEEP_AMONG_OTHERS: Duration = Duration::from_millis(250);
/// The pause before what is due is tried again that could not be had: another node is at it.
const DUE_ELSEWHERE_MS: i64 = 40;
/// How often a part of the forgotten idempotency keys is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(10);
/// How long idempotency keys are remembered at least, in seconds.
const REMEMBER_SECONDS: i64 = 24 * 3600;

/// What a commit changed, for those who watch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// Listings whose pools or waitlists changed.
    pub inventory: Vec<ListingNo>,
    /// Listings that are new or were edited.
    pub listings: Vec<ListingNo>,
    /// Bookings that are new or changed; of other nodes those that changed.
    pub bookings: Vec<BookingId>,
    /// Whether events were appended, or have got their place in the log.
    pub events: bool,
    /// Other nodes have changed more than can be told: everything may be different.
    pub lost_track: bool,
}

/// A command that waits, with where its answer goes.
pub(crate) struct Job {
    pub(crate) command: Command,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// What became of a command, and when it was decided.
pub(crate) type Reply = Result<(Outcome, Time), Refusal>;

/// What comes into the lane.
pub(crate) enum Message {
    /// A command.
    Job(Box<Job>),
    /// Stop after what came before.
    Stop,
}

pub(crate) struct LaneThread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: Box<dyn Lane>,
    pub(crate) queue: Receiver<Message>,
    /// When the next booking is due; none if none is.
    pub(crate) next_due: Option<Time>,
    /// Whether a listing waits for its bookings to be renewed.
    pub(crate) renewing: bool,
}

impl LaneThread {
    /// Runs until it is told to stop or nobody can send any more.
    pub(crate) fn run(mut self) {
        let mut jobs: Vec<Job> = Vec::new();
        let mut commands: Vec<Command> = Vec::new();
        let mut pruned = Instant::now();
        let mut stop = false;
        self.lane.prepare();
        loop {
            // Once told to stop, stay told: a command may have come into the queue behind that message.
            stop |= self.gather(&mut jobs);
            self.take_left();
            let begun = Instant::now();
            let due = self.due_now();
            commands.extend(jobs.iter_mut().map(|job| std::mem::replace(&mut job.command, nothing())));
            self.add_own(&mut commands, due);
            if !commands.is_empty() {
                let ran = batch::run(self.lane.as_mut(), &commands, &mut ids::bits);
                self.finish(&mut jobs, ran, due, begun);
            }
            commands.clear();
            jobs.clear();
            if pruned.elapsed() >= PRUNE_EVERY {
                pruned = Instant::now();
                let before = self.shared.store.clock().plus_seconds(-REMEMBER_SECONDS);
                if let Err(error) = self.lane.prune(before) {
                    tracing::warn!(%error, "could not forget old idempotency keys");
                }
            }
            if stop && self.queue.is_empty() {
                return;
            }
        }
    }

    /// Waits for a command or until something is due, then takes what waits, up to the limit. Whether to
    /// stop.
    fn gather(&mut self, jobs: &mut Vec<Job>) -> bool {
        let first = match self.queue.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Disconnected) => return true,
            Err(TryRecvError::Empty) => match self.wait() {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return true,
            },
        };
        let mut next = first;
        while let Some(message) = next {
            match message {
                Message::Stop => return true,
                // Nobody waits for an answer any more: not begun, so nothing to undo.
                Message::Job(job) if job.reply.is_closed() => {}
                Message::Job(job) => jobs.push(*job),
            }
            if jobs.len() >= self.shared.config.batch_limit {
                break;
            }
            next = self.queue.try_recv().ok();
        }
        self.shared.metrics.queue_length(self.queue.len());
        false
    }

    /// Waits for a command or until something is due.
    fn wait(&self) -> Result<Message, RecvTimeoutError> {
        let sleep = self.sleep();
        let spin = if self.shared.follows { Duration::ZERO } else { SPIN };
        let begun = Instant::now();
        while begun.elapsed() < spin.min(sleep) {
            match self.queue.try_recv() {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
            }
        }
        self.queue.recv_timeout(sleep)
    }

    /// Takes over what other nodes have left to be done.
    fn take_left(&mut self) {
        if !self.shared.follows {
            return;
        }
        let left = self.shared.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(Left { next_due, renewing }) = left {
            self.next_due = self.next_due.into_iter().chain(next_due).min();
            self.renewing |= renewing;
        }
    }

    fn sleep(&self) -> Duration {
        if self.renewing {
            return Duration::ZERO;
        }
        let most = if self.shared.follows { MAX_SLEEP_AMONG_OTHERS } else { MAX_SLEEP };
        if self.shared.config.due_worker == DueWorker::Off {
            return most;
        }
        let Some(due) = self.next_due else { return most };
        let millis = due.millis().saturating_sub(self.shared.store.clock().millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(most)
    }

    /// When what is due now was due, if something is.
    fn due_now(&self) -> Option<Time> {
        if self.shared.config.due_worker == DueWorker::Off {
            return None;
        }
        self.next_due.filter(|due| *due <= self.shared.store.clock())
    }

    fn add_own(&self, commands: &mut Vec<Command>, due: Option<Time>) {
        if let Some(due) = due {
            let waiting = u32::try_from(commands.len()).unwrap_or(u32::MAX);
            let late = self.shared.store.clock().millis().saturating_sub(due.millis()) / LATE_MS;
            let share = (waiting / 4 * 3).max(MIN_DUE_PER_BATCH);
            let limit = match waiting {
                0 => DUE_ALONE,
                _ => share.saturating_mul(1 + u32::try_from(late).unwrap_or(0)).min(share.max(DUE_ALONE)),
            };
            commands.push(Command::new(Actor::System, Action::SettleDue { limit }));
        }
        if self.renewing {
            commands.push(Command::new(Actor::System, Action::RenewDue { limit: RENEWALS_PER_BATCH }));
        }
    }

    fn finish(&mut self, jobs: &mut Vec<Job>, ran: Ran, due: Option<Time>, begun: Instant) {
        let failed = ran.worlds.is_empty() && ran.now == Time::default();
        for world in &ran.worlds {
            self.publish(world);
        }
        let metrics = &self.shared.metrics;
        metrics.batch(jobs.len(), begun.elapsed().as_secs_f64());
        let mut refused: HashMap<_, u64> = HashMap::new();
        for answer in &ran.answers {
            if let Err(refusal) = answer {
                *refused.entry(refusal.code).or_default() += 1;
            }
        }
        for (code, count) in refused {
            metrics.refused(code, count);
        }
        for (job, answer) in jobs.drain(..).zip(ran.answers) {
            // Whoever has gone in the meantime finds the booking by its idempotency key.
            let _ = job.reply.send(answer.map(|outcome| (outcome, ran.now)));
        }
        if failed {
            // Do not spin on a store that is down.
            std::thread::sleep(Duration::from_millis(50));
            return;
        }
        self.renewing = ran.more_renewals || self.renewing && !ran.worlds.is_empty() && self.still_renewing();
        if let Some(due) = due {
            let late = ran.now.millis().saturating_sub(due.millis());
            #[allow(clippy::cast_precision_loss, reason = "a lag in milliseconds is small")]
            metrics.due_lag.observe(late as f64 / 1000.0);
            if !ran.more_due {
                let next = self.shared.store.reader().and_then(|read| read.next_due());
                let next = next.unwrap_or(Some(ran.now));
                let elsewhere = Time::from_millis(ran.now.millis() + DUE_ELSEWHERE_MS);
                self.next_due = next.map(|due| if self.shared.follows { due.max(elsewhere) } else { due });
            }
        }
    }

    fn still_renewing(&self) -> bool {
        self.shared.store.reader().and_then(|read| read.is_renewing()).unwrap_or(true)
    }

    /// Tells everybody what was committed, before its callers are answered: who has an answer sees its
    /// effect.
    fn publish(&mut self, world: &World) {
        let changes = &world.changes;
        for no in changes.bookings.keys() {
            let Some(booking) = world.booking_at(*no) else { continue };
            let due = due_at(booking, &world.listing_of(booking));
            self.next_due = match (self.next_due, due) {
                (Some(known), Some(due)) => Some(known.min(due)),
                (known, due) => known.or(due),
            };
        }
        let rechecked = (!changes.recheck.is_empty()).then_some(world.now);
        let due = world.changed_entries().filter_map(|(_, entry)| entry.due_at).chain(rechecked);
        self.next_due = due.chain(self.next_due).min();
        let new = changes.new_listings.iter().map(|(no, ..)| *no);
        let listings: Vec<ListingNo> = new.chain(changes.listings.iter().copied()).collect();
        self.renewing |= listings.iter().any(|no| world.listings[no].doc.renew_through.is_some());
        self.shared.catalog.put_listings(self.shared.catalog.unknown(world.listings.values()));
        if !changes.new_keys.is_empty() || !changes.revoked_keys.is_empty() {
            self.reload_keys();
        }
        let waited = world.changed_lists();
        let mut inventory: Vec<ListingNo> = batch::inventory(changes).union(&waited).copied().collect();
        inventory.extend(&listings);
        self.shared.availability.changed(&inventory);
        let mut kinds: HashMap<EventKind, u64> = HashMap::new();
        for event in &changes.events {
            *kinds.entry(event.kind).or_default() += 1;
        }
        for (kind, count) in kinds {
            self.shared.metrics.event(kind, count);
        }
        if self.shared.watchers.receiver_count() > 0 {
            let bookings =
                changes.bookings.keys().filter_map(|no| world.booking_at(*no)).map(|b| b.id).collect();
            let events = !changes.events.is_empty();
            // An error means that nobody watches any more.
            let _ = self.shared.watchers.send(Arc::new(Committed {
                inventory,
                listings,
                bookings,
                events,
                lost_track: false,
            }));
        }
    }

    fn reload_keys(&self) {
        if let Err(error) = self.shared.catalog.reload_keys(self.shared.store.as_ref()) {
            tracing::error!(%error, "could not read the API keys anew");
        }
    }
}

/// What stands in a job whose command was taken out.
fn nothing() -> Command {
    Command::new(Actor::System, Action::SettleDue { limit: 0 })
}
