//! A database that several nodes share, simulated: transactions of different nodes really interleave, statement by
//! statement, in an order that a seed decides.
//!
//! - `locks`: rows are locked one by one; who waits in a circle is told
//! - `server`: what is committed, the transactions that are open, and those whose clients are gone
//! - `turns`: each node on a thread of its own, one at a time
//! - [`trouble`]: what goes wrong, and what a store could do wrong by itself
//! - `lane`, `tx`: one batch, one transaction, as the store in PostgreSQL does it
//! - `optimistic`, `known`, `booked`: one that is decided on what a lane knows, and written under a guard
//! - `feed`: the order of the event log
//! - `drive`: what the driver of a simulation can do to nodes and server
//!
//! It is READ COMMITTED: each statement sees what was committed when it began, and what its own transaction has
//! written; what was read before is not read again. Whoever waits for a row gets it when the other has ended. A
//! connection that is lost leaves a transaction behind that holds its locks until the server notices, or that is
//! committed later. Outside of a simulation everything happens at once.

mod booked;
mod drive;
mod feed;
mod known;
mod lane;
mod locks;
mod optimistic;
mod server;
#[cfg(test)]
mod tests;
pub mod trouble;
mod turns;
mod tx;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lastseat_core::time::Time;

pub use crate::memory::Watcher;
pub use drive::{Driver, Seen};
pub use trouble::{Flaw, Trouble};

use crate::error::StoreError;
use crate::memory::{Dice, Snapshot, TestClock};
use crate::read::Read;
use crate::tx::{Lane, Store};
use lane::SimulatedLane;
use locks::{Key, TxNo};
use server::{Landed, Server};
use turns::{Doing, Turns};

/// A database for several nodes.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

/// One life of one node: a store of its own on the database that all share.
#[derive(Clone)]
pub struct Node {
    shared: Arc<Shared>,
    at: At,
}

/// Which life of which node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct At {
    node: usize,
    life: u64,
}

struct Shared {
    clock: TestClock,
    state: Mutex<State>,
}

struct State {
    server: Server,
    turns: Turns,
    dice: Dice,
    trouble: Trouble,
    nodes: Vec<Being>,
    watcher: Option<Watcher>,
    told: Option<Arc<Mutex<Vec<String>>>>,
}

/// What a node is like.
#[derive(Clone, Copy, Debug, Default)]
struct Being {
    /// Counts its deaths.
    life: u64,
    /// How many milliseconds its clock is off.
    skew: i64,
}

/// An instant on a clock that is so many milliseconds off.
fn off(now: Time, skew: i64) -> Time {
    Time::from_millis(now.millis() + skew)
}

fn unavailable<T>(why: &str) -> Result<T, StoreError> {
    Err(StoreError::Unavailable(why.to_owned()))
}

impl Cluster {
    /// An empty database on this clock.
    #[must_use]
    pub fn new(clock: TestClock) -> Self {
        Self::with_flaw(clock, None)
    }

    /// The same, of which the stores do something wrong.
    #[must_use]
    pub fn with_flaw(clock: TestClock, flaw: Option<Flaw>) -> Self {
        let state = State {
            server: Server::new(flaw),
            turns: Turns::default(),
            dice: Dice::new(0),
            trouble: Trouble::default(),
            nodes: Vec::new(),
            watcher: None,
            told: None,
        };
        Self { shared: Arc::new(Shared { clock, state: Mutex::new(state) }) }
    }

    /// One more node.
    #[must_use]
    pub fn node(&self) -> Node {
        let mut state = self.shared.state();
        state.nodes.push(Being::default());
        let at = At { node: state.nodes.len() - 1, life: 0 };
        Node { shared: Arc::clone(&self.shared), at }
    }
}

impl State {
    fn tell(&self, text: impl FnOnce() -> String) {
        if let Some(told) = &self.told {
            told.lock().unwrap_or_else(PoisonError::into_inner).push(text());
        }
    }

    /// Shows a commit to whoever looks.
    fn show(&mut self, landed: &Landed, now: Time) {
        if let Some(watcher) = &mut self.watcher {
            let snapshot = Snapshot::new(Arc::clone(&landed.rows), now);
            for world in &landed.worlds {
                watcher(&snapshot, world);
            }
        }
    }

    /// Commits a transaction.
    fn commit(&mut self, tx: TxNo, now: Time) -> Result<(), StoreError> {
        let landed = self.server.commit(tx)?;
        self.tell(|| format!("    tx {tx} is committed"));
        self.show(&landed, now);
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next step of a node: others may come first.
    fn step(&self, at: At) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.state();
        if let Some(me) = turns::me() {
            let odds = state.trouble.freeze;
            // What was sent with a commit behind it is done whether or not the node stands still.
            if odds > 0 && !state.server.is_committing(at.node) && state.dice.chance(odds) {
                state.tell(|| format!("    node {} stands still", at.node));
                state.turns.freeze(me);
            }
            state = turns::pass(self, state, me);
        }
        is_alive(state, at)
    }

    /// The next step of a transaction.
    fn step_in(&self, at: At, tx: TxNo) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.step(at)?;
        is_served(state, tx)
    }

    /// Locks a row, and waits for it.
    fn lock(&self, at: At, tx: TxNo, key: &Key) -> Result<(), StoreError> {
        let mut state = self.step_in(at, tx)?;
        loop {
            match state.server.take(tx, key) {
                Ok(true) => {
                    state.server.timed_out.remove(&tx);
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => {
                    state.tell(|| format!("    tx {tx}: {error}"));
                    return Err(error);
                }
            }
            let State { server, .. } = &mut *state;
            if !server.locks.wait(tx, key) {
                server.deadlocks += 1;
                state.tell(|| format!("    tx {tx} would wait for {key:?} in a circle"));
                return Err(StoreError::Conflict("deadlock detected".to_owned()));
            }
            state.tell(|| format!("    tx {tx} waits for {key:?}"));
            match turns::me() {
                Some(me) => {
                    state.turns.set(me, Doing::Waits(tx));
                    state = turns::pass(self, state, me);
                    state.turns.set(me, Doing::Runs);
                }
                // Nobody else is there who could end what holds it.
                None if !state.finish_orphans(self.clock.now()) => drop(state.server.timed_out.insert(tx)),
                None => {}
            }
            state = is_alive(state, at)?;
            state = is_served(state, tx)?;
            if state.server.timed_out.remove(&tx) {
                state.server.locks.give_up(tx);
                state.tell(|| format!("    tx {tx} has waited too long"));
                return Err(StoreError::Conflict("canceling statement due to lock timeout".to_owned()));
            }
        }
    }

    /// Sends writes, and has them executed.
    fn write(&self, at: At, tx: TxNo) -> Result<(), StoreError> {
        loop {
            let Some(key) = self.state().server.needs(tx) else { break };
            self.lock(at, tx, &key)?;
            self.state().server.got(tx, self.clock.now())?;
        }
        self.step_in(at, tx)?.server.execute(tx)
    }
}

/// Whether this life of the node goes on.
fn is_alive(state: MutexGuard<'_, State>, at: At) -> Result<MutexGuard<'_, State>, StoreError> {
    let is_over = turns::me().is_some() && state.turns.is_over();
    if is_over || state.nodes[at.node].life != at.life {
        return unavailable("the node is dead");
    }
    Ok(state)
}

/// Whether the server still has this transaction for its client.
fn is_served(state: MutexGuard<'_, State>, tx: TxNo) -> Result<MutexGuard<'_, State>, StoreError> {
    if state.server.open.get(&tx).is_some_and(|backend| backend.orphan.is_none()) {
        Ok(state)
    } else {
        unavailable("the connection was lost")
    }
}

impl Store for Node {
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError> {
        Ok(Box::new(SimulatedLane::new(Arc::clone(&self.shared), self.at)))
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        let rows = Arc::clone(&self.shared.state().server.rows);
        Ok(Box::new(Snapshot::new(rows, self.shared.clock.now())))
    }

    fn clock(&self) -> Time {
        let skew = self.shared.state().nodes[self.at.node].skew;
        off(self.shared.clock.now(), skew)
    }

    fn order_events(&self) -> Result<(), StoreError> {
        feed::place(&self.shared, self.at)
    }
}
