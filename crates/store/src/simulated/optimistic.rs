//! A transaction that is one statement: it decides on what the lane knows, and writes under a guard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};

use super::booked::{Booked, Guard};
use super::lane::SimulatedLane;
use super::server::Write;
use crate::error::{CommitError, StoreError};
use crate::tx::Tx;

pub(super) struct OptimisticTx<'a> {
    lane: &'a mut SimulatedLane,
    batch: u128,
    now: Time,
    edition: i64,
    listing: Arc<Listing>,
    keys: BTreeSet<IdempotencyKey>,
    /// The pools as they are supposed to be.
    pools: BTreeMap<PoolRef, Pool>,
    written: Option<World>,
}

impl<'a> OptimisticTx<'a> {
    /// None where more is needed than what is known.
    pub(super) fn begin(lane: &'a mut SimulatedLane, batch: u128, names: &Names) -> Option<Self> {
        let (edition, listing) = lane.known.listing(names.only_new_bookings()?)?;
        if lane.spare.0.len() < names.new_bookings as u64 {
            return None;
        }
        let now = lane.about_now();
        let node = lane.at.node;
        let mut state = lane.shared.state();
        state.tell(|| format!("    node {node} decides batch {batch} on what it knows, at {now}"));
        // Should it never ask: this is what it could have seen.
        state.server.see(batch, now, lane.shared.clock.now());
        drop(state);
        let keys = names.idempotency.clone();
        Some(Self { lane, batch, now, edition, listing, keys, pools: BTreeMap::new(), written: None })
    }

    fn send(&self, world: World) -> Result<(), CommitError> {
        let guard = Guard { listing: self.listing.no, edition: self.edition, at: self.now };
        let booked = Booked { world, pools: self.pools.clone(), guard };
        let (shared, at) = (&self.lane.shared, self.lane.at);
        let mut state = shared.step(at).map_err(CommitError::Unknown)?;
        let odds = state.trouble.full;
        if odds > 0 && state.dice.chance(odds) {
            return Err(CommitError::Aborted(StoreError::Full));
        }
        let tx = state.server.begin(at.node, Some(self.batch));
        state.tell(|| format!("    node {} books as batch {} in tx {tx}", at.node, self.batch));
        state.server.send(tx, vec![Write::Booked(Box::new(booked))]);
        drop(state);
        shared.commit(at, tx)
    }
}

/// What is not known has to be read.
fn unknown<T>(what: &str) -> Result<T, StoreError> {
    Err(StoreError::Conflict(format!("{what} cannot be supposed")))
}

impl Tx for OptimisticTx<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        if listings > 0 || self.lane.spare.0.len() < bookings as u64 {
            return unknown("numbers");
        }
        Ok((self.lane.spare.0.clone(), Numbers::default()))
    }

    fn last_booking(&mut self, _of: ListingNo) -> Result<BookingNo, StoreError> {
        unknown("the last booking")
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        if id == self.listing.id { Ok(Some(Arc::clone(&self.listing))) } else { unknown("another listing") }
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        if no == self.listing.no { Ok(Some(Arc::clone(&self.listing))) } else { unknown("another listing") }
    }

    fn bookings(&mut self, _ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        unknown("a booking")
    }

    fn bookings_at(&mut self, _nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        unknown("a booking")
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        for at in of {
            match self.lane.known.pool(*at) {
                Some(pool) if pool.free() > 0 => drop(self.pools.insert(*at, pool)),
                _ => return unknown("room in a pool"),
            }
        }
        Ok(of.iter().map(|at| self.pools.get(at).copied()).collect())
    }

    fn whole(&mut self, _of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        unknown("all pools")
    }

    fn customers(&mut self, _of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        unknown("what a customer has")
    }

    /// Nobody has used these keys: or else the commit fails.
    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
        if keys.is_subset(&self.keys) { Ok(Vec::new()) } else { unknown("a key") }
    }

    fn imported(&mut self, _external_id: &str) -> Result<Option<BookingId>, StoreError> {
        unknown("an import")
    }

    fn has_key(&mut self, _id: KeyId) -> Result<bool, StoreError> {
        unknown("an API key")
    }

    fn overdue_in(&mut self, _pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError> {
        unknown("what is overdue")
    }

    fn overdue_of(&mut self, _customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        unknown("what is overdue")
    }

    fn due(&mut self, _limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        unknown("what is due")
    }

    fn live_bookings(
        &mut self,
        _of: ListingNo,
        _after: BookingNo,
        _through: BookingNo,
        _limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError> {
        unknown("a booking")
    }

    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError> {
        unknown("what is renewed")
    }

    fn set_renewed(&mut self, _of: ListingNo, _through: Option<BookingNo>) -> Result<(), StoreError> {
        unknown("what is renewed")
    }

    fn next_releases(&mut self, _pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        unknown("when something is released")
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        let changes = &world.changes;
        let only_new = changes.bookings.values().all(Option::is_none)
            && changes.pools.iter().all(|at| self.pools.contains_key(at))
            && changes.removed_pools.is_empty()
            && changes.customers.is_empty()
            && changes.new_listings.is_empty()
            && changes.edited().is_empty()
            && changes.new_keys.is_empty()
            && changes.revoked_keys.is_empty();
        if !only_new {
            return unknown("what it changes");
        }
        self.written = Some(world.clone());
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        let Some(world) = self.written.take() else { return Ok(()) };
        let count = world.changes.bookings.len();
        let committed = self.send(world);
        let Self { lane, batch, listing, pools, .. } = *self;
        match committed {
            Ok(()) => {
                lane.tell(|| format!("    batch {batch} was decided well"));
                lane.saw_clock();
                lane.know_pools(pools.into_keys());
                lane.spare.0.skip(count);
                // For the next batch.
                lane.take_numbers(count, 0);
                Ok(())
            }
            Err(CommitError::Aborted(error)) => {
                lane.tell(|| format!("    batch {batch} was decided on what is not so: {error}"));
                lane.saw_clock();
                lane.known.forget_listing(listing.no);
                Err(CommitError::Aborted(match error {
                    // What is read under locks will tell.
                    StoreError::BadData(why) => StoreError::Conflict(why),
                    error => error,
                }))
            }
            Err(unknown) => {
                lane.spare = Default::default();
                Err(unknown)
            }
        }
    }
}
