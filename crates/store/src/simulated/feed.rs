//! The order of the event log.

use super::locks::Key;
use super::server::Write;
use super::trouble::Flaw;
use super::{At, Shared};
use crate::error::StoreError;

/// Gives whatever is committed without a place its place, under the lock of the log: places become visible in their
/// order, and none is given before one that somebody has read past.
pub(super) fn place(shared: &Shared, at: At) -> Result<(), StoreError> {
    let mut state = shared.step(at)?;
    if state.server.rows.unplaced.is_empty() {
        return Ok(());
    }
    let tx = state.server.begin(at.node, None);
    drop(state);
    let placed = place_in(shared, at, tx);
    if placed.is_err() {
        shared.roll_back(tx);
    }
    placed
}

fn place_in(shared: &Shared, at: At, tx: u64) -> Result<(), StoreError> {
    if !shared.state().server.has(Flaw::PlacesUnlocked) {
        shared.lock(at, tx, &Key::EventLog)?;
    }
    let mut state = shared.step_in(at, tx)?;
    let batches: Vec<i64> = state.server.rows.unplaced.keys().copied().collect();
    let first = state.server.rows.events.last().map_or(0, |event| event.place) + 1;
    state.tell(|| format!("    batches {batches:?} get their places in the log"));
    state.server.send(tx, vec![Write::Placed(first, batches)]);
    drop(state);
    shared.write(at, tx)?;
    let mut state = shared.step_in(at, tx)?;
    state.commit(tx, shared.clock.now())
}
