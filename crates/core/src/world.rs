//! The state that a batch works on: what the store loaded, changed in memory one command after the other,
//! and what has to be written in the end. Nothing here knows where it came from or goes to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::booking::{Booking, Patch, State};
use crate::command::{Actor, Idempotency, IdempotencyKey, NewKey};
use crate::event::{EventData, EventKind, NewEvent};
use crate::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo, WaitlistId};
use crate::listing::Listing;
use crate::listing::build::NewListing;
use crate::numbers::Numbers;
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::settle::settle;
use crate::time::Time;
use crate::waitlist::{list::Lists, note_taken};

/// What one customer has in one listing, or one address in all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CustomerUse {
    /// Units in `held`, `in_review`, `confirmed` and `completed`.
    pub units: i64,
    /// Bookings in `held` and `in_review`.
    pub open_holds: i64,
}

/// Whose use is counted: an identity within a listing, or an address in listing 0.
pub type CustomerRef = (ListingNo, String);

/// What an idempotency key stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Digest of the request.
    pub fingerprint: [u8; 16],
    /// What was answered.
    pub answer: Answer,
}

/// An answer that can be given again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A booking as it was at a version; its events tell.
    Booking {
        /// Which.
        no: BookingNo,
        /// At which version.
        version: u32,
    },
    /// A listing; shown as it is now.
    Listing(ListingId),
    /// An API key; its secret is not shown again.
    Key(KeyId),
    /// An entry of a waitlist, as it was when it joined.
    Entry(WaitlistId),
    /// An entry of a waitlist that was there when its customer wanted to join once more; shown as it is now.
    EntryThere(WaitlistId),
}

/// What a batch works on. Maps whose keys no client chooses use a quick hash; the others one that cannot be
/// played against.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The instant at which everything is decided.
    pub now: Time,
    /// The listings that are named, current.
    pub listings: FxHashMap<ListingNo, Arc<Listing>>,
    /// Their numbers by id.
    pub listing_nos: FxHashMap<ListingId, ListingNo>,
    /// The numbers that new bookings get.
    pub booking_numbers: Numbers,
    /// The numbers that new listings get.
    pub listing_numbers: Numbers,
    last_bookings: FxHashMap<ListingNo, BookingNo>,
    bookings: FxHashMap<BookingNo, Box<Booking>>,
    booking_nos: FxHashMap<BookingId, BookingNo>,
    pools: FxHashMap<PoolRef, Option<Pool>>,
    pub(crate) customers: HashMap<CustomerRef, CustomerUse>,
    remembered: FxHashMap<IdempotencyKey, Remembered>,
    imported: HashMap<String, Option<BookingId>>,
    keys: HashMap<KeyId, bool>,
    pub(crate) waitlists: Lists,
    /// What has to be written.
    pub changes: Changes,
}

/// The difference that a batch makes, for the store to write.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Changed or new bookings: the row as loaded, if it was there. The new row is in the world.
    pub bookings: BTreeMap<BookingNo, Option<Booking>>,
    /// Changed pools.
    pub pools: BTreeSet<PoolRef>,
    /// Pools that are taken away.
    pub removed_pools: BTreeSet<PoolRef>,
    /// Changed use of customers.
    pub customers: BTreeSet<CustomerRef>,
    /// New events, in order.
    pub events: Vec<NewEvent>,
    /// Answers to be remembered.
    pub remembered: Vec<(IdempotencyKey, Remembered)>,
    /// New listings.
    pub new_listings: Vec<(ListingNo, ListingId, NewListing)>,
    /// Listings whose document changed.
    pub listings: BTreeSet<ListingNo>,
    /// Listings whose groups changed: from this group on they are new, and those before may have new
    /// capacities and prices.
    pub groups: BTreeSet<ListingNo>,
    /// Listings whose customers have to be counted anew from their bookings.
    pub recount: BTreeSet<ListingNo>,
    /// Listings of which every entry that waits has to be looked at: when waiting ends has changed.
    pub recheck: BTreeSet<ListingNo>,
    /// New API keys.
    pub new_keys: Vec<NewKey>,
    /// API keys taken away.
    pub revoked_keys: Vec<KeyId>,
}

impl Changes {
    /// Whether nothing has to be written; entries of waitlists are told by [`World::has_changed_entries`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bookings.is_empty()
            && self.pools.is_empty()
            && self.removed_pools.is_empty()
            && self.events.is_empty()
            && self.remembered.is_empty()
            && self.new_listings.is_empty()
            && self.listings.is_empty()
            && self.new_keys.is_empty()
            && self.revoked_keys.is_empty()
    }

    /// Listings that were there before, and whose document, groups, capacities or prices somebody has edited: what was
    /// decided on them as they were is not in force.
    #[must_use]
    pub fn edited(&self) -> BTreeSet<ListingNo> {
        let spoken_of = self.events.iter().filter(|event| event.booking.is_none()).map(|event| event.listing);
        let new: BTreeSet<ListingNo> = self.new_listings.iter().map(|(no, ..)| *no).collect();
        self.listings.iter().copied().chain(spoken_of).filter(|no| !new.contains(no)).collect()
    }
}

/// Loading: what the store puts in.
impl World {
    /// An empty world at `now`.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self { now, ..Self::default() }
    }

    /// Puts in a listing.
    pub fn load_listing(&mut self, listing: Arc<Listing>) {
        self.listing_nos.insert(listing.id, listing.no);
        self.listings.insert(listing.no, listing);
    }

    /// Puts in a booking.
    pub fn load_booking(&mut self, booking: Booking) {
        self.booking_nos.insert(booking.id, booking.no);
        self.bookings.insert(booking.no, Box::new(booking));
    }

    /// Puts in a pool, or that there is none.
    pub fn load_pool(&mut self, at: PoolRef, pool: Option<Pool>) {
        self.pools.insert(at, pool);
    }

    /// Puts in what a customer has.
    pub fn load_customer(&mut self, of: CustomerRef, has: CustomerUse) {
        self.customers.insert(of, has);
    }

    /// Puts in what a key stands for.
    pub fn load_remembered(&mut self, key: IdempotencyKey, what: Remembered) {
        self.remembered.insert(key, what);
    }

    /// Puts in the booking that was imported under an id, or that there is none.
    pub fn load_imported(&mut self, external_id: String, booking: Option<BookingId>) {
        self.imported.insert(external_id, booking);
    }

    /// Puts in the last booking of a listing that is edited.
    pub fn load_last_booking(&mut self, of: ListingNo, last: BookingNo) {
        self.last_bookings.insert(of, last);
    }

    /// Puts in an API key that is in force.
    pub fn load_key(&mut self, id: KeyId) {
        self.keys.insert(id, true);
    }
}

/// Looking.
impl World {
    /// The booking of that id.
    #[must_use]
    pub fn booking(&self, id: BookingId) -> Option<&Booking> {
        self.bookings.get(self.booking_nos.get(&id)?).map(Box::as_ref)
    }

    /// The booking of that number.
    #[must_use]
    pub fn booking_at(&self, no: BookingNo) -> Option<&Booking> {
        self.bookings.get(&no).map(Box::as_ref)
    }

    /// The booking of a listing with the highest number; 0 if it has none. The listing was loaded to be edited.
    #[must_use]
    pub fn last_booking(&self, of: ListingNo) -> BookingNo {
        let loaded = self.bookings.values().filter(|booking| booking.listing == of).map(|booking| booking.no);
        loaded.chain(self.last_bookings.get(&of).copied()).max().unwrap_or(BookingNo(0))
    }

    /// The listing of that id.
    #[must_use]
    pub fn listing(&self, id: ListingId) -> Option<&Arc<Listing>> {
        self.listings.get(self.listing_nos.get(&id)?)
    }

    /// The listing of a booking.
    #[must_use]
    pub fn listing_of(&self, booking: &Booking) -> Arc<Listing> {
        self.listings.get(&booking.listing).cloned().expect("a booking is loaded with its listing")
    }

    /// A pool. None if there is no such pool.
    #[must_use]
    pub fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.pools.get(&at).copied().flatten()
    }

    /// Whether it is known what a pool has, or that there is none.
    #[must_use]
    pub fn has_loaded(&self, at: PoolRef) -> bool {
        self.pools.contains_key(&at)
    }

    /// How many bookings are new.
    #[must_use]
    pub fn new_bookings(&self) -> usize {
        self.changes.bookings.values().filter(|old| old.is_none()).count()
    }

    /// All pools of a listing that are loaded, in order.
    #[must_use]
    pub fn pools_of(&self, listing: ListingNo) -> Vec<(PoolNo, Pool)> {
        let mut pools: Vec<_> = self
            .pools
            .iter()
            .filter_map(|(at, pool)| pool.filter(|_| at.listing == listing).map(|pool| (at.pool, pool)))
            .collect();
        pools.sort_unstable_by_key(|(no, _)| *no);
        pools
    }

    /// Whether it is known what a customer has.
    #[must_use]
    pub fn has_loaded_customer(&self, of: &CustomerRef) -> bool {
        self.customers.contains_key(of)
    }

    /// What a customer has.
    #[must_use]
    pub fn customer(&self, of: &CustomerRef) -> CustomerUse {
        self.customers.get(of).copied().unwrap_or_default()
    }

    /// What a key stands for.
    #[must_use]
    pub fn remembered(&self, key: IdempotencyKey) -> Option<&Remembered> {
        self.remembered.get(&key)
    }

    /// The booking that was imported under an id.
    #[must_use]
    pub fn imported(&self, external_id: &str) -> Option<BookingId> {
        self.imported.get(external_id).copied().flatten()
    }

    /// Whether an API key is in force.
    #[must_use]
    pub fn has_key(&self, id: KeyId) -> bool {
        self.keys.get(&id).copied().unwrap_or(false)
    }
}

/// Changing. Whoever decides calls these; they keep counters, events and the list of changes in step.
impl World {
    /// Sets a pool's numbers.
    pub fn set_pool(&mut self, at: PoolRef, mut pool: Pool) {
        // What is kept for those who wait is no claim: whoever takes capacity away takes that first.
        pool.kept = pool.kept.min(pool.free().max(0));
        let before = self.pool(at).unwrap_or_default();
        if pool.available() > before.available() || before.kept > 0 {
            self.freed(at.listing, at.pool);
        }
        self.set_kept(at, pool);
    }

    /// The same, with what is kept as it is.
    pub(crate) fn set_kept(&mut self, at: PoolRef, pool: Pool) {
        debug_assert!(pool.is_sound(), "a pool would be oversold: {at:?} {pool:?}");
        self.pools.insert(at, Some(pool));
        self.changes.pools.insert(at);
        // One command of a batch may bring back what another has taken away.
        self.changes.removed_pools.remove(&at);
    }

    /// Takes a pool away.
    pub fn remove_pool(&mut self, at: PoolRef) {
        self.pools.insert(at, None);
        self.changes.pools.remove(&at);
        self.changes.removed_pools.insert(at);
    }

    /// Remembers an answer.
    pub fn remember(&mut self, idempotency: Option<Idempotency>, answer: Answer) {
        if let Some(Idempotency { key, fingerprint }) = idempotency {
            let remembered = Remembered { fingerprint, answer };
            self.remembered.insert(key, remembered.clone());
            self.changes.remembered.push((key, remembered));
        }
    }

    /// Notes under which id a booking was imported.
    pub fn set_imported(&mut self, external_id: String, booking: BookingId) {
        self.imported.insert(external_id, Some(booking));
    }

    /// Makes an API key.
    pub fn add_key(&mut self, key: NewKey) {
        self.keys.insert(key.id, true);
        self.changes.new_keys.push(key);
    }

    /// Takes an API key away.
    pub fn revoke_key(&mut self, id: KeyId) {
        self.keys.insert(id, false);
        self.changes.revoked_keys.push(id);
    }

    /// Makes a listing with its pools.
    pub fn add_listing(&mut self, id: ListingId, new: NewListing) -> Arc<Listing> {
        let no =
            self.listing_numbers.take().map(ListingNo).expect("a batch has a number for each new listing");
        let listing = Arc::new(new.listing(no, id, self.now));
        self.load_listing(Arc::clone(&listing));
        self.changes.new_listings.push((no, id, new));
        listing
    }

    /// Puts an edited listing in the place of the old one.
    pub fn set_listing(&mut self, listing: Arc<Listing>) {
        self.changes.listings.insert(listing.no);
        self.load_listing(listing);
    }

    /// Appends an event of a listing.
    pub fn listing_event(&mut self, kind: EventKind, listing: ListingNo, actor: &Actor, data: String) {
        self.changes.events.push(NewEvent {
            kind,
            listing,
            booking: None,
            seq: 0,
            version: 0,
            actor: actor.event_name(),
            at: self.now,
            data: EventData::Listing(data),
        });
    }

    /// Takes in a new booking: its counters, its events, its row. Its number is given here.
    pub fn insert_booking(&mut self, mut booking: Booking, kinds: &[EventKind], actor: &Actor) -> BookingNo {
        let no =
            self.booking_numbers.take().map(BookingNo).expect("a batch has a number for each new booking");
        booking.no = no;
        booking.events = 0;
        self.count(&booking, 1);
        self.stirred(None, &booking);
        self.changes.bookings.insert(no, None);
        self.append(&mut booking, None, kinds, actor);
        self.load_booking(booking);
        no
    }

    /// Puts `new` in the place of the booking's row: moves its counters and appends its events. The version
    /// must already have grown; capacity must already have been admitted.
    pub fn update_booking(&mut self, mut new: Booking, kinds: &[EventKind], actor: &Actor) {
        let old = self.booking_at(new.no).cloned().expect("an updated booking was loaded");
        debug_assert_eq!(new.version, old.version + 1, "one transition, one version");
        self.count(&old, -1);
        self.count(&new, 1);
        self.stirred(Some(&old), &new);
        note_taken(&mut new);
        self.append(&mut new, Some(&old), kinds, actor);
        self.tell_of_offer(&old, &new, actor);
        self.changes.bookings.entry(new.no).or_insert(Some(old));
        self.bookings.insert(new.no, Box::new(new));
    }

    /// Notes that a row has to be written again although nothing of it changed but its `due_at`.
    pub fn touch_booking(&mut self, no: BookingNo) {
        if let Some(booking) = self.bookings.get(&no) {
            self.changes.bookings.entry(no).or_insert_with(|| Some(Booking::clone(booking)));
        }
    }

    /// Applies to a loaded booking what time has done. Whether something changed.
    pub fn settle(&mut self, no: BookingNo) -> bool {
        let Some(booking) = self.booking_at(no) else { return false };
        let listing = self.listing_of(booking);
        if crate::settle::due_at(booking, &listing).is_none_or(|due| due > self.now) {
            return false;
        }
        let mut settled = booking.clone();
        let Some(kind) = settle(&mut settled, &listing, self.now) else { return false };
        let grew = settled.refund_due > self.bookings[&no].refund_due;
        let kinds: &[EventKind] = if grew { &[kind, EventKind::BookingRefundDue] } else { &[kind] };
        self.update_booking(settled, kinds, &Actor::System);
        true
    }

    /// Settles everything that is loaded, in the order of the bookings' numbers. How many changed.
    pub fn settle_all(&mut self) -> usize {
        let mut nos: Vec<BookingNo> = self
            .bookings
            .values()
            .filter(|b| b.state.holds() || b.state == State::Confirmed)
            .map(|b| b.no)
            .collect();
        nos.sort_unstable();
        nos.into_iter().filter(|no| self.settle(*no)).count()
    }

    /// Adds (`sign` 1) or takes away (`sign` -1) a booking in the counters of its pools and its customer.
    fn count(&mut self, booking: &Booking, sign: i64) {
        let (holds, sells) = (booking.state.holds(), booking.state.sells());
        if !holds && !sells {
            return;
        }
        for line in booking.lines.iter() {
            let at = PoolRef { listing: booking.listing, pool: line.pool };
            let pool =
                self.pools.get_mut(&at).and_then(Option::as_mut).expect("a booking is loaded with its pools");
            let counter = if holds { &mut pool.held } else { &mut pool.confirmed };
            *counter += sign * line.quantity;
            self.changes.pools.insert(at);
        }
        let listing = self.listing_of(booking);
        let open = i64::from(holds);
        for (of, units) in counted(booking, &listing) {
            self.customers.entry(of.clone()).or_default().units += sign * units;
            self.count_hold(of, sign * open);
        }
    }

    fn append(&mut self, booking: &mut Booking, old: Option<&Booking>, kinds: &[EventKind], actor: &Actor) {
        let mut patch = Some(old.map_or_else(|| Patch::first(booking), |old| Patch::between(old, booking)));
        for kind in kinds {
            booking.events += 1;
            // The first event says all that changed; the others of the same transition only repeat what
            // they are about.
            let patch = patch.take().unwrap_or_else(|| Patch {
                state: (*kind == EventKind::BookingConfirmed).then_some(booking.state),
                refund_due: (*kind == EventKind::BookingRefundDue).then_some(booking.refund_due),
                ..Patch::default()
            });
            self.changes.events.push(NewEvent {
                kind: *kind,
                listing: booking.listing,
                booking: Some(booking.no),
                seq: booking.events,
                version: booking.version,
                actor: actor.event_name(),
                at: self.now,
                data: EventData::Booking(Box::new(patch)),
            });
        }
    }
}

/// Whose limits a booking counts against, with its units: its customer in the listing, where the listing
/// counts them, and its address in all listings.
#[must_use]
pub fn counted(booking: &Booking, listing: &Listing) -> Vec<(CustomerRef, i64)> {
    let mut of = Vec::new();
    if listing.doc.counts_customers
        && let Some(identity) = booking.customer.identity()
    {
        of.push(((booking.listing, identity), listing.units_of(&booking.lines)));
    }
    if let Some(address) = &booking.address {
        of.push(((ListingNo(0), address.clone()), 0));
    }
    of
}
