//! One batch, one transaction.

use std::collections::BTreeSet;
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

    /// Gives whatever was committed before this call its place in the event log. A store that one process alone writes
    /// to does so with each commit.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn order_events(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Follows what other nodes commit to the same store; none where this process is the only one that may write.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn follow(&self) -> Result<Option<Box<dyn Follow>>, StoreError> {
        Ok(None)
    }
}

/// What was committed to a store by other nodes than this one, and how far its event log has come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Followed {
    /// Listings whose pools changed.
    pub inventory: BTreeSet<ListingNo>,
    /// Listings that are new or were edited.
    pub listings: BTreeSet<ListingNo>,
    /// Bookings that changed; not those that are new, which nobody here has seen.
    pub bookings: BTreeSet<BookingId>,
    /// Whether API keys were made or revoked.
    pub keys: bool,
    /// Whether the log has become longer, by this node's commits too.
    pub events: bool,
    /// There was more than can be told: everything may have changed.
    pub lost_track: bool,
}

/// Follows what other nodes commit.
pub trait Follow: Send {
    /// What has been committed since the last call, all of it, and perhaps something of before. Sees to it that commits
    /// get their place in the event log.
    ///
    /// # Errors
    /// If the store cannot be read; what was missed then comes with a later call.
    fn poll(&mut self) -> Result<Followed, StoreError>;
}

/// A connection that writes, one batch after the other.
pub trait Lane: Send {
    /// Begins a transaction under a random `batch` id, and locks the listings that have to do with what the batch
    /// names. It sees everything that was committed of them before.
    ///
    /// # Errors
    /// If it cannot begin.
    fn begin(&mut self, batch: u128, names: &Names) -> Result<Box<dyn Tx + '_>, StoreError>;

    /// Makes ready what the first batch would have to wait for, if it can be had.
    fn prepare(&mut self) {}

    /// Begins a transaction on what this lane knows from before, without asking the store: none where it knows too
    /// little. What it tells may be out of date: it is compared at the commit, which is [`CommitError::Aborted`] with
    /// [`StoreError::Conflict`] where that matters; so is everything that it cannot tell. An answer that writes nothing
    /// must not come from it, nor a refusal beside others that write: neither is compared.
    fn begin_optimistic(&mut self, _batch: u128, _names: &Names) -> Option<Box<dyn Tx + '_>> {
        None
    }

    /// Settles for ever whether the transaction `batch` was committed, after [`CommitError::Unknown`]. Whoever asks
    /// again is told the same, also when the first answer was lost.
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

/// From how many pools on it is quicker to look at everybody who waits than at those of each pool.
pub const MANY_POOLS: usize = 64;

/// A transaction. It has the listings that it names to itself, with all that belongs to them: bookings, holds, pools,
/// customers. What lies outside of them is locked after them, in the one order: addresses, then idempotency keys.
/// [`StoreError::Conflict`] where what it needs turns out to lie outside, or has changed. Dropped without a commit it
/// leaves nothing behind.
pub trait Tx {
    /// The instant at which this transaction decides: the store's clock, read when nobody else could come
    /// between. It stays the same.
    fn now(&self) -> Time;

    /// Numbers for at least so many new bookings and new listings. Asked again, they are the same ones and more.
    ///
    /// # Errors
    /// As all of these: if the store fails.
    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError>;

    /// The booking of a listing with the highest number; 0 if it has none.
    ///
    /// # Errors
    /// If the store fails.
    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError>;

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

    /// Holds and reviews on these pools whose deadline has passed at [`Tx::now`], per pool the oldest deadlines first,
    /// until they give at least its units or there are no more.
    ///
    /// # Errors
    /// If the store fails.
    fn overdue_in(&mut self, pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError>;

    /// Holds and reviews of these customers whose deadline has passed at [`Tx::now`], per customer the oldest first.
    ///
    /// # Errors
    /// If the store fails.
    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError>;

    /// At most `limit` bookings whose `due_at` has come, the oldest first; none of listings that other nodes are at
    /// work on.
    ///
    /// # Errors
    /// If the store fails.
    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError>;

    /// How many wait in a listing, and the last number of its list.
    ///
    /// # Errors
    /// If the store fails.
    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError>;

    /// The entries of waitlists that exist of these.
    ///
    /// # Errors
    /// If the store fails.
    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError>;

    /// The entries of these customers that wait or have got an offer, whatever became of it; per customer the newest.
    ///
    /// # Errors
    /// If the store fails.
    fn live_entries(&mut self, of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError>;

    /// The entries of a listing for which units are kept.
    ///
    /// # Errors
    /// If the store fails.
    fn keepers(&mut self, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError>;

    /// The entries of a listing that wait and that are asked for, in order. Where more than [`MANY_POOLS`] are asked for,
    /// perhaps others among them.
    ///
    /// # Errors
    /// If the store fails.
    fn waiting(&mut self, of: ListingNo, ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError>;

    /// How many entries of a listing wait that meet this reach.
    ///
    /// # Errors
    /// If the store fails.
    fn ahead(&mut self, of: ListingNo, reach: Reach) -> Result<i64, StoreError>;

    /// At most `limit` entries that wait and whose `due_at` has come, the oldest first; none of listings that other
    /// nodes are at work on.
    ///
    /// # Errors
    /// If the store fails.
    fn due_entries(&mut self, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError>;

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

    /// When the next live hold on each of these pools lapses, with what this transaction has written.
    ///
    /// # Errors
    /// If the store fails.
    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError>;

    /// Writes `world.changes`, in bulk. The store may wait with it until the commit.
    ///
    /// # Errors
    /// [`StoreError::BadData`] if a constraint refuses it, here or at the commit; otherwise if the store fails.
    fn write(&mut self, world: &World) -> Result<(), StoreError>;

    /// Commits. When this returns, everything written survives a power cut.
    ///
    /// # Errors
    /// Whether the transaction is gone for certain, or perhaps not.
    fn commit(self: Box<Self>) -> Result<(), CommitError>;
}
