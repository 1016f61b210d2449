//! One batch, one transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};

use crate::error::{CommitError, StoreError};
use crate::read::Read;

/// A place where bookings are kept.
pub trait Store: Send + Sync + 'static {
    /// A connection that writes. An embedded store has one only.
    ///
    /// # Errors
    /// If none can be had.
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError>;

    /// A snapshot to ask questions of. Keep it short.
    ///
    /// # Errors
    /// If none can be had.
    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError>;

    /// The store's clock, at once and perhaps a little off: for sleeping and for caches, never for deciding.
    fn clock(&self) -> Time;
}

/// A connection that writes, one batch after the other.
pub trait Lane: Send {
    /// Begins a transaction under a random `batch` id. It sees everything that was committed before.
    ///
    /// # Errors
    /// If it cannot begin.
    fn begin(&mut self, batch: u128) -> Result<Box<dyn Tx + '_>, StoreError>;

    /// Settles for ever whether the transaction `batch` was committed, after [`CommitError::Unknown`].
    ///
    /// # Errors
    /// If that cannot be found out now; ask again.
    fn was_committed(&mut self, batch: u128) -> Result<bool, StoreError>;

    /// Forgets what was remembered for idempotency keys before `before`, a part of it at each call.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn prune(&mut self, before: Time) -> Result<(), StoreError>;
}

/// A transaction. Everything read in it is locked, in the one order: bookings by number, pools, customers,
/// idempotency keys. Dropped without a commit it leaves nothing behind.
pub trait Tx {
    /// The instant at which this transaction decides: the store's clock, read when nobody else could come
    /// between. It stays the same.
    fn now(&self) -> Time;

    /// The numbers that the next booking and the next listing get.
    ///
    /// # Errors
    /// As all of these: if the store fails.
    fn next_numbers(&mut self) -> Result<(i64, i64), StoreError>;

    /// A listing with its groups, current.
    ///
    /// # Errors
    /// If the store fails.
    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError>;

    /// The same by number.
    ///
    /// # Errors
    /// If the store fails.
    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError>;

    /// The bookings that exist of these.
    ///
    /// # Errors
    /// If the store fails.
    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError>;

    /// The bookings that exist of these, by number.
    ///
    /// # Errors
    /// If the store fails.
    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError>;

    /// Pools, in order; none where there is none.
    ///
    /// # Errors
    /// If the store fails.
    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError>;

    /// All pools of a listing.
    ///
    /// # Errors
    /// If the store fails.
    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError>;

    /// What these customers have; nothing where there is no row.
    ///
    /// # Errors
    /// If the store fails.
    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError>;

    /// What these keys stand for, where they stand for something.
    ///
    /// # Errors
    /// If the store fails.
    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError>;

    /// The booking that was imported under this id.
    ///
    /// # Errors
    /// If the store fails.
    fn imported(&mut self, external_id: &str) -> Result<Option<BookingId>, StoreError>;

    /// Whether this API key is in force.
    ///
    /// # Errors
    /// If the store fails.
    fn has_key(&mut self, id: KeyId) -> Result<bool, StoreError>;

    /// Holds and reviews on this pool whose deadline has passed at [`Tx::now`], the oldest deadlines first,
    /// until they give at least `units` or there are no more.
    ///
    /// # Errors
    /// If the store fails.
    fn overdue_in(&mut self, pool: PoolRef, units: i64) -> Result<Vec<BookingNo>, StoreError>;

    /// Holds and reviews of this customer whose deadline has passed at [`Tx::now`].
    ///
    /// # Errors
    /// If the store fails.
    fn overdue_of(&mut self, customer: &CustomerRef) -> Result<Vec<BookingNo>, StoreError>;

    /// At most `limit` bookings whose `due_at` has come, the oldest first.
    ///
    /// # Errors
    /// If the store fails.
    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError>;

    /// The next bookings, at most `limit`, of this listing after `after`, up to and with `through`: those
    /// that still change by themselves.
    ///
    /// # Errors
    /// If the store fails.
    fn live_bookings(
        &mut self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError>;

    /// A listing whose bookings have to be renewed after an edit ([`lastseat_core::listing::ListingDoc`]'s
    /// `renew_through`), with the booking up to which that was done and the last that needs it.
    ///
    /// # Errors
    /// If the store fails.
    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError>;

    /// Notes how far renewing has come; `None` when it is done.
    ///
    /// # Errors
    /// If the store fails.
    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError>;

    /// When the next live hold on this pool lapses, with what this transaction has written.
    ///
    /// # Errors
    /// If the store fails.
    fn next_release(&mut self, pool: PoolRef) -> Result<Option<Time>, StoreError>;

    /// Writes `world.changes`, in bulk.
    ///
    /// # Errors
    /// [`StoreError::BadData`] if a constraint refuses it; otherwise if the store fails.
    fn write(&mut self, world: &World) -> Result<(), StoreError>;

    /// Commits. When this returns, everything written survives a power cut.
    ///
    /// # Errors
    /// Whether the transaction is gone for certain, or perhaps not.
    fn commit(self: Box<Self>) -> Result<(), CommitError>;
}
