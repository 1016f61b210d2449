//! New bookings that are decided on what the lane knows: what it knows, and how they are sent as one statement.

use std::sync::Arc;

use lastseat_core::decide::names::Names;
use lastseat_core::pool::{Pool, PoolRef};
use lastseat_core::world::World;

use super::booked::{Booked, Guard};
use super::lane::SimulatedLane;
use super::server::Write;
use crate::error::{CommitError, StoreError};
use crate::optimistic::{OptimisticTx, Supposed, Supposing};

impl SimulatedLane {
    /// None where more is needed than what is known.
    pub(super) fn suppose(&mut self, batch: u128, names: &Names) -> Option<OptimisticTx<'_, Self>> {
        let listing = self.known.listing(names.only_new_bookings()?)?;
        if self.spare.0.len() < names.new_bookings as u64 {
            return None;
        }
        let (now, node) = (self.about_now(), self.at.node);
        let mut state = self.shared.state();
        state.tell(|| format!("    node {node} decides batch {batch} on what it knows, at {now}"));
        // Should it never ask: this is what it could have seen.
        state.server.see(batch, now, self.shared.clock.now());
        drop(state);
        let numbers = self.spare.0.clone();
        Some(OptimisticTx::new(self, batch, names, now, listing, numbers))
    }

    fn send(&self, batch: u128, booked: Booked) -> Result<(), CommitError> {
        let (shared, at) = (Arc::clone(&self.shared), self.at);
        let mut state = shared.step(at).map_err(CommitError::Unknown)?;
        let odds = state.trouble.full;
        if odds > 0 && state.dice.chance(odds) {
            return Err(CommitError::Aborted(StoreError::Full));
        }
        let tx = state.server.begin(at.node, Some(batch));
        state.tell(|| format!("    node {} books as batch {batch} in tx {tx}", at.node));
        state.server.send(tx, vec![Write::Booked(Box::new(booked))]);
        drop(state);
        shared.commit(at, tx)
    }
}

impl Supposing for SimulatedLane {
    type New = World;

    fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.known.pool(at)
    }

    fn ready(&self, _supposed: &Supposed, world: &World) -> Option<World> {
        Some(world.clone())
    }

    fn book(&mut self, batch: u128, supposed: Supposed, world: World) -> Result<(), CommitError> {
        let Supposed { now, listing, edition, pools } = supposed;
        let count = world.changes.bookings.len();
        let guard = Guard { listing: listing.no, edition, at: now };
        let booked = self.send(batch, Booked { world, pools: pools.clone(), guard });
        match &booked {
            Ok(()) => {
                self.tell(|| format!("    batch {batch} was decided well"));
                self.saw_clock();
                self.know_pools(pools.into_keys());
                self.spare.0.skip(count);
                // For the next batch.
                self.take_numbers(count, 0);
            }
            Err(CommitError::Aborted(error)) => {
                self.tell(|| format!("    batch {batch} was decided on what is not so: {error}"));
                self.saw_clock();
                self.known.forget_listing(listing.no);
            }
            Err(CommitError::Unknown(_)) => self.spare = Default::default(),
        }
        booked
    }
}
