//! One batch: load what its commands name, decide them one after the other in memory, write the difference,
//! commit. No threads and no clock of its own, so that a simulation can drive it.

use std::collections::{BTreeMap, BTreeSet};

use lastseat_core::command::{Action, Command};
use lastseat_core::decide::names::Names;
use lastseat_core::id::ListingNo;
use lastseat_core::pool::PoolRef;
use lastseat_core::refusal::{Code, Refusal, RefusalData};
use lastseat_core::time::Time;
use lastseat_core::world::{Changes, World};
use lastseat_core::{Outcome, decide};
use lastseat_store::{CommitError, Lane, StoreError, Tx};

use crate::load::Load;

/// How often it is asked whether a transaction of unknown outcome was committed, before giving up.
const MAX_SETTLE_ATTEMPTS: u32 = 20;
/// How often a batch is decided anew because its transaction turned out to be gone, or another node came between.
const MAX_ATTEMPTS: usize = 6;
/// What a caller is told to wait when the store cannot be used, in seconds.
const RETRY_AFTER_SECONDS: u32 = 2;

/// What became of a command.
pub type Answer = Result<Outcome, Refusal>;

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Ran {
    /// An answer per command, in order.
    pub answers: Vec<Answer>,
    /// The instant at which it was decided.
    pub now: Time,
    /// What was committed: nothing where nothing changed. Halves of a split batch come one by one.
    pub worlds: Vec<World>,
    /// Whether there is more due than the limit allowed.
    pub more_due: bool,
    /// Whether there is more to renew.
    pub more_renewals: bool,
}

/// Runs `commands` in order as one transaction; `fresh` gives random ids for transactions.
///
/// An edit of a listing is a transaction of its own: it changes what others have to have loaded (limits that were not
/// there before need their customers counted) and from where its bookings are renewed.
pub fn run(lane: &mut dyn Lane, commands: &[Command], fresh: &mut dyn FnMut() -> u128) -> Ran {
    let mut ran = Ran::default();
    for part in commands.chunk_by(|a, b| !edits(a) && !edits(b)) {
        ran.append(run_together(lane, part, fresh));
    }
    ran
}

fn edits(command: &Command) -> bool {
    matches!(command.action, Action::PatchListing { .. })
}

/// A batch that the store refuses for its data is split and run in halves, so that one poison command cannot fail its
/// neighbours.
fn run_together(lane: &mut dyn Lane, commands: &[Command], fresh: &mut dyn FnMut() -> u128) -> Ran {
    let mut names = Names::default();
    for command in commands {
        names.add(command);
    }
    let mut last = StoreError::Unavailable("the outcome of the transaction is not known".to_owned());
    let ways = std::iter::once(Way::Optimistic).chain([Way::Locked; MAX_ATTEMPTS]);
    for way in ways {
        match attempt(lane, commands, &names, fresh(), way) {
            Ok(ran) => return ran,
            Err(Failure::Gone | Failure::Unsure) => {}
            Err(Failure::Store(StoreError::Conflict(why))) => {
                tracing::debug!(why, commands = commands.len(), "deciding a batch anew");
                last = StoreError::Conflict(why);
            }
            Err(Failure::Store(StoreError::BadData(_))) if commands.len() > 1 => {
                let (first, second) = commands.split_at(commands.len() / 2);
                let mut ran = run_together(lane, first, fresh);
                ran.append(run_together(lane, second, fresh));
                return ran;
            }
            Err(Failure::Store(error)) => {
                last = error;
                break;
            }
        }
    }
    tracing::error!(error = %last, commands = commands.len(), "a batch failed");
    let refusal = unavailable(&last);
    let answers = commands.iter().map(|_| Err(refusal.clone())).collect();
    Ran { answers, now: Time::default(), worlds: Vec::new(), more_due: false, more_renewals: false }
}

impl Ran {
    fn append(&mut self, other: Self) {
        self.answers.extend(other.answers);
        self.worlds.extend(other.worlds);
        self.now = self.now.max(other.now);
        self.more_due |= other.more_due;
        self.more_renewals |= other.more_renewals;
    }
}

/// What a client is told when the store fails.
#[must_use]
pub fn unavailable(error: &StoreError) -> Refusal {
    let detail = match error {
        StoreError::Full => {
            "There is no room to write; nothing was changed. Reading goes on. Try again later."
        }
        _ => {
            "The store cannot be used at the moment; nothing is known to have changed. Try again with the same Idempotency-Key."
        }
    };
    Refusal::with(Code::Unavailable, detail, RefusalData::RetryAfter(RETRY_AFTER_SECONDS))
}

/// How a transaction begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// On what the lane knows from before, if that may do.
    Optimistic,
    /// With locks, and what is read under them.
    Locked,
}

enum Failure {
    /// What was known from before does not do for an answer: nothing that is written would have it compared.
    Unsure,
    /// The transaction is gone; deciding anew may succeed.
    Gone,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn attempt(
    lane: &mut dyn Lane,
    commands: &[Command],
    names: &Names,
    batch: u128,
    way: Way,
) -> Result<Ran, Failure> {
    let mut tx = match way {
        Way::Optimistic => lane.begin_optimistic(batch, names).ok_or(Failure::Unsure)?,
        Way::Locked => lane.begin(batch, names)?,
    };
    let mut load = Load::new(tx.as_mut(), names)?;
    load.all(commands, names)?;
    load.world.settle_all();
    for no in load.renewal.iter().flat_map(|renewal| &renewal.bookings) {
        load.world.touch_booking(*no);
    }
    load.world.settle_entries();
    // What comes free goes to those who wait before the next command looks.
    load.serve()?;
    let mut answers: Vec<Answer> = Vec::with_capacity(commands.len());
    for command in commands {
        load.number_for(command)?;
        answers.push(decide(&mut load.world, command));
        load.serve()?;
    }
    let Load { world, renewal, mut more_due, .. } = load;
    more_due |= world.listings.keys().any(|of| world.gives_more_soon(*of));
    // Sentences are checked to say what is true after the whole batch.
    let write = !world.changes.is_empty() || world.has_changed_entries() || renewal.is_some();
    if way == Way::Optimistic && (!write || answers.iter().any(Result::is_err)) {
        return Err(Failure::Unsure);
    }
    if write {
        tx.write(&world)?;
        if let Some(renewal) = &renewal {
            tx.set_renewed(renewal.listing, renewal.renewed)?;
        }
    }
    tell_next_releases(tx.as_mut(), &world, commands, &mut answers)?;
    let ran = |world: World, answers| Ran {
        now: world.now,
        more_due,
        more_renewals: renewal.is_some(),
        worlds: if write { vec![world] } else { Vec::new() },
        answers,
    };
    if !write {
        return Ok(ran(world, answers));
    }
    match tx.commit() {
        Ok(()) => Ok(ran(world, answers)),
        Err(CommitError::Aborted(error)) => Err(Failure::Store(error)),
        Err(CommitError::Unknown(error)) => {
            tracing::warn!(%error, "the outcome of a commit is unknown; asking");
            for _ in 0..MAX_SETTLE_ATTEMPTS {
                match lane.was_committed(batch) {
                    Ok(true) => return Ok(ran(world, answers)),
                    Ok(false) => return Err(Failure::Gone),
                    Err(_) => {}
                }
            }
            Err(Failure::Store(error))
        }
    }
}

/// Completes refusals for want of places: when does the next hold lapse?
fn tell_next_releases(
    tx: &mut dyn Tx,
    world: &World,
    commands: &[Command],
    answers: &mut [Answer],
) -> Result<(), StoreError> {
    let mut short: BTreeMap<PoolRef, Vec<&mut Option<Time>>> = BTreeMap::new();
    for (command, answer) in commands.iter().zip(answers) {
        let Err(Refusal { data: RefusalData::Pools { pools, .. }, .. }) = answer else { continue };
        let Some(listing) = listing_of(world, command) else { continue };
        for pool in pools.iter_mut().filter(|pool| pool.held > 0) {
            let Some(no) = listing.find_pool(&pool.key) else { continue };
            let at = PoolRef { listing: listing.no, pool: no };
            short.entry(at).or_default().push(&mut pool.next_release_at);
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    let pools: Vec<PoolRef> = short.keys().copied().collect();
    for (next, told) in tx.next_releases(&pools)?.into_iter().zip(short.into_values()) {
        told.into_iter().for_each(|told| *told = next);
    }
    Ok(())
}

fn listing_of<'w>(world: &'w World, command: &Command) -> Option<&'w lastseat_core::listing::Listing> {
    let listing = match &command.action {
        Action::CreateBooking(create) => world.listing(create.listing),
        Action::ImportBooking(import) => world.listing(import.listing),
        Action::PutPools { id, .. } | Action::PatchListing { id, .. } => world.listing(*id),
        Action::Booking { id, .. } => world.listings.get(&world.booking(*id)?.listing),
        _ => None,
    };
    listing.map(std::sync::Arc::as_ref)
}

/// The listings whose inventory a batch changed.
#[must_use]
pub fn inventory(changes: &Changes) -> BTreeSet<ListingNo> {
    changes.pools.iter().chain(&changes.removed_pools).map(|at| at.listing).collect()
}
