//! A transaction that reads nothing: it is decided on what a lane knows from before, and written under guards that hold
//! only if that is still good enough.
//!
//! For new bookings of one listing exact numbers are not needed, only room for all of them, and the same listing. What
//! may be supposed is here, the same for all stores; everything else has to be read under locks. How what was supposed
//! is compared when it is written is the store's part ([`Supposing`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};

use crate::error::{CommitError, StoreError};
use crate::tx::Tx;

/// How long before the store's clock a decision may have been made when it is written, in milliseconds.
pub const MAX_AGE_MS: i64 = 100;

/// What a decision was made on, to be compared when it is written.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// When it was made.
    pub now: Time,
    /// The listing.
    pub listing: Arc<Listing>,
    /// Which edition of it.
    pub edition: i64,
    /// The pools as they were supposed to be.
    pub pools: BTreeMap<PoolRef, Pool>,
}

/// A lane that knows something from before, and can write new bookings that were decided on it.
pub trait Supposing {
    /// New bookings, ready to be written.
    type New;

    /// A pool as this lane has seen it last, under the edition of its listing that it knows.
    fn pool(&self, at: PoolRef) -> Option<Pool>;

    /// Makes new bookings ready; none if this way does not write all that there is of them.
    fn ready(&self, supposed: &Supposed, world: &World) -> Option<Self::New>;

    /// Writes and commits them as this batch, all or nothing, if what was supposed is good enough: the same edition, an
    /// instant that is no older than [`MAX_AGE_MS`] and not to come, the pools there at the same prices with room for all,
    /// nobody who waits, keys that nobody has used. The batch gets its number when the listing is locked.
    ///
    /// # Errors
    /// Whether the transaction is gone for certain, or perhaps not.
    fn book(&mut self, batch: u128, supposed: Supposed, new: Self::New) -> Result<(), CommitError>;
}

/// The transaction: what it does not know is [`StoreError::Conflict`].
pub struct OptimisticTx<'a, L: Supposing> {
    lane: &'a mut L,
    batch: u128,
    supposed: Supposed,
    numbers: Numbers,
    keys: BTreeSet<IdempotencyKey>,
    new: Option<L::New>,
}

impl<'a, L: Supposing> OptimisticTx<'a, L> {
    /// Begins at `now`, with the listing as it is known and `numbers` for bookings that are this lane's.
    pub fn new(
        lane: &'a mut L,
        batch: u128,
        names: &Names,
        now: Time,
        (edition, listing): (i64, Arc<Listing>),
        numbers: Numbers,
    ) -> Self {
        let supposed = Supposed { now, listing, edition, pools: BTreeMap::new() };
        Self { lane, batch, supposed, numbers, keys: names.idempotency.clone(), new: None }
    }

    fn known(&self, is_it: bool) -> Result<Option<Arc<Listing>>, StoreError> {
        if is_it { Ok(Some(Arc::clone(&self.supposed.listing))) } else { unknown("another listing") }
    }
}

/// What is not known has to be read.
fn unknown<T>(what: &str) -> Result<T, StoreError> {
    Err(StoreError::Conflict(format!("{what} cannot be supposed")))
}

impl<L: Supposing> Tx for OptimisticTx<'_, L> {
    fn now(&self) -> Time {
        self.supposed.now
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        if listings > 0 || self.numbers.len() < bookings as u64 {
            return unknown("a number");
        }
        Ok((self.numbers.clone(), Numbers::default()))
    }

    fn last_booking(&mut self, _of: ListingNo) -> Result<BookingNo, StoreError> {
        unknown("the last booking")
    }

    /// Nobody waits: that is compared.
    fn list_numbers(&mut self, _of: ListingNo) -> Result<ListNumbers, StoreError> {
        Ok(ListNumbers::default())
    }

    fn entries(&mut self, _ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        unknown("an entry of a waitlist")
    }

    fn live_entries(&mut self, _of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError> {
        unknown("an entry of a waitlist")
    }

    fn keepers(&mut self, _of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
        unknown("an entry of a waitlist")
    }

    fn waiting(&mut self, _of: ListingNo, _ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError> {
        unknown("who waits")
    }

    fn ahead(&mut self, _of: ListingNo, _reach: Reach) -> Result<i64, StoreError> {
        unknown("who waits")
    }

    fn due_entries(&mut self, _limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
        unknown("what is due")
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        self.known(id == self.supposed.listing.id)
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        self.known(no == self.supposed.listing.no)
    }

    fn bookings(&mut self, _ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        unknown("a booking")
    }

    fn bookings_at(&mut self, _nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        unknown("a booking")
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        for at in of {
            match self.lane.pool(*at) {
                Some(pool) if pool.available() > 0 => drop(self.supposed.pools.insert(*at, pool)),
                _ => return unknown("room in a pool"),
            }
        }
        Ok(of.iter().map(|at| self.supposed.pools.get(at).copied()).collect())
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
            && changes.pools.iter().all(|at| self.supposed.pools.contains_key(at))
            && changes.removed_pools.is_empty()
            && changes.customers.is_empty()
            && changes.new_listings.is_empty()
            && changes.edited().is_empty()
            && !world.has_changed_entries()
            && changes.new_keys.is_empty()
            && changes.revoked_keys.is_empty();
        self.new = only_new.then(|| self.lane.ready(&self.supposed, world)).flatten();
        if self.new.is_some() { Ok(()) } else { unknown("what it changes") }
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        let Some(new) = self.new.take() else { return Ok(()) };
        let Self { lane, batch, supposed, .. } = *self;
        lane.book(batch, supposed, new).map_err(|error| match error {
            // A guard has refused it: what is read under locks will tell.
            CommitError::Aborted(StoreError::BadData(why)) => CommitError::Aborted(StoreError::Conflict(why)),
            error => error,
        })
    }
}
