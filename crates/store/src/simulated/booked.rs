//! New bookings that were decided on what a lane knew: the guard under which they are written, and how they are added
//! to what is there.

use std::collections::BTreeMap;

use lastseat_core::id::ListingNo;
use lastseat_core::pool::{Pool, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::world::World;

use super::locks::TxNo;
use super::server::{Sequence, Server};
use super::trouble::Flaw;
use crate::error::StoreError;
use crate::memory::Rows;
use crate::optimistic::MAX_AGE_MS;

/// New bookings of one listing.
#[derive(Clone, Debug)]
pub(super) struct Booked {
    pub(super) world: World,
    /// The pools as they were supposed to be.
    pub(super) pools: BTreeMap<PoolRef, Pool>,
    pub(super) guard: Guard,
}

/// What has to be true when the listing is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Guard {
    pub(super) listing: ListingNo,
    pub(super) edition: i64,
    /// When it was decided.
    pub(super) at: Time,
}

impl Server {
    /// Looks at a guard, with the listing locked. The batch gets its number now.
    pub(super) fn admit(&mut self, tx: TxNo, guard: Guard, clock: Time) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(StoreError::Conflict(why.to_owned()));
        if self.edition(guard.listing) != guard.edition && !self.has(Flaw::BooksOnAnyEdition) {
            return refuse("the listing was edited since");
        }
        if self.rows.list_numbers(guard.listing).waiting > 0 && !self.has(Flaw::BooksPastWhoWaits) {
            return refuse("somebody waits");
        }
        let age = clock.millis() - guard.at.millis();
        if !(0..=MAX_AGE_MS).contains(&age) && !self.has(Flaw::BooksAtAnyTime) {
            return refuse("it is not the time that was supposed");
        }
        let no = self.next(Sequence::Batches);
        if let Some(batch) = self.number(tx, no) {
            self.see(batch, guard.at, clock);
        }
        Ok(())
    }

    /// The changes of new bookings, with their units added to what is there of their pools.
    pub(super) fn added(&self, rows: &mut Rows, booked: &Booked) -> World {
        let mut world = booked.world.clone();
        for (at, supposed) in &booked.pools {
            let (Some(now), Some(wanted)) = (rows.pools.get(at).copied(), booked.world.pool(*at)) else {
                // An update of no row.
                world.changes.pools.remove(at);
                continue;
            };
            let mut pool = Pool {
                held: now.held + wanted.held - supposed.held,
                confirmed: now.confirmed + wanted.confirmed - supposed.confirmed,
                ..now
            };
            if self.has(Flaw::BooksOverTheCount) {
                (pool.held, pool.confirmed) = (wanted.held, wanted.confirmed);
            }
            world.load_pool(*at, Some(pool));
            if self.has(Flaw::BooksWhatDoesNotFit) && !pool.is_sound() {
                rows.pools.insert(*at, pool);
                world.changes.pools.remove(at);
            }
        }
        world
    }
}
