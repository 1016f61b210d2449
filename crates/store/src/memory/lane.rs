//! One batch, one transaction.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};

use super::faults::{Fate, Fault, Point};
use super::{InFlight, Rows, Shared, State};
use crate::error::{CommitError, StoreError};
use crate::tx::{Lane, Tx};

/// A connection of one life of the process.
pub(super) struct MemoryLane {
    shared: Arc<Shared>,
    generation: u64,
}

fn gone() -> StoreError {
    StoreError::Unavailable("the process has died since; open a new lane".to_owned())
}

impl MemoryLane {
    pub(super) const fn new(shared: Arc<Shared>, generation: u64) -> Self {
        Self { shared, generation }
    }

    /// The state, if this lane is still connected.
    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.shared.state();
        if state.generation == self.generation { Ok(state) } else { Err(gone()) }
    }
}

impl Lane for MemoryLane {
    fn begin(&mut self, batch: u128, _names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        drop(self.state()?);
        self.shared.faults.check(Point::Begin)?;
        let turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state()?;
        // Whoever is still in flight holds the locks: it ends before this transaction begins.
        state.land();
        let base = Arc::clone(&state.rows);
        drop(state);
        // The clock is read when nobody else can come between.
        let now = self.shared.clock.now();
        Ok(Box::new(MemoryTx {
            lane: self,
            _turn: turn,
            batch,
            base,
            staged: None,
            written: Vec::new(),
            now,
        }))
    }

    fn was_committed(&mut self, batch: u128) -> Result<bool, StoreError> {
        let mut state = self.state()?;
        self.shared.faults.check(Point::Question)?;
        if state.in_flight.as_ref().is_some_and(|flight| flight.batch == batch) {
            state.land();
        }
        if state.committed.contains(&batch) {
            return Ok(true);
        }
        state.aborted.insert(batch);
        Ok(false)
    }

    fn prune(&mut self, before: Time) -> Result<(), StoreError> {
        let _turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state()?;
        state.land();
        Arc::make_mut(&mut state.rows).remembered.retain(|_, (at, _)| *at >= before);
        Ok(())
    }
}

/// A transaction: what it began with, and its own copy once it has written.
struct MemoryTx<'a> {
    lane: &'a MemoryLane,
    _turn: MutexGuard<'a, ()>,
    batch: u128,
    base: Arc<Rows>,
    staged: Option<Rows>,
    /// What was written, where somebody looks.
    written: Vec<World>,
    now: Time,
}

impl MemoryTx<'_> {
    /// The rows as this transaction sees them.
    fn rows(&self) -> Result<&Rows, StoreError> {
        drop(self.lane.state()?);
        self.lane.shared.faults.check(Point::Read)?;
        Ok(self.staged.as_ref().unwrap_or(&self.base))
    }
}

impl Tx for MemoryTx<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn numbers(&mut self, _bookings: usize, _listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        let rows = self.rows()?;
        let booking = rows.bookings.last_key_value().map_or(0, |(no, _)| no.0);
        let listing = rows.listings.last_key_value().map_or(0, |(no, _)| no.0);
        Ok((Numbers::from(booking + 1), Numbers::from(listing + 1)))
    }

    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError> {
        let mut bookings = self.rows()?.bookings.iter().rev();
        let last = bookings.find(|(_, row)| row.booking.listing == of);
        Ok(last.map_or(BookingNo(0), |(no, _)| *no))
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        let rows = self.rows()?;
        let row = rows.listing_nos.get(&id).and_then(|no| rows.listings.get(no));
        Ok(row.map(|row| Arc::clone(&row.listing)))
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        Ok(self.rows()?.listings.get(&no).map(|row| Arc::clone(&row.listing)))
    }

    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        let rows = self.rows()?;
        let mut nos: Vec<_> = ids.iter().filter_map(|id| rows.booking_nos.get(id)).collect();
        nos.sort_unstable();
        Ok(nos.into_iter().map(|no| rows.bookings[no].booking.clone()).collect())
    }

    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        let rows = self.rows()?;
        Ok(nos.iter().filter_map(|no| rows.bookings.get(no)).map(|row| row.booking.clone()).collect())
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        let rows = self.rows()?;
        Ok(of.iter().map(|at| rows.pools.get(at).copied()).collect())
    }

    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        Ok(self.rows()?.pools_of(of))
    }

    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        let rows = self.rows()?;
        Ok(of.iter().map(|of| rows.customers.get(of).copied().unwrap_or_default()).collect())
    }

    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
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
        let now = self.now;
        Ok(self.rows()?.overdue_in(pools, now))
    }

    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        let now = self.now;
        Ok(self.rows()?.overdue_of(customers, now).into_iter().map(|(no, _)| no).collect())
    }

    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        let now = self.now;
        Ok(self.rows()?.due(now, |_| true).into_iter().take(limit as usize).collect())
    }

    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        Ok(self.rows()?.list_numbers(of))
    }

    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        Ok(self.rows()?.entries_by_id(ids))
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
        let now = self.now;
        let mut due = self.rows()?.due_entries(now, |_| true);
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
        Ok(self.rows()?.renewing())
    }

    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError> {
        self.rows()?;
        let rows = self.staged.get_or_insert_with(|| Rows::clone(&self.base));
        if let Some(row) = rows.listings.get_mut(&of) {
            match through {
                Some(through) => row.renewed = through,
                None => row.renew_through = None,
            }
        }
        Ok(())
    }

    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        let now = self.now;
        let rows = self.rows()?;
        let next = |at: &PoolRef| rows.holds_on(*at).map(|(due, ..)| due).find(|due| *due > now);
        Ok(pools.iter().map(next).collect())
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        drop(self.lane.state()?);
        let faults = &self.lane.shared.faults;
        faults.check(Point::Write)?;
        let mut written = world.changes.bookings.keys().filter_map(|no| world.booking_at(*no));
        if let Some(poison) = written.find(|booking| faults.is_poison(booking.id)) {
            return Err(StoreError::BadData(format!("{} is poison", poison.id)));
        }
        let mut rows = self.staged.take().unwrap_or_else(|| Rows::clone(&self.base));
        rows.write(world)?;
        self.staged = Some(rows);
        if self.lane.shared.state().watcher.is_some() {
            self.written.push(world.clone());
        }
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let Self { lane, batch, base, staged, written, .. } = *self;
        let mut state = lane.state().map_err(CommitError::Aborted)?;
        let rows = staged.map_or(base, Arc::new);
        if state.aborted.contains(&batch) {
            let text = "it was settled that this batch is not committed".to_owned();
            return Err(CommitError::Aborted(StoreError::Unavailable(text)));
        }
        let (fate, crashes) = match lane.shared.faults.at(Point::Commit) {
            Some(Fault::Commit(failure)) => return Err(CommitError::Aborted(failure.error())),
            Some(Fault::Unknown(fate)) => (fate, false),
            Some(Fault::Crash(fate)) => (fate, true),
            _ => {
                state.commit(batch, rows, &written);
                return Ok(());
            }
        };
        let lands = matches!(fate, Fate::Landed | Fate::LandsLater);
        state.in_flight = Some(InFlight { batch, rows, written, lands });
        if crashes {
            state.crash();
        } else if matches!(fate, Fate::Landed | Fate::Lost) {
            state.land();
        }
        Err(CommitError::Unknown(StoreError::Unavailable("the connection was lost".to_owned())))
    }
}
