//! A store in memory, for tests and simulations: serial transactions, snapshots that never change, and
//! faults on demand.
//!
//! - [`clock`]: a clock that a test sets
//! - [`faults`]: what shall go wrong, scripted or drawn from a seed
//! - `rows`: what is kept, and the constraints that a database would guard
//! - `lane`: one batch, one transaction
//! - `snapshot`: questions
//!
//! What was committed survives [`MemoryStore::crash`], as it would survive a power cut; everything else is gone,
//! and the lanes that were open fail until new ones are made. It keeps all in ordered maps and copies them at
//! each write: simple and correct before fast.

pub mod clock;
pub mod faults;
mod lane;
mod rows;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lastseat_core::time::Time;
use lastseat_core::world::World;

pub use clock::TestClock;
pub use faults::{Dice, Failure, Fate, Fault, Faults, Odds};
pub(crate) use rows::Rows;
pub(crate) use snapshot::Snapshot;

use crate::error::StoreError;
use crate::read::Read;
use crate::tx::{Lane, Store};
use faults::Point;
use lane::MemoryLane;

/// The secret of every instance in memory: tests are to be repeatable.
const SECRET: [u8; 32] = [0x5e; 32];
/// The epoch of its event log.
const EPOCH: u64 = 1;

/// What looks at every commit: a snapshot with it, and what it changed.
pub type Watcher = Box<dyn FnMut(&dyn Read, &World) + Send>;

/// Bookings in memory. Clones share them.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: TestClock,
    faults: Faults,
    /// Held by the transaction that runs: there is one at a time.
    turn: Mutex<()>,
    state: Mutex<State>,
}

/// What there is besides the transaction that runs.
#[derive(Default)]
struct State {
    rows: Arc<Rows>,
    watcher: Option<Watcher>,
    /// Counts crashes: who was there before is no longer connected.
    generation: u64,
    /// The transaction whose connection died around its commit, and which is not over yet.
    in_flight: Option<InFlight>,
    /// Batches that were committed.
    committed: BTreeSet<u128>,
    /// Batches that were found not to be committed, and now never will be.
    aborted: BTreeSet<u128>,
}

/// A transaction that its client has lost sight of. It still holds its locks: whoever comes next waits for it.
#[derive(Debug)]
struct InFlight {
    batch: u128,
    rows: Arc<Rows>,
    /// What it has written, where somebody looks.
    written: Vec<World>,
    lands: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl State {
    /// Puts a transaction's rows in force.
    fn commit(&mut self, batch: u128, rows: Arc<Rows>, written: &[World]) {
        self.rows = rows;
        self.committed.insert(batch);
        if let Some(watcher) = &mut self.watcher {
            for world in written {
                watcher(&Snapshot::new(Arc::clone(&self.rows), world.now), world);
            }
        }
    }

    /// Lets the transaction in flight come to its end, as whoever waits for its locks would see it.
    fn land(&mut self) {
        if let Some(InFlight { batch, rows, written, lands }) = self.in_flight.take() {
            if lands {
                self.commit(batch, rows, &written);
            } else {
                self.aborted.insert(batch);
            }
        }
    }

    fn crash(&mut self) {
        self.land();
        self.generation += 1;
    }
}

impl MemoryStore {
    /// An empty store on this clock, with these faults.
    #[must_use]
    pub fn new(clock: TestClock, faults: Faults) -> Self {
        let (turn, state) = (Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { clock, faults, turn, state }) }
    }

    /// A store that holds these rows already.
    pub(crate) fn with_rows(clock: TestClock, rows: Arc<Rows>) -> Self {
        let store = Self::new(clock, Faults::default());
        store.shared.state().rows = rows;
        store
    }

    /// Has every commit looked at, from now on.
    pub fn watch(&self, watcher: Watcher) {
        self.shared.state().watcher = Some(watcher);
    }

    /// The faults, to add some.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The process dies and is started again: what was not committed is gone, and lanes have to be opened anew.
    /// A transaction that runs on another thread fails with its next step.
    pub fn crash(&self) {
        self.shared.state().crash();
    }

    /// Changes rows behind everybody's back: to plant violations that checks have to find.
    #[cfg(test)]
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Rows)) {
        change(Arc::make_mut(&mut self.shared.state().rows));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError> {
        let generation = self.shared.state().generation;
        Ok(Box::new(MemoryLane::new(Arc::clone(&self.shared), generation)))
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        self.shared.faults.check(Point::Reader)?;
        let rows = Arc::clone(&self.shared.state().rows);
        Ok(Box::new(Snapshot::new(rows, self.shared.clock.now())))
    }

    fn clock(&self) -> Time {
        self.shared.clock.now()
    }
}
