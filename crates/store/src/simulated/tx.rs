//! One transaction: what it reads under its locks, and what it will write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};

use super::lane::SimulatedLane;
use super::locks::{Key, TxNo};
use super::server::{Orphan, Write};
use super::trouble::Flaw;
use super::{At, Shared, State};
use crate::error::{CommitError, StoreError};
use crate::memory::{Fate, Rows};
use crate::tx::Tx;

/// What was read when the locks were had.
pub(super) struct Loaded {
    pub(super) now: Time,
    pub(super) listings: BTreeMap<ListingNo, Arc<Listing>>,
    /// The bookings that exist of those that were named.
    pub(super) bookings: Vec<Booking>,
    pub(super) named: BTreeSet<BookingId>,
    /// What the keys that were named stand for.
    pub(super) remembered: Vec<(IdempotencyKey, Remembered)>,
    pub(super) keys: BTreeSet<IdempotencyKey>,
    /// What a flawed store has read too early.
    pub(super) early: Option<Arc<Rows>>,
}

pub(super) struct SimulatedTx<'a> {
    lane: &'a mut SimulatedLane,
    tx: TxNo,
    loaded: Loaded,
    /// What is to be written, and was not sent yet.
    written: Vec<Write>,
    /// Whether something was sent.
    dirty: bool,
    /// New bookings and listings, which use up numbers.
    used: (usize, usize),
    done: bool,
}

impl<'a> SimulatedTx<'a> {
    pub(super) fn new(lane: &'a mut SimulatedLane, tx: TxNo, loaded: Loaded) -> Self {
        Self { lane, tx, loaded, written: Vec::new(), dirty: false, used: (0, 0), done: false }
    }

    /// A statement begins, after what was written has been executed: what it sees.
    fn rows(&mut self) -> Result<Arc<Rows>, StoreError> {
        self.flush()?;
        let mut state = self.lane.shared.step_in(self.lane.at, self.tx)?;
        let odds = state.trouble.cut;
        if odds > 0 && state.dice.chance(odds) {
            drop(state);
            self.lane.shared.cut(self.tx);
            return super::unavailable("the connection was lost");
        }
        match &self.loaded.early {
            Some(early) if !self.dirty => Ok(Arc::clone(early)),
            _ => state.server.view(self.tx),
        }
    }

    /// Whether nothing was written.
    fn is_clean(&self) -> bool {
        self.written.is_empty() && !self.dirty
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.written.is_empty() {
            return Ok(());
        }
        self.send()?;
        self.lane.shared.write(self.lane.at, self.tx)
    }

    fn send(&mut self) -> Result<(), StoreError> {
        let mut state = self.lane.shared.step_in(self.lane.at, self.tx)?;
        let odds = state.trouble.full;
        if odds > 0 && state.dice.chance(odds) {
            return Err(StoreError::Full);
        }
        self.dirty = true;
        state.server.send(self.tx, std::mem::take(&mut self.written));
        Ok(())
    }

    /// Bookings, all of listings that are locked.
    fn checked(&self, found: Vec<Booking>) -> Result<Vec<Booking>, StoreError> {
        match found.iter().find(|booking| !self.loaded.listings.contains_key(&booking.listing)) {
            None => Ok(found),
            Some(booking) => {
                let why = format!("the listing of {} is not locked", booking.id);
                self.lane.shared.state().tell(|| format!("    tx {}: {why}", self.tx));
                Err(StoreError::Conflict(why))
            }
        }
    }

    fn try_commit(&mut self) -> Result<(), CommitError> {
        let (shared, at) = (Arc::clone(&self.lane.shared), self.lane.at);
        if let Err(error) = self.send() {
            shared.roll_back(self.tx);
            return Err(match error {
                StoreError::Unavailable(_) => CommitError::Unknown(error),
                _ => CommitError::Aborted(error),
            });
        }
        shared.commit(at, self.tx)
    }
}

impl Shared {
    /// Commits what was sent, or loses the connection around that.
    pub(super) fn commit(&self, at: At, tx: TxNo) -> Result<(), CommitError> {
        let mut state = self.step_in(at, tx).map_err(CommitError::Unknown)?;
        if let Some(backend) = state.server.open.get_mut(&tx) {
            backend.committing = true;
        }
        let State { trouble, dice, .. } = &mut *state;
        let Some(fate) = trouble.fate(dice) else {
            drop(state);
            return self.finish(at, tx);
        };
        state.tell(|| format!("    the connection of tx {tx} is lost around its commit: {fate:?}"));
        let orphan =
            if matches!(fate, Fate::Landed | Fate::LandsLater) { Orphan::Lands } else { Orphan::Ends };
        state.server.leave(tx, orphan);
        if matches!(fate, Fate::Landed | Fate::Lost) {
            state.finish_orphan(tx, self.clock.now());
        }
        Err(CommitError::Unknown(StoreError::Unavailable("the connection was lost".to_owned())))
    }

    /// The server has got everything with the commit behind it, and goes on by itself.
    fn finish(&self, at: At, tx: TxNo) -> Result<(), CommitError> {
        match self.write(at, tx) {
            Ok(()) => {}
            Err(error @ StoreError::Unavailable(_)) => return Err(CommitError::Unknown(error)),
            Err(error) => {
                self.roll_back(tx);
                return Err(CommitError::Aborted(error));
            }
        }
        let mut state = self.step_in(at, tx).map_err(CommitError::Unknown)?;
        state.commit(tx, self.clock.now()).map_err(CommitError::Aborted)
    }
}

impl Drop for SimulatedTx<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.lane.shared.roll_back(self.tx);
        }
    }
}

impl Tx for SimulatedTx<'_> {
    fn now(&self) -> Time {
        self.loaded.now
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        self.lane.take_numbers(bookings, listings);
        Ok(self.lane.spare.clone())
    }

    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError> {
        let rows = self.rows()?;
        let last = rows.bookings.iter().rev().find(|(_, row)| row.booking.listing == of);
        Ok(last.map_or(BookingNo(0), |(no, _)| *no))
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        let listing = self.loaded.listings.values().find(|listing| listing.id == id).cloned();
        match listing {
            Some(listing) => self.listing_at(listing.no),
            None => Ok(None),
        }
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        if self.is_clean() {
            return Ok(self.loaded.listings.get(&no).cloned());
        }
        Ok(self.rows()?.listings.get(&no).map(|row| Arc::clone(&row.listing)))
    }

    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        if self.is_clean() && *ids == self.loaded.named {
            return self.checked(self.loaded.bookings.clone());
        }
        let rows = self.rows()?;
        let mut nos: Vec<_> = ids.iter().filter_map(|id| rows.booking_nos.get(id)).collect();
        nos.sort_unstable();
        self.checked(nos.into_iter().map(|no| rows.bookings[no].booking.clone()).collect())
    }

    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        let rows = self.rows()?;
        let found = nos.iter().filter_map(|no| rows.bookings.get(no)).map(|row| row.booking.clone());
        self.checked(found.collect())
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        let rows = self.rows()?;
        let mut pools: Vec<Option<Pool>> = of.iter().map(|at| rows.pools.get(at).copied()).collect();
        for (at, pool) in of.iter().zip(&pools) {
            self.lane.known.put_pool(*at, *pool);
        }
        if self.lane.has(Flaw::RefusesFromMemory) {
            for (at, pool) in of.iter().zip(&mut pools) {
                let Some(pool) = pool else { continue };
                if self.lane.sold_out.contains(at) {
                    pool.blocked += pool.free();
                } else if pool.free() == 0 {
                    self.lane.sold_out.insert(*at);
                }
            }
        }
        Ok(pools)
    }

    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        Ok(self.rows()?.pools_of(of))
    }

    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        let addresses: BTreeSet<&CustomerRef> = of.iter().filter(|(listing, _)| listing.0 == 0).collect();
        if !addresses.is_empty() && !self.lane.has(Flaw::LocksNoAddresses) {
            let rows = self.rows()?;
            // Those that are not there are made first, then all are locked, each time in order.
            let made = addresses.iter().filter(|address| !rows.customers.contains_key(**address));
            for address in made.chain(&addresses) {
                self.lane.shared.lock(self.lane.at, self.tx, &Key::Customer((*address).clone()))?;
            }
        }
        let rows = self.rows()?;
        Ok(of.iter().map(|of| rows.customers.get(of).copied().unwrap_or_default()).collect())
    }

    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
        if self.is_clean() && *keys == self.loaded.keys {
            return Ok(self.loaded.remembered.clone());
        }
        let rows = self.rows()?;
        let found = keys.iter().filter_map(|key| Some((*key, rows.remembered.get(key)?.1.clone())));
        Ok(found.collect())
    }

    fn imported(&mut self, external_id: &str) -> Result<Option<BookingId>, StoreError> {
        let rows = self.rows()?;
        Ok(rows.imports.get(external_id).map(|no| rows.bookings[no].booking.id))
    }

    fn has_key(&mut self, id: KeyId) -> Result<bool, StoreError> {
        Ok(self.rows()?.keys.get(&id).is_some_and(|(_, revoked)| revoked.is_none()))
    }

    fn overdue_in(&mut self, pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError> {
        Ok(self.rows()?.overdue_in(pools, self.now()))
    }

    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        let (now, rows) = (self.now(), self.rows()?);
        Ok(rows.overdue_of(customers, now).into_iter().map(|(no, _)| no).collect())
    }

    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        let (now, rows) = (self.now(), self.rows()?);
        let due = rows.due(now, |listing| self.loaded.listings.contains_key(&listing));
        Ok(due.into_iter().take(limit as usize).collect())
    }

    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        Ok(self.rows()?.list_numbers(of))
    }

    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        let found = self.rows()?.entries_by_id(ids);
        match found.iter().find(|entry| !self.loaded.listings.contains_key(&entry.listing)) {
            None => Ok(found),
            Some(entry) => Err(StoreError::Conflict(format!("the listing of {} is not locked", entry.id))),
        }
    }

    fn live_entries(&mut self, of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError> {
        Ok(self.rows()?.live_entries(of))
    }

    fn keepers(&mut self, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
        Ok(self.rows()?.keepers(of))
    }

    fn waiting(&mut self, of: ListingNo, ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError> {
        Ok(self.rows()?.ask(of, ask))
    }

    fn ahead(&mut self, of: ListingNo, reach: Reach) -> Result<i64, StoreError> {
        Ok(self.rows()?.ahead(of, reach, EntryNo(i64::MAX)))
    }

    fn due_entries(&mut self, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
        let (now, rows) = (self.now(), self.rows()?);
        let mut due = rows.due_entries(now, |listing| self.loaded.listings.contains_key(&listing));
        due.truncate(limit as usize);
        Ok(due)
    }

    fn live_bookings(
        &mut self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError> {
        Ok(self.rows()?.live_bookings(of, after, through, limit))
    }

    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError> {
        let rows = self.rows()?;
        let mut locked = self.loaded.listings.keys();
        Ok(locked.find_map(|no| {
            let row = rows.listings.get(no)?;
            Some((*no, row.renewed, row.renew_through?))
        }))
    }

    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError> {
        self.written.push(Write::Renewed(of, through));
        Ok(())
    }

    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        let (now, rows) = (self.now(), self.rows()?);
        let next = |at: &PoolRef| rows.holds_on(*at).map(|(due, ..)| due).find(|due| *due > now);
        Ok(pools.iter().map(next).collect())
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        self.used.0 += world.changes.bookings.values().filter(|old| old.is_none()).count();
        self.used.1 += world.changes.new_listings.len();
        for (no, id, new) in &world.changes.new_listings {
            self.loaded.listings.insert(*no, Arc::new(new.listing(*no, *id, world.now)));
        }
        for no in world.changes.edited() {
            self.lane.known.forget_listing(no);
        }
        for at in world.changes.pools.iter().chain(&world.changes.removed_pools) {
            self.lane.known.put_pool(*at, world.pool(*at));
        }
        self.written.push(Write::Batch(Box::new(world.clone())));
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.done = true;
        if self.is_clean() {
            self.lane.shared.roll_back(self.tx);
            return Ok(());
        }
        let committed = self.try_commit();
        match &committed {
            Ok(()) => {
                self.lane.spare.0.skip(self.used.0);
                self.lane.spare.1.skip(self.used.1);
            }
            Err(CommitError::Aborted(_)) => {}
            Err(CommitError::Unknown(_)) => self.lane.spare = Default::default(),
        }
        committed
    }
}
