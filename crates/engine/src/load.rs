//! Loading: what a batch has to know before it can decide.

use std::collections::BTreeSet;

use lastseat_core::booking::Booking;
use lastseat_core::command::{Action, Command};
use lastseat_core::decide::names::{Names, Wanted};
use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolRef;
use lastseat_core::waitlist::Entry;
use lastseat_core::waitlist::serve::{MAX_WRITTEN, Need, serve};
use lastseat_core::world::{CustomerRef, World};
use lastseat_store::{StoreError, Tx};
use std::sync::Arc;

/// Overdue bookings that one batch sweeps for the pools that it needs, at most: what a transaction can write, and less than
/// a second's work.
const MAX_SWEPT: usize = 16_384;

/// How far renewing comes with this batch.
pub(crate) struct Renewal {
    pub(crate) listing: ListingNo,
    pub(crate) bookings: Vec<BookingNo>,
    /// Up to where; none when it is done.
    pub(crate) renewed: Option<BookingNo>,
}

/// Loads a world: what the commands name, then what that needs, then the overdue holds that stand in the
/// way, with what they need in turn.
pub(crate) struct Load<'a> {
    tx: &'a mut dyn Tx,
    pub(crate) world: World,
    wanted: Wanted,
    /// Pools of which all that was needed of what is overdue is loaded, and customers of whom all is.
    swept: BTreeSet<PoolRef>,
    swept_customers: BTreeSet<CustomerRef>,
    /// How many more overdue bookings this batch may sweep for its pools.
    may_sweep: usize,
    pub(crate) renewal: Option<Renewal>,
    pub(crate) more_due: bool,
}

impl<'a> Load<'a> {
    pub(crate) fn new(tx: &'a mut dyn Tx, names: &Names) -> Result<Self, StoreError> {
        let mut world = World::new(tx.now());
        (world.booking_numbers, world.listing_numbers) =
            tx.numbers(names.new_bookings, names.new_listings)?;
        Ok(Self {
            tx,
            world,
            wanted: Wanted::default(),
            swept: BTreeSet::new(),
            swept_customers: BTreeSet::new(),
            may_sweep: MAX_SWEPT,
            renewal: None,
            more_due: false,
        })
    }

    pub(crate) fn all(&mut self, commands: &[Command], names: &Names) -> Result<(), StoreError> {
        for id in &names.listings {
            if let Some(listing) = self.tx.listing(*id)? {
                if names.edited.contains(id) {
                    self.world.load_last_booking(listing.no, self.tx.last_booking(listing.no)?);
                }
                self.list(listing.no)?;
                self.world.load_listing(listing);
            }
        }
        if !names.bookings.is_empty() {
            let found = self.tx.bookings(&names.bookings)?;
            self.bookings(found)?;
        }
        if !names.entries.is_empty() {
            let found = self.tx.entries(&names.entries)?;
            self.entries(found)?;
        }
        self.due(names.due)?;
        self.renewals(names.renew)?;
        for command in commands {
            self.wanted.add(&self.world, command);
        }
        self.waiting()?;
        self.pools()?;
        self.keepers()?;
        self.overdue()?;
        self.customers()?;
        if !names.idempotency.is_empty() {
            for (key, what) in self.tx.remembered(&names.idempotency)? {
                self.world.load_remembered(key, what);
            }
        }
        for external_id in &names.imported {
            let found = self.tx.imported(external_id)?;
            self.world.load_imported(external_id.clone(), found);
        }
        for key in &names.keys {
            if self.tx.has_key(*key)? {
                self.world.load_key(*key);
            }
        }
        Ok(())
    }

    /// Puts in bookings with their listings, and notes what they need.
    fn bookings(&mut self, found: Vec<Booking>) -> Result<(), StoreError> {
        for booking in found {
            if !self.world.listings.contains_key(&booking.listing) {
                let missing = || StoreError::Corrupt(format!("booking {} has no listing", booking.id));
                self.listing_at(booking.listing)?.ok_or_else(missing)?;
            }
            self.wanted.add_booking(&self.world, &booking);
            self.world.load_booking(booking);
        }
        Ok(())
    }

    fn bookings_at(&mut self, nos: Vec<BookingNo>) -> Result<(), StoreError> {
        let new: BTreeSet<BookingNo> =
            nos.into_iter().filter(|no| self.world.booking_at(*no).is_none()).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = self.tx.bookings_at(&new)?;
        self.bookings(found)
    }

    fn due(&mut self, limit: u32) -> Result<(), StoreError> {
        if limit == 0 {
            return Ok(());
        }
        let due = self.tx.due(limit)?;
        self.more_due = due.len() >= limit as usize;
        self.bookings_at(due)?;
        let due = self.tx.due_entries(limit)?;
        self.more_due |= due.len() >= limit as usize;
        self.entries(due)
    }

    fn renewals(&mut self, limit: u32) -> Result<(), StoreError> {
        if limit == 0 {
            return Ok(());
        }
        let Some((listing, after, through)) = self.tx.renewing()? else { return Ok(()) };
        let bookings = self.tx.live_bookings(listing, after, through, limit)?;
        let done = bookings.len() < limit as usize;
        let renewed = if done { None } else { bookings.last().copied() };
        self.bookings_at(bookings.clone())?;
        self.renewal = Some(Renewal { listing, bookings, renewed });
        Ok(())
    }

    /// Loads the pools that are wanted and not yet there.
    fn pools(&mut self) -> Result<(), StoreError> {
        for listing in std::mem::take(&mut self.wanted.whole) {
            for (pool, numbers) in self.tx.whole(listing)? {
                let at = PoolRef { listing, pool };
                // What is loaded already may have been changed since.
                if !self.world.has_loaded(at) {
                    self.world.load_pool(at, Some(numbers));
                }
                if numbers.held > 0 {
                    // What is overdue there is swept before anything is compared with it.
                    self.wanted.pools.insert(at, i64::MAX);
                }
            }
            self.world.loaded_whole(listing);
        }
        let missing: Vec<PoolRef> =
            self.wanted.pools.keys().filter(|at| !self.world.has_loaded(**at)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        for (at, pool) in missing.iter().zip(self.tx.pools(&missing)?) {
            self.world.load_pool(*at, pool);
        }
        Ok(())
    }

    /// Loads for whom something is kept of pools that are short: what is kept only until the next batch goes on is given away
    /// by this one.
    fn keepers(&mut self) -> Result<(), StoreError> {
        let is_short = |(at, asked): &(&PoolRef, &i64)| {
            self.world.pool(**at).is_some_and(|pool| pool.kept > 0 && pool.available() < **asked)
        };
        let short: BTreeSet<ListingNo> =
            self.wanted.pools.iter().filter(is_short).map(|(at, _)| at.listing).collect();
        for of in short {
            self.keepers_of(of)?;
        }
        self.pools()
    }

    /// Loads the overdue bookings of pools that are short and of customers whose limit will be checked. No
    /// more of them than the batch needs, and than those get who wait there; settling them gives back what they hold.
    fn overdue(&mut self) -> Result<Vec<BookingNo>, StoreError> {
        // What has been given back is found once more where its row stands.
        let is_first = self.swept.is_empty();
        let short = |(at, asked): (&PoolRef, &i64)| {
            let asked = asked.saturating_add(self.for_who_waits(at.listing));
            let pool = self.world.pool(*at).filter(|pool| pool.held > 0 && pool.available() < asked)?;
            Some((*at, asked.saturating_sub(if is_first { pool.available() } else { 0 })))
        };
        let new = self.wanted.pools.iter().filter(|(at, _)| !self.swept.contains(at));
        let short: Vec<(PoolRef, i64)> = new.filter_map(short).collect();
        self.swept.extend(self.wanted.pools.keys());
        let mut overdue = Vec::new();
        if !short.is_empty() {
            overdue = self.tx.overdue_in(&short)?;
            // A booking is found by each of its pools.
            let mut found = BTreeSet::new();
            overdue.retain(|no| self.world.booking_at(*no).is_none() && found.insert(*no));
            if overdue.len() > self.may_sweep {
                short.iter().for_each(|(at, _)| self.world.leave_overdue(at.listing));
            }
            overdue.truncate(self.may_sweep);
            self.may_sweep -= overdue.len();
            self.bookings_at(overdue.clone())?;
        }
        let limited = self.limited();
        if !limited.is_empty() {
            let found = self.tx.overdue_of(&limited)?;
            self.bookings_at(found.clone())?;
            overdue.extend(found);
            self.swept_customers.extend(limited);
        }
        self.pools()?;
        Ok(overdue)
    }

    /// Units of a pool that those who wait in a listing may get in one batch. They are first, and what is left then has to
    /// be enough for who asks.
    fn for_who_waits(&self, of: ListingNo) -> i64 {
        let offers = self.world.list_numbers(of).waiting.min(i64::try_from(MAX_WRITTEN).unwrap_or(i64::MAX));
        let policies = self.world.listings.get(&of).into_iter().flat_map(|listing| &listing.doc.policies);
        offers.saturating_mul(policies.map(|policy| policy.max_quantity).max().unwrap_or(1))
    }

    /// Customers whose limit will be checked and of whom it was not asked yet what is overdue.
    fn limited(&self) -> Vec<CustomerRef> {
        let limited = self.wanted.customers.iter().filter(|(_, limited)| **limited);
        let new = limited.map(|(customer, _)| customer).filter(|of| !self.swept_customers.contains(of));
        new.cloned().collect()
    }

    fn customers(&mut self) -> Result<(), StoreError> {
        let wanted = self.wanted.customers.keys().filter(|of| !self.world.has_loaded_customer(of));
        let wanted: Vec<CustomerRef> = wanted.cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        for (of, has) in wanted.iter().zip(self.tx.customers(&wanted)?) {
            self.world.load_customer(of.clone(), has);
        }
        Ok(())
    }
}

/// Waitlists.
impl Load<'_> {
    /// Gives what came free to those who wait.
    pub(crate) fn serve(&mut self) -> Result<(), StoreError> {
        while let Some(listing) = self.world.to_serve() {
            while let Err(need) = serve(&mut self.world, listing) {
                self.need(listing, need)?;
            }
        }
        Ok(())
    }

    /// Loads what is needed when commands are being decided already: what is overdue there is settled at once.
    fn need(&mut self, of: ListingNo, need: Need) -> Result<(), StoreError> {
        match need {
            Need::Keepers => self.keepers_of(of)?,
            Need::Whole => drop(self.wanted.whole.insert(of)),
            Need::Waiting(ask) => {
                let found = self.tx.waiting(of, &ask)?;
                self.world.loaded_waiting(of, &ask, found.len(), found.last().map(|entry| entry.no));
                self.entries(found)?;
            }
            Need::Numbers(count) => return self.numbers(count),
        }
        self.pools()?;
        let overdue = self.overdue()?;
        self.customers()?;
        for no in overdue {
            self.world.settle(no);
        }
        Ok(())
    }

    fn keepers_of(&mut self, of: ListingNo) -> Result<(), StoreError> {
        let found = self.tx.keepers(of)?;
        self.world.loaded_keepers(of);
        self.entries(found)
    }

    /// Has a number ready for the booking that this command may make: offers may have used up those that were.
    pub(crate) fn number_for(&mut self, command: &Command) -> Result<(), StoreError> {
        let books = matches!(command.action, Action::CreateBooking(_) | Action::ImportBooking(_));
        if books && self.world.booking_numbers.is_empty() { self.numbers(1) } else { Ok(()) }
    }

    /// Loads numbers for so many more bookings.
    fn numbers(&mut self, count: usize) -> Result<(), StoreError> {
        let used = self.world.new_bookings();
        let (mut bookings, _) = self.tx.numbers(used + count, 0)?;
        bookings.skip(used);
        self.world.booking_numbers = bookings;
        Ok(())
    }

    /// Puts in entries with their listings and offers, and notes what they need.
    fn entries(&mut self, found: Vec<Arc<Entry>>) -> Result<(), StoreError> {
        self.bookings_at(found.iter().filter_map(|entry| entry.booking).collect())?;
        for entry in found {
            if !self.world.listings.contains_key(&entry.listing) {
                let missing = || StoreError::Corrupt(format!("{} has no listing", entry.id));
                self.listing_at(entry.listing)?.ok_or_else(missing)?;
            }
            self.wanted.add_entry(&self.world, &entry);
            self.world.load_entry(entry);
        }
        Ok(())
    }

    /// Loads what those need who want to join.
    fn waiting(&mut self) -> Result<(), StoreError> {
        for (listing, reach) in std::mem::take(&mut self.wanted.ahead) {
            let ahead = self.tx.ahead(listing, reach)?;
            self.world.load_ahead(listing, reach, ahead);
        }
        let customers: Vec<CustomerRef> = std::mem::take(&mut self.wanted.waiting).into_iter().collect();
        if customers.is_empty() {
            return Ok(());
        }
        let live = self.tx.live_entries(&customers)?;
        self.entries(live)
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        let found = self.tx.listing_at(no)?;
        if let Some(listing) = &found {
            self.list(no)?;
            self.world.load_listing(Arc::clone(listing));
        }
        Ok(found)
    }

    fn list(&mut self, of: ListingNo) -> Result<(), StoreError> {
        let numbers = self.tx.list_numbers(of)?;
        self.world.load_list(of, numbers);
        Ok(())
    }
}
