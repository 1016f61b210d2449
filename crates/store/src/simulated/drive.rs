//! What the driver of a simulation can do to nodes and server, besides letting them go on.

use std::sync::{Arc, Mutex, PoisonError};

use lastseat_core::time::Time;

use super::locks::TxNo;
use super::server::{Orphan, Sight};
use super::turns::{self, Doing, Turns};
use super::{At, Cluster, Node, Shared, State, Trouble, Watcher};
use crate::memory::{Dice, MemoryStore, Snapshot, TestClock};
use crate::read::Read;

/// Drives a simulation, on the thread that made it. Dropped, it ends the simulation: whatever nodes still ask for fails.
/// A node's task is its number + 1.
pub struct Driver {
    shared: Arc<Shared>,
}

/// What a batch could see.
pub struct Seen {
    /// As a snapshot, of the instant at which it decided.
    pub read: Box<dyn Read>,
    /// As a store of its own, where nobody else is.
    pub alone: MemoryStore,
    /// What the server's clock said when the batch had its listings: a little later, where it was decided on what was
    /// known.
    pub clock: Time,
}

impl Cluster {
    /// Begins a simulation of all nodes that there are, in the order that this seed gives.
    #[must_use]
    pub fn drive(&self, seed: u64, trouble: Trouble) -> Driver {
        let mut state = self.shared.state();
        (state.dice, state.trouble) = (Dice::new(seed), trouble);
        state.turns = Turns::new(state.nodes.len());
        turns::set_me(Some(0));
        Driver { shared: Arc::clone(&self.shared) }
    }

    /// Has every commit looked at.
    pub fn watch(&self, watcher: Watcher) {
        self.shared.state().watcher = Some(watcher);
    }

    /// Tells every step.
    pub fn tell_to(&self, steps: &Arc<Mutex<Vec<String>>>) {
        self.shared.state().told = Some(Arc::clone(steps));
    }

    /// What a batch could see when it had its listings, once.
    #[must_use]
    pub fn seen(&self, batch: u128) -> Option<Seen> {
        let Sight { rows, now, clock } = self.shared.state().server.seen.remove(&batch)?;
        let alone = MemoryStore::with_rows(TestClock::at(now), Arc::clone(&rows));
        Some(Seen { read: Box::new(Snapshot::new(rows, now)), alone, clock })
    }

    /// How often transactions waited for each other in a circle: never, where the one lock order is kept.
    #[must_use]
    pub fn deadlocks(&self) -> u64 {
        self.shared.state().server.deadlocks
    }
}

impl Node {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> usize {
        self.at.node
    }

    /// Takes part in a simulation, on a thread of the node's own. Whether it has begun: it may be over already.
    #[must_use]
    pub fn take_part(&self) -> bool {
        turns::set_me(Some(self.at.node + 1));
        !turns::await_turn(&self.shared, self.at.node + 1).turns.is_over()
    }

    /// Rests until there is something to do. Whether there is: the simulation may be over.
    #[must_use]
    pub fn rest(&self) -> bool {
        let mut state = self.shared.state();
        state.turns.set(self.at.node + 1, Doing::Rests);
        !turns::pass(&self.shared, state, self.at.node + 1).turns.is_over()
    }

    /// Whether this life of the node is over.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.shared.state().nodes[self.at.node].life != self.at.life
    }
}

impl Driver {
    /// Lets others go on for a while.
    pub fn pass(&self) {
        drop(turns::pass(&self.shared, self.shared.state(), 0));
    }

    /// From now on so much goes wrong.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.shared.state().trouble = trouble;
    }

    /// A node that rests has something to do.
    pub fn wake(&self, node: usize) {
        self.shared.state().turns.set(node + 1, Doing::Runs);
    }

    /// Whether a node has nothing to do.
    #[must_use]
    pub fn is_resting(&self, node: usize) -> bool {
        self.shared.state().turns.is_resting(node + 1)
    }

    /// Whether a node stands still.
    #[must_use]
    pub fn is_frozen(&self, node: usize) -> bool {
        self.shared.state().turns.is_frozen(node + 1)
    }

    /// A node that stands still goes on.
    pub fn thaw(&self, node: usize) {
        let mut state = self.shared.state();
        state.tell(|| format!("    node {node} goes on"));
        state.turns.thaw(node + 1);
    }

    /// Sets a node's clock so many milliseconds off.
    pub fn set_skew(&self, node: usize, millis: i64) {
        self.shared.state().nodes[node].skew = millis;
    }

    /// The server ends transactions of a node that does nothing, as it ends those that are idle for long.
    pub fn end_idle(&self, node: usize) {
        let mut state = self.shared.state();
        for tx in state.of(node) {
            state.tell(|| format!("    tx {tx} was idle for too long"));
            state.server.abort(tx);
        }
    }

    /// Somebody who waits for a lock has waited long enough.
    pub fn time_out(&self) {
        let mut state = self.shared.state();
        let waiting: Vec<TxNo> = state.server.locks.waiting().collect();
        if !waiting.is_empty() {
            let tx = *state.dice.pick(&waiting);
            state.server.timed_out.insert(tx);
        }
    }

    /// One of the transactions whose clients are gone does its next step.
    pub fn go_on(&self) {
        let mut state = self.shared.state();
        let orphans = state.server.orphans();
        if !orphans.is_empty() {
            let tx = *state.dice.pick(&orphans);
            state.go_on(tx, self.shared.clock.now());
        }
    }

    /// A node dies, whatever it is at. The server goes on with what it has got from it.
    pub fn kill(&self, node: usize) {
        let mut state = self.shared.state();
        state.nodes[node].life += 1;
        state.turns.thaw(node + 1);
        for tx in state.of(node) {
            let committing = state.server.open[&tx].committing;
            let orphan = if committing && state.dice.chance(500) { Orphan::Lands } else { Orphan::Ends };
            state.tell(|| format!("    node {node} dies in tx {tx}: {orphan:?}"));
            state.server.leave(tx, orphan);
        }
    }

    /// A node that died is started again.
    #[must_use]
    pub fn start(&self, node: usize) -> Node {
        let life = self.shared.state().nodes[node].life;
        Node { shared: Arc::clone(&self.shared), at: At { node, life } }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        turns::set_me(None);
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turns.end();
    }
}

impl State {
    /// The transactions of a node that it still knows of.
    fn of(&self, node: usize) -> Vec<TxNo> {
        let open = self.server.open.iter();
        open.filter(|(_, backend)| backend.node == node && backend.orphan.is_none())
            .map(|(tx, _)| *tx)
            .collect()
    }

    fn go_on(&mut self, tx: TxNo, now: Time) {
        if let Some(landed) = self.server.go_on(tx, now) {
            self.tell(|| format!("    tx {tx}, which nobody knows of any more, is committed"));
            self.show(&landed, now);
        }
    }

    /// Lets a transaction whose client is gone come to its end, as far as it can by itself.
    pub(super) fn finish_orphan(&mut self, tx: TxNo, now: Time) {
        while self.server.open.contains_key(&tx) && !self.server.locks.must_wait(tx) {
            self.go_on(tx, now);
        }
    }

    /// The same for all. Whether one has ended.
    pub(super) fn finish_orphans(&mut self, now: Time) -> bool {
        let orphans = self.server.orphans();
        for tx in &orphans {
            self.finish_orphan(*tx, now);
        }
        orphans.iter().any(|tx| !self.server.open.contains_key(tx))
    }
}
