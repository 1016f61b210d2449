//! What is kept, how a batch's changes become rows, and the constraints that a database would guard.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::event::{EventData, NewEvent};
use lastseat_core::id::{BookingId, BookingNo, EntryNo, EntryRef, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, EntryState, Reach};
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World, counted};

use crate::error::StoreError;
use crate::read::{ApiKey, StoredEvent};

/// A booking with what is computed from it.
#[derive(Clone, Debug)]
pub(crate) struct BookingRow {
    pub(crate) booking: Booking,
    pub(crate) due_at: Option<Time>,
}

/// A listing with what belongs to it alone.
#[derive(Clone, Debug)]
pub(crate) struct ListingRow {
    pub(crate) listing: Arc<Listing>,
    pub(crate) plan: Option<String>,
    pub(crate) renew_through: Option<BookingNo>,
    pub(crate) renewed: BookingNo,
    pub(crate) inventory: u64,
}

/// Where a live hold stands: listing, group, deadline, booking, first position.
pub(crate) type HoldKey = (ListingNo, u32, Time, BookingNo, u32);

/// How far it reaches, and with how many units of each pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldRow {
    pub(crate) last: u32,
    pub(crate) quantity: i64,
}

/// Everything that is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) listings: BTreeMap<ListingNo, ListingRow>,
    pub(crate) listing_nos: BTreeMap<ListingId, ListingNo>,
    pub(crate) pools: BTreeMap<PoolRef, Pool>,
    pub(crate) bookings: BTreeMap<BookingNo, Arc<BookingRow>>,
    pub(crate) booking_nos: BTreeMap<BookingId, BookingNo>,
    pub(crate) holds: BTreeMap<HoldKey, HoldRow>,
    pub(crate) customers: BTreeMap<CustomerRef, CustomerUse>,
    /// In the order of their places in the log.
    pub(crate) events: Vec<Arc<StoredEvent>>,
    /// Those of batches that have no place in the log yet, by the number of the batch.
    pub(crate) unplaced: BTreeMap<i64, Vec<Arc<StoredEvent>>>,
    pub(crate) remembered: BTreeMap<IdempotencyKey, (Time, Remembered)>,
    pub(crate) imports: BTreeMap<String, BookingNo>,
    pub(crate) keys: BTreeMap<KeyId, (ApiKey, Option<Time>)>,
    pub(crate) entries: BTreeMap<EntryRef, Arc<Entry>>,
    pub(crate) entry_refs: BTreeMap<WaitlistId, EntryRef>,
}

fn refuse<T>(text: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::BadData(text.into()))
}

fn insert_new<K: Ord + std::fmt::Debug, V>(
    into: &mut BTreeMap<K, V>,
    key: K,
    value: V,
) -> Result<(), StoreError> {
    match into.entry(key) {
        Slot::Vacant(slot) => {
            slot.insert(value);
            Ok(())
        }
        Slot::Occupied(slot) => refuse(format!("{:?} is there already", slot.key())),
    }
}

impl Rows {
    /// Puts in what a batch changed; its events follow those that are there.
    pub(super) fn write(&mut self, world: &World) -> Result<(), StoreError> {
        self.write_rows(world)?;
        let first = i64::try_from(self.events.len() + 1).expect("few events");
        let events = self.events_of(world, first);
        self.events
            .extend(events.into_iter().map(|event| Arc::new(StoredEvent { place: event.no, ..event })));
        Ok(())
    }

    /// Puts in what a batch changed, but for its events.
    pub(crate) fn write_rows(&mut self, world: &World) -> Result<(), StoreError> {
        self.write_listings(world)?;
        for (no, old) in &world.changes.bookings {
            let new = world.booking_at(*no).expect("a changed booking is in the world");
            self.write_booking(old.as_ref(), new, &world.listing_of(new))?;
        }
        self.write_pools(world)?;
        for of in &world.changes.customers {
            self.write_customer(of.clone(), world.customer(of))?;
        }
        for (key, what) in &world.changes.remembered {
            insert_new(&mut self.remembered, *key, (world.now, what.clone()))?;
        }
        for listing in &world.changes.recount {
            self.recount(&world.listings[listing])?;
        }
        self.write_entries(world)?;
        self.write_keys(world)
    }

    fn write_entries(&mut self, world: &World) -> Result<(), StoreError> {
        for (old, new) in world.changed_entries() {
            if (new.state == EntryState::Offered) != new.booking.is_some() {
                return refuse(format!(
                    "{} is {} with the booking {:?}",
                    new.id,
                    new.state.as_str(),
                    new.booking
                ));
            }
            if !new.kept.is_empty() && !new.waits() {
                return refuse(format!("something is kept for {}, which does not wait", new.id));
            }
            if old.is_none() {
                insert_new(&mut self.entry_refs, new.id, new.at())?;
                insert_new(&mut self.entries, new.at(), Arc::new(new.clone()))?;
            } else {
                self.entries.insert(new.at(), Arc::new(new.clone()));
            }
        }
        // Of those too that have changed just now.
        for listing in &world.changes.recheck {
            let first = EntryRef { listing: *listing, no: EntryNo(0) };
            let entries = self.entries.range_mut(first..).take_while(|(at, _)| at.listing == *listing);
            for (_, entry) in entries.filter(|(_, entry)| entry.waits()) {
                let due_at = entry.due_at.map_or(world.now, |due| due.min(world.now));
                Arc::make_mut(entry).due_at = Some(due_at);
            }
        }
        Ok(())
    }

    fn write_listings(&mut self, world: &World) -> Result<(), StoreError> {
        for (no, id, new) in &world.changes.new_listings {
            let row = ListingRow {
                listing: Arc::new(new.listing(*no, *id, world.now)),
                plan: new.plan.clone(),
                renew_through: None,
                renewed: BookingNo(0),
                inventory: 1,
            };
            insert_new(&mut self.listings, *no, row)?;
            insert_new(&mut self.listing_nos, *id, *no)?;
            for (pool, numbers) in &new.pools {
                self.write_pool(PoolRef { listing: *no, pool: *pool }, *numbers)?;
            }
        }
        for no in &world.changes.listings {
            let Some(row) = self.listings.get_mut(no) else { return refuse(format!("no listing {}", no.0)) };
            row.listing = Arc::clone(&world.listings[no]);
            if let Some(through) = row.listing.doc.renew_through {
                (row.renew_through, row.renewed) = (Some(through), BookingNo(0));
            }
        }
        Ok(())
    }

    fn write_booking(
        &mut self,
        old: Option<&Booking>,
        new: &Booking,
        listing: &Listing,
    ) -> Result<(), StoreError> {
        check_money(new)?;
        let row = Arc::new(BookingRow { booking: new.clone(), due_at: due_at(new, listing) });
        match old {
            None => {
                insert_new(&mut self.bookings, new.no, row)?;
                insert_new(&mut self.booking_nos, new.id, new.no)?;
                if let Some(external_id) = &new.details.imported_as {
                    insert_new(&mut self.imports, external_id.clone(), new.no)?;
                }
            }
            Some(old) => {
                self.bookings.insert(new.no, row);
                for (key, _) in holds_of(old) {
                    self.holds.remove(&key);
                }
            }
        }
        for (key, row) in holds_of(new) {
            if row.quantity <= 0 {
                return refuse("a hold of nothing");
            }
            insert_new(&mut self.holds, key, row)?;
        }
        Ok(())
    }

    fn write_pool(&mut self, at: PoolRef, pool: Pool) -> Result<(), StoreError> {
        if !pool.is_sound() || pool.price < 0 {
            return refuse(format!("pool {at:?} would be {pool:?}"));
        }
        self.pools.insert(at, pool);
        Ok(())
    }

    fn write_pools(&mut self, world: &World) -> Result<(), StoreError> {
        let changes = &world.changes;
        for at in &changes.pools {
            if let Some(pool) = world.pool(*at) {
                self.write_pool(*at, pool)?;
            }
        }
        for at in &changes.removed_pools {
            self.pools.remove(at);
        }
        let pools = changes.pools.iter().chain(&changes.removed_pools).map(|at| at.listing);
        let touched: BTreeSet<ListingNo> = pools.chain(changes.listings.iter().copied()).collect();
        for no in touched {
            if let Some(row) = self.listings.get_mut(&no) {
                row.inventory += 1;
            }
        }
        Ok(())
    }

    fn write_customer(&mut self, of: CustomerRef, has: CustomerUse) -> Result<(), StoreError> {
        if has.units < 0 || has.open_holds < 0 {
            return refuse(format!("customer {of:?} would have {has:?}"));
        }
        self.customers.insert(of, has);
        Ok(())
    }

    /// The events of a batch whose rows are written, numbered from `first` on, without places in the log.
    pub(crate) fn events_of(&self, world: &World, first: i64) -> Vec<StoredEvent> {
        let stored = |(no, event): (i64, &NewEvent)| StoredEvent {
            place: 0,
            no,
            at: event.at,
            kind: event.kind,
            listing: event.listing,
            booking: event.booking.and_then(|no| Some((no, self.bookings.get(&no)?.booking.id))),
            seq: event.seq,
            version: event.version,
            actor: event.actor.clone(),
            data: match &event.data {
                EventData::Booking(patch) => serde_json::to_string(patch).expect("plain values"),
                EventData::Listing(text) => text.clone(),
            },
        };
        (first..).zip(&world.changes.events).map(stored).collect()
    }

    /// Counts the customers of a listing anew: when a limit is set for the first time.
    fn recount(&mut self, listing: &Listing) -> Result<(), StoreError> {
        let mut has: BTreeMap<CustomerRef, CustomerUse> = BTreeMap::new();
        for row in self.bookings.values().filter(|row| row.booking.listing == listing.no) {
            let state = row.booking.state;
            if !state.holds() && !state.sells() {
                continue;
            }
            for (of, units) in counted(&row.booking, listing) {
                if of.0 == listing.no {
                    let has = has.entry(of).or_default();
                    has.units += units;
                    has.open_holds += i64::from(state.holds());
                }
            }
        }
        self.customers.retain(|of, _| of.0 != listing.no);
        has.into_iter().try_for_each(|(of, has)| self.write_customer(of, has))
    }

    fn write_keys(&mut self, world: &World) -> Result<(), StoreError> {
        for new in &world.changes.new_keys {
            if self.keys.values().any(|(key, revoked)| revoked.is_none() && key.hash == new.hash) {
                return refuse("an API key with this secret is there already");
            }
            let key = ApiKey {
                id: new.id,
                role: new.role,
                name: new.name.clone(),
                hash: new.hash,
                created_at: world.now,
            };
            insert_new(&mut self.keys, new.id, (key, None))?;
        }
        for id in &world.changes.revoked_keys {
            if let Some((_, revoked)) = self.keys.get_mut(id) {
                *revoked = Some(world.now);
            }
        }
        Ok(())
    }
}

/// Looking.
impl Rows {
    /// The pools of a listing, in order.
    pub(crate) fn pools_of(&self, listing: ListingNo) -> Vec<(PoolNo, Pool)> {
        let first = PoolRef { listing, pool: PoolNo::new(0, 0) };
        let pools = self.pools.range(first..).take_while(|(at, _)| at.listing == listing);
        pools.map(|(at, pool)| (at.pool, *pool)).collect()
    }

    /// The live holds on a pool with their deadlines and units, the earliest first.
    pub(crate) fn holds_on(&self, at: PoolRef) -> impl Iterator<Item = (Time, BookingNo, i64)> {
        let PoolRef { listing, pool } = at;
        let first = (listing, pool.group, Time::from_millis(i64::MIN), BookingNo(i64::MIN), 0);
        self.holds
            .range(first..)
            .take_while(move |(key, _)| (key.0, key.1) == (listing, pool.group))
            .filter(move |(key, row)| (key.4..=row.last).contains(&pool.position))
            .map(|(key, row)| (key.2, key.3, row.quantity))
    }

    /// Holds on these pools that are overdue at `now`, per pool the oldest first, until they give its units.
    pub(crate) fn overdue_in(&self, pools: &[(PoolRef, i64)], now: Time) -> Vec<BookingNo> {
        let mut found = Vec::new();
        for (at, units) in pools {
            let mut gained = 0;
            for (due, booking, quantity) in self.holds_on(*at) {
                if gained >= *units || due > now {
                    break;
                }
                found.push(booking);
                gained += quantity;
            }
        }
        found
    }

    /// Bookings of listings that `fit` whose `due_at` has come, the oldest first.
    pub(crate) fn due(&self, now: Time, fits: impl Fn(ListingNo) -> bool) -> Vec<BookingNo> {
        let rows = self.bookings.values().filter(|row| fits(row.booking.listing));
        let mut due: Vec<_> =
            rows.filter_map(|row| Some((row.due_at.filter(|due| *due <= now)?, row.booking.no))).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, no)| no).collect()
    }

    /// Holds and reviews of these customers that are overdue at `now`, the oldest first, with their listings.
    pub(crate) fn overdue_of(&self, customers: &[CustomerRef], now: Time) -> Vec<(BookingNo, ListingNo)> {
        if customers.is_empty() {
            return Vec::new();
        }
        let overdue = self.bookings.values().map(|row| &row.booking).filter(|booking| {
            let listing = &self.listings[&booking.listing].listing;
            booking.state.holds()
                && booking.deadline.is_some_and(|due| due <= now)
                && counted(booking, listing).iter().any(|(of, _)| customers.contains(of))
        });
        let mut found: Vec<_> =
            overdue.map(|booking| (booking.deadline, booking.no, booking.listing)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, no, listing)| (no, listing)).collect()
    }

    /// At most `limit` bookings of a listing after `after` and up to `through` that still change by themselves.
    pub(crate) fn live_bookings(
        &self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Vec<BookingNo> {
        use lastseat_core::booking::State;
        if through <= after {
            return Vec::new();
        }
        let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Included(through));
        let rows = self.bookings.range(range).map(|(_, row)| &row.booking);
        let live = rows.filter(|booking| {
            booking.listing == of && (booking.state.holds() || booking.state == State::Confirmed)
        });
        live.take(limit as usize).map(|booking| booking.no).collect()
    }

    /// The entries of a listing after this one, in order.
    pub(crate) fn entries_of(&self, listing: ListingNo, after: EntryNo) -> impl Iterator<Item = &Arc<Entry>> {
        let from = std::ops::Bound::Excluded(EntryRef { listing, no: after });
        let entries = self.entries.range((from, std::ops::Bound::Unbounded));
        entries.map(|(_, entry)| entry).take_while(move |entry| entry.listing == listing)
    }

    /// The same, only those that wait.
    pub(crate) fn waiting_of(&self, listing: ListingNo, after: EntryNo) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries_of(listing, after).filter(|entry| entry.waits())
    }

    /// How many wait in a listing, and its last number.
    pub(crate) fn list_numbers(&self, of: ListingNo) -> ListNumbers {
        let waiting = i64::try_from(self.waiting_of(of, EntryNo(0)).count()).expect("few entries");
        ListNumbers { waiting, last: self.entries_of(of, EntryNo(0)).last().map_or(0, |entry| entry.no.0) }
    }

    /// The entries of these ids.
    pub(crate) fn entries_by_id(&self, ids: &BTreeSet<WaitlistId>) -> Vec<Arc<Entry>> {
        ids.iter().filter_map(|id| self.entries.get(self.entry_refs.get(id)?)).cloned().collect()
    }

    /// The entries for which units are kept.
    pub(crate) fn keepers(&self, of: ListingNo) -> Vec<Arc<Entry>> {
        self.waiting_of(of, EntryNo(0)).filter(|entry| !entry.kept.is_empty()).cloned().collect()
    }

    /// The entries that wait and are asked for.
    pub(crate) fn ask(&self, of: ListingNo, ask: &Ask) -> Vec<Arc<Entry>> {
        let fits = |entry: &&Arc<Entry>| {
            let reach = entry.want.reach();
            ask.pools.iter().any(|pool| reach.covers(*pool))
                && ask.most.is_none_or(|most| entry.want.least() <= most)
        };
        self.waiting_of(of, ask.after).filter(fits).take(ask.limit as usize).cloned().collect()
    }

    /// How many wait that meet this reach and joined before.
    pub(crate) fn ahead(&self, of: ListingNo, reach: Reach, before: EntryNo) -> i64 {
        let waiting = self.waiting_of(of, EntryNo(0)).take_while(|entry| entry.no < before);
        let ahead = waiting.filter(|entry| entry.want.reach().meets(reach)).count();
        i64::try_from(ahead).expect("few entries")
    }

    /// The newest entries of these customers, where they wait or have got an offer.
    pub(crate) fn live_entries(&self, of: &[CustomerRef]) -> Vec<Arc<Entry>> {
        let newest = |(listing, identity): &CustomerRef| {
            let its = self
                .entries_of(*listing, EntryNo(0))
                .filter(|entry| entry.customer.identity().as_ref() == Some(identity));
            its.last().filter(|entry| entry.may_be_live()).cloned()
        };
        of.iter().filter_map(newest).collect()
    }

    /// Entries of listings that `fit` that wait and are due, the oldest first.
    pub(crate) fn due_entries(&self, now: Time, fits: impl Fn(ListingNo) -> bool) -> Vec<Arc<Entry>> {
        let due = |entry: &&Arc<Entry>| {
            entry.waits() && entry.due_at.is_some_and(|due| due <= now) && fits(entry.listing)
        };
        let mut found: Vec<Arc<Entry>> = self.entries.values().filter(due).cloned().collect();
        found.sort_by_key(|entry| (entry.due_at, entry.at()));
        found
    }

    /// A listing whose bookings have to be renewed, with how far that has come and has to go.
    pub(crate) fn renewing(&self) -> Option<(ListingNo, BookingNo, BookingNo)> {
        self.listings.iter().find_map(|(no, row)| Some((*no, row.renewed, row.renew_through?)))
    }
}

fn check_money(row: &Booking) -> Result<(), StoreError> {
    let amounts = [row.total, row.paid, row.refund_due, row.refunded];
    if amounts.iter().any(|amount| *amount < 0) || row.refund_due + row.refunded > row.paid {
        return refuse(format!("the money of {} would be {amounts:?}", row.id));
    }
    Ok(())
}

/// What a booking holds, if it holds anything.
pub(crate) fn holds_of(booking: &Booking) -> Vec<(HoldKey, HoldRow)> {
    let Some(deadline) = booking.deadline.filter(|_| booking.state.holds()) else { return Vec::new() };
    let runs = booking.lines.runs().into_iter();
    runs.map(|run| {
        let key = (booking.listing, run.group, deadline, booking.no, run.first);
        (key, HoldRow { last: run.last, quantity: run.quantity })
    })
    .collect()
}
