//! Questions, each on a snapshot. Rows come as they are stored: whoever shows them settles them first.

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::Role;
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::secret::InstanceSecret;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::{Entry, Reach};

use crate::error::StoreError;

/// An event as it stands in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEvent {
    /// Where it stands in the log, from where reading goes on; 0 while it has no place yet.
    pub place: i64,
    /// Its number, for good.
    pub no: i64,
    /// When.
    pub at: Time,
    /// What happened.
    pub kind: EventKind,
    /// Of which listing.
    pub listing: ListingNo,
    /// Of which booking: its number and id.
    pub booking: Option<(BookingNo, BookingId)>,
    /// Number within the booking.
    pub seq: u32,
    /// Version of the row after the transition.
    pub version: u32,
    /// Who did it.
    pub actor: String,
    /// [`lastseat_core::booking::Patch`] for events of bookings, as JSON text.
    pub data: String,
}

/// A live hold, or an overdue one that was not swept yet, on a stretch of pools of one group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// The group.
    pub group: u32,
    /// First position.
    pub first: u32,
    /// Last position.
    pub last: u32,
    /// Units of each pool.
    pub quantity: i64,
    /// When it lapses.
    pub due_at: Time,
}

/// An API key. The secret itself is nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// What it may do.
    pub role: Role,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Time,
}

/// Which bookings to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BookingFilter {
    /// Of this listing.
    pub listing: Option<ListingNo>,
    /// In these states as stored, or in one of `overdue` with a `due_at` that has come. Empty: any.
    pub states: Vec<State>,
    /// See `states`.
    pub overdue: Vec<State>,
    /// Whose customer's name, identity or contact contains this, ignoring case.
    pub customer: Option<String>,
    /// Made by this key.
    pub created_by: Option<KeyId>,
    /// Before this one; the newest come first.
    pub before: Option<BookingNo>,
}

/// Which entries of a waitlist are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All of them.
    All,
    /// Those that wait, as their rows say.
    Waiting,
}

/// What a listing has sold, by state as stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListingNumbers {
    /// Per state: bookings, and their totals, money in, money to go back and money gone back.
    pub by_state: Vec<(State, i64, Money)>,
}

/// Sums of money in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Money {
    /// Prices.
    pub total: i64,
    /// Money in.
    pub paid: i64,
    /// Money to go back.
    pub refund_due: i64,
    /// Money gone back.
    pub refunded: i64,
}

/// A snapshot.
pub trait Read {
    /// The store's clock.
    fn now(&self) -> Time;

    /// The secret of this instance, made at its first start.
    ///
    /// # Errors
    /// As all of these: if the store fails.
    fn secret(&self) -> Result<InstanceSecret, StoreError>;

    /// The epoch of the event log: another one after a restore from a backup.
    ///
    /// # Errors
    /// If the store fails.
    fn epoch(&self) -> Result<u64, StoreError>;

    /// All listings, in the order in which they were made.
    ///
    /// # Errors
    /// If the store fails.
    fn listings(&self) -> Result<Vec<Listing>, StoreError>;

    /// The seating plan of a listing, as it was sent.
    ///
    /// # Errors
    /// If the store fails.
    fn plan(&self, of: ListingNo) -> Result<Option<String>, StoreError>;

    /// A booking.
    ///
    /// # Errors
    /// If the store fails.
    fn booking(&self, id: BookingId) -> Result<Option<Booking>, StoreError>;

    /// The same by number.
    ///
    /// # Errors
    /// If the store fails.
    fn booking_at(&self, no: BookingNo) -> Result<Option<Booking>, StoreError>;

    /// At most `limit` bookings that fit, the newest first.
    ///
    /// # Errors
    /// If the store fails.
    fn bookings(&self, filter: &BookingFilter, limit: u32) -> Result<Vec<Booking>, StoreError>;

    /// The events of a booking, in order.
    ///
    /// # Errors
    /// If the store fails.
    fn booking_events(&self, of: BookingNo) -> Result<Vec<StoredEvent>, StoreError>;

    /// At most `limit` events after place `after` of the log, in order; none is ever skipped.
    ///
    /// # Errors
    /// If the store fails.
    fn events(&self, after: i64, of: Option<ListingNo>, limit: u32) -> Result<Vec<StoredEvent>, StoreError>;

    /// The place of the newest event.
    ///
    /// # Errors
    /// If the store fails.
    fn last_event(&self) -> Result<i64, StoreError>;

    /// Events that are committed and have no place in the log yet: few, and none where places are given with the commit.
    ///
    /// # Errors
    /// If the store fails.
    fn unplaced(&self) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(Vec::new())
    }

    /// The pools of a listing, in order.
    ///
    /// # Errors
    /// If the store fails.
    fn pools(&self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError>;

    /// The holds and reviews of a listing, the earliest deadlines first within a group.
    ///
    /// # Errors
    /// If the store fails.
    fn holds(&self, of: ListingNo) -> Result<Vec<Hold>, StoreError>;

    /// How often the inventory of a listing has changed.
    ///
    /// # Errors
    /// If the store fails.
    fn inventory_version(&self, of: ListingNo) -> Result<u64, StoreError>;

    /// The numbers of a listing.
    ///
    /// # Errors
    /// If the store fails.
    fn numbers(&self, of: ListingNo) -> Result<ListingNumbers, StoreError>;

    /// The API keys in force.
    ///
    /// # Errors
    /// If the store fails.
    fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// An entry of a waitlist.
    ///
    /// # Errors
    /// If the store fails.
    fn entry(&self, id: WaitlistId) -> Result<Option<Entry>, StoreError>;

    /// At most `limit` entries of a listing after this one, in order; all, or only those that wait.
    ///
    /// # Errors
    /// If the store fails.
    fn entries(
        &self,
        of: ListingNo,
        which: Which,
        after: EntryNo,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// How many entries of a listing wait that meet this reach and joined before this one.
    ///
    /// # Errors
    /// If the store fails.
    fn ahead(&self, of: ListingNo, reach: Reach, before: EntryNo) -> Result<i64, StoreError>;

    /// How many are counted as waiting by group, none for several groups or any; only where some do.
    ///
    /// # Errors
    /// If the store fails.
    fn waiting_counts(&self, of: ListingNo) -> Result<Vec<(Option<u32>, i64)>, StoreError>;

    /// How many wait in a listing, and the last number of its list.
    ///
    /// # Errors
    /// If the store fails.
    fn list_numbers(&self, of: ListingNo) -> Result<ListNumbers, StoreError>;

    /// When the next booking or entry of a waitlist is due.
    ///
    /// # Errors
    /// If the store fails.
    fn next_due(&self) -> Result<Option<Time>, StoreError>;

    /// Whether a listing waits for its bookings to be renewed.
    ///
    /// # Errors
    /// If the store fails.
    fn is_renewing(&self) -> Result<bool, StoreError>;

    /// At most `limit` bookings after `after`, in the order of their numbers: for checks of everything.
    ///
    /// # Errors
    /// If the store fails.
    fn all_bookings(&self, after: BookingNo, limit: u32) -> Result<Vec<Booking>, StoreError>;

    /// The `due_at` that is stored for a booking.
    ///
    /// # Errors
    /// If the store fails.
    fn stored_due_at(&self, of: BookingNo) -> Result<Option<Time>, StoreError>;

    /// All counted customers of a listing (0: addresses), with what they have.
    ///
    /// # Errors
    /// If the store fails.
    fn customers(
        &self,
        of: ListingNo,
    ) -> Result<Vec<(String, lastseat_core::world::CustomerUse)>, StoreError>;

    /// Bookings that are not there, or do not have the event, although the log has an event of them after place
    /// `after` and up to place `through`: at most `limit`, each once. None should be.
    ///
    /// # Errors
    /// If the store fails.
    fn lost_bookings(&self, after: i64, through: i64, limit: u32) -> Result<Vec<BookingNo>, StoreError>;

    /// How many idempotency keys are remembered, and at most `limit` of those that stand more than once or for an
    /// answer that was never given, in hexadecimal: none should.
    ///
    /// # Errors
    /// If the store fails.
    fn broken_keys(&self, limit: u32) -> Result<(u64, Vec<String>), StoreError>;
}
