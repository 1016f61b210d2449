//! A transaction that is one exchange with the database: it decides on what the lane knows, and writes under guards
//! that hold only if that is still good enough.
//!
//! For new bookings exact numbers are not needed, only room for all of them, and the same listing. So nothing is read:
//! one statement locks the listing if its edition is the one that was decided on, adds to the counters of its pools
//! (a constraint refuses what does not fit), and inserts the rows (unique keys refuse what is there). The time of the
//! decision was supposed too; the statement compares it with the database's clock under the lock. Whatever fails
//! leaves nothing behind, and the batch is decided anew on what is read under locks.

use std::collections::{BTreeSet, HashMap};
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
use lastseat_store::{CommitError, StoreError, Tx};

use crate::lane::PgLane;
use crate::write::new::NewBookings;

/// How long before the database's clock a decision may have been made, in milliseconds.
const MAX_AGE_MS: i64 = 100;

pub(crate) struct OptimisticTx<'a> {
    lane: &'a mut PgLane,
    batch: u128,
    now: Time,
    edition: i64,
    listing: Arc<Listing>,
    keys: BTreeSet<IdempotencyKey>,
    /// The pools as they were supposed to be.
    pools: HashMap<PoolRef, Pool>,
    written: Option<NewBookings>,
}

impl<'a> OptimisticTx<'a> {
    /// None where more is needed than what is known.
    pub(crate) fn begin(lane: &'a mut PgLane, batch: u128, names: &Names) -> Option<Self> {
        let id = names.only_new_bookings()?;
        if !lane.spare.has(names.new_bookings) || lane.connection().is_err() {
            return None;
        }
        let (edition, listing) = lane.known.listing(id)?;
        let now = lane.shared().known.now();
        let keys = names.idempotency.clone();
        Some(Self { lane, batch, now, edition, listing, keys, pools: HashMap::new(), written: None })
    }
}

/// What is not known here has to be read.
fn unknown<T>(what: &str) -> Result<T, StoreError> {
    Err(StoreError::Conflict(format!("{what} cannot be supposed")))
}

impl Tx for OptimisticTx<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        if listings > 0 || !self.lane.spare.has(bookings) {
            return unknown("numbers");
        }
        Ok((self.lane.spare.bookings.clone(), Numbers::default()))
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
        match NewBookings::new(world, &self.listing, &self.pools) {
            Some(written) => self.written = Some(written),
            None => return unknown("what it changes"),
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        let Some(written) = self.written.take() else { return Ok(()) };
        let Self { lane, batch, now, edition, .. } = *self;
        let range = lane.shared().known.range(now, MAX_AGE_MS);
        match written.commit(lane, batch, edition, range) {
            Ok(()) => Ok(()),
            Err(error) => {
                if matches!(error, CommitError::Unknown(_)) {
                    lane.disconnect();
                    lane.spare = Default::default();
                }
                Err(error)
            }
        }
    }
}
