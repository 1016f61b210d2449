//! What commands need loaded. First what they name themselves, then, with their bookings and listings at
//! hand, the pools and customers.

use std::collections::{BTreeMap, BTreeSet};

use crate::booking::Booking;
use crate::command::{Action, BookingChange, Command, IdempotencyKey, JoinWaitlist, PoolsChange, WaitFor};
use crate::customer::Customer;
use crate::id::{BookingId, KeyId, ListingId, ListingNo, WaitlistId};
use crate::listing::Listing;
use crate::listing::request::Claim;
use crate::pool::PoolRef;
use crate::waitlist::{Entry, Reach, Want};
use crate::world::{CustomerRef, World, counted};

/// What commands name themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// Listings.
    pub listings: BTreeSet<ListingId>,
    /// Bookings.
    pub bookings: BTreeSet<BookingId>,
    /// Idempotency keys.
    pub idempotency: BTreeSet<IdempotencyKey>,
    /// Ids of imported bookings in the system they come from.
    pub imported: BTreeSet<String>,
    /// API keys.
    pub keys: BTreeSet<KeyId>,
    /// Listings that are edited.
    pub edited: BTreeSet<ListingId>,
    /// How many bookings may be made.
    pub new_bookings: usize,
    /// How many listings may be made.
    pub new_listings: usize,
    /// Addresses whose open holds are limited.
    pub addresses: BTreeSet<String>,
    /// How many due bookings are to be settled.
    pub due: u32,
    /// How many bookings are to be renewed after edits of listings.
    pub renew: u32,
    /// Entries of waitlists.
    pub entries: BTreeSet<WaitlistId>,
    /// Whether somebody joins a waitlist.
    pub joins: bool,
}

impl Names {
    /// Adds what `command` names.
    pub fn add(&mut self, command: &Command) {
        self.idempotency.extend(command.idempotency.map(|i| i.key));
        match &command.action {
            Action::CreateBooking(create) => {
                self.listings.insert(create.listing);
                self.addresses.extend(create.address.clone());
                self.new_bookings += 1;
            }
            Action::Booking { id, .. } => {
                self.bookings.insert(*id);
            }
            Action::ImportBooking(import) => {
                self.listings.insert(import.listing);
                self.new_bookings += 1;
                // What will be refused is not asked for: a database may not even take it.
                self.imported.extend(import.external_id.clone().filter(|id| !id.contains(char::is_control)));
            }
            Action::PatchListing { id, .. } => {
                self.listings.insert(*id);
                self.edited.insert(*id);
            }
            Action::PutPools { id, .. } => {
                self.listings.insert(*id);
            }
            Action::RevokeKey { id } => {
                self.keys.insert(*id);
            }
            Action::SettleDue { limit } => self.due += limit,
            Action::RenewDue { limit } => self.renew += limit,
            Action::CreateListing { .. } => self.new_listings += 1,
            Action::CreateKey(_) => {}
            Action::JoinWaitlist(join) => {
                self.addresses.extend(join.address.clone());
                self.listings.insert(join.listing);
                self.joins = true;
            }
            Action::LeaveWaitlist { id } => {
                self.entries.insert(*id);
            }
        }
    }
}

impl Names {
    /// The listing, where new bookings of one listing are all that is named.
    #[must_use]
    pub fn only_new_bookings(&self) -> Option<ListingId> {
        let Self {
            listings,
            bookings,
            idempotency: _,
            imported,
            keys,
            edited,
            new_bookings,
            new_listings,
            addresses,
            due,
            renew,
            entries,
            joins,
        } = self;
        let nothing_else = bookings.is_empty()
            && imported.is_empty()
            && keys.is_empty()
            && edited.is_empty()
            && addresses.is_empty()
            && entries.is_empty()
            && !joins
            && (*new_listings, *due, *renew) == (0, 0, 0);
        let mut ids = listings.iter();
        match (ids.next(), ids.next()) {
            (Some(id), None) if nothing_else && *new_bookings > 0 => Some(*id),
            _ => None,
        }
    }
}

/// Pools and customers that have to be loaded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Pools, with how many free units are asked of each in all.
    pub pools: BTreeMap<PoolRef, i64>,
    /// Listings of which all pools are needed.
    pub whole: BTreeSet<ListingNo>,
    /// Customers and addresses, and whether a limit will be checked.
    pub customers: BTreeMap<CustomerRef, bool>,
    /// Customers whose live entries are needed.
    pub waiting: BTreeSet<CustomerRef>,
    /// What is waited for: how many wait for the same is needed.
    pub ahead: BTreeSet<(ListingNo, Reach)>,
}

impl Wanted {
    /// Adds what `command` needs. Commands that will be refused anyway need nothing.
    pub fn add(&mut self, world: &World, command: &Command) {
        match &command.action {
            Action::CreateBooking(create) => {
                let Some(listing) = world.listing(create.listing) else { return };
                self.claim(listing, &create.claim);
                if listing.doc.counts_customers {
                    let identity = identity(&create.customer);
                    self.customers.extend(identity.map(|identity| ((listing.no, identity), true)));
                }
                if let Some(address) = &create.address {
                    self.customers.insert((ListingNo(0), address.clone()), true);
                }
            }
            Action::ImportBooking(import) => {
                let Some(listing) = world.listing(import.listing) else { return };
                self.claim(listing, &import.claim);
                if listing.doc.counts_customers {
                    let identity = identity(&import.customer);
                    self.customers.extend(identity.map(|identity| ((listing.no, identity), true)));
                }
            }
            Action::Booking { id, change } => self.change(world, *id, change),
            Action::PutPools { id, change } => {
                let Some(listing) = world.listing(*id) else { return };
                match change {
                    PoolsChange::Pools(pools) => {
                        for pool in pools.iter().filter_map(|pool| listing.find_pool(&pool.key)) {
                            // Whatever is overdue there is swept before the numbers are compared.
                            self.pools.insert(PoolRef { listing: listing.no, pool }, i64::MAX);
                        }
                    }
                    PoolsChange::Range(_) => {
                        self.whole.insert(listing.no);
                    }
                }
            }
            Action::PatchListing { id, patch } => {
                let Some(listing) = world.listing(*id) else { return };
                let waits = world.list_numbers(listing.no).waiting > 0;
                let reshapes = ["calendar", "opening_hours", "resources"];
                // Whatever else is edited may bring what is free on sale again, for those who wait.
                if waits || reshapes.iter().any(|field| patch.get(field).is_some()) {
                    self.whole.insert(listing.no);
                }
            }
            Action::JoinWaitlist(join) => self.join(world, join),
            // Its entry is loaded with what that needs.
            Action::LeaveWaitlist { .. } => {}
            Action::CreateListing { .. }
            | Action::CreateKey(_)
            | Action::RevokeKey { .. }
            | Action::SettleDue { .. }
            | Action::RenewDue { .. } => {}
        }
    }

    fn change(&mut self, world: &World, id: BookingId, change: &BookingChange) {
        let Some(booking) = world.booking(id) else { return };
        let listing = world.listing_of(booking);
        match change {
            BookingChange::Reschedule { claim } => {
                self.claim(&listing, claim);
                self.limits(booking, &listing);
            }
            // These may admit the same lines again.
            BookingChange::Confirm(_) | BookingChange::SubmitReceipt(_) => {
                for line in booking.lines.iter() {
                    self.pool(PoolRef { listing: listing.no, pool: line.pool }, line.quantity);
                }
                self.limits(booking, &listing);
            }
            BookingChange::Accept
            | BookingChange::Approve
            | BookingChange::Reject { .. }
            | BookingChange::Cancel { .. }
            | BookingChange::Extend { .. }
            | BookingChange::Refund { .. } => {}
        }
    }

    /// Adds what a loaded booking needs in order to be settled or changed: its pools and its customer.
    pub fn add_booking(&mut self, world: &World, booking: &Booking) {
        for line in booking.lines.iter() {
            self.pool(PoolRef { listing: booking.listing, pool: line.pool }, 0);
        }
        for (of, _) in counted(booking, &world.listing_of(booking)) {
            self.customers.entry(of).or_insert(false);
        }
    }

    fn join(&mut self, world: &World, join: &JoinWaitlist) {
        let Some(listing) = world.listing(join.listing) else { return };
        let reach = match &join.want {
            WaitFor::Claim(claim) => {
                self.claim(listing, claim);
                let Ok(asked) = claim.resolve(listing) else { return };
                Want::lines(&asked).reach()
            }
            WaitFor::Any(_) => {
                self.whole.insert(listing.no);
                Reach::Everything
            }
        };
        self.ahead.insert((listing.no, reach));
        if let Some(identity) = identity(&join.customer) {
            if listing.doc.counts_customers {
                self.customers.insert((listing.no, identity.clone()), true);
            }
            self.waiting.insert((listing.no, identity));
        }
        if let Some(address) = &join.address {
            self.customers.insert((ListingNo(0), address.clone()), true);
        }
    }

    /// Adds what a loaded entry needs in order to be ended, or to get what it waits for.
    pub fn add_entry(&mut self, world: &World, entry: &Entry) {
        let kept = entry.kept.iter().map(|(pool, _)| *pool);
        let wanted = match &entry.want {
            Want::Lines(lines) => lines.iter().map(|line| line.pool).collect(),
            Want::Any(_) => Vec::new(),
        };
        for pool in wanted.into_iter().chain(kept) {
            self.pool(PoolRef { listing: entry.listing, pool }, 0);
        }
        let counts = world.listings.get(&entry.listing).is_some_and(|listing| listing.doc.counts_customers);
        if let Some(identity) = entry.customer.identity().filter(|_| counts) {
            self.customers.insert((entry.listing, identity), true);
        }
        if let Some(address) = &entry.address {
            self.customers.entry((ListingNo(0), address.clone())).or_insert(false);
        }
    }

    fn claim(&mut self, listing: &Listing, claim: &Claim) {
        for (pool, quantity) in claim.resolve(listing).unwrap_or_default() {
            self.pool(PoolRef { listing: listing.no, pool }, quantity);
        }
    }

    /// The limits of the listing. Those of addresses are looked at when a booking is made, and only then: whatever else
    /// is of the same address may lie in listings that nobody has named.
    fn limits(&mut self, booking: &Booking, listing: &Listing) {
        for (of, _) in counted(booking, listing) {
            let limited = of.0 == listing.no;
            *self.customers.entry(of).or_insert(limited) |= limited;
        }
    }

    fn pool(&mut self, at: PoolRef, quantity: i64) {
        let asked = self.pools.entry(at).or_default();
        *asked = asked.saturating_add(quantity);
    }
}

/// Under which identity a customer is looked for. None for whom nothing will be done: a database may not even take it.
fn identity(customer: &Customer) -> Option<String> {
    customer.identity().filter(|identity| !identity.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_cannot_be_written_down_is_not_looked_for() {
        let known = |id: &str| Customer { external_id: Some(id.to_owned()), ..Customer::default() };
        assert_eq!(identity(&known("a\u{0}b")), None);
        assert_eq!(identity(&known("ab")).as_deref(), Some("x:ab"));
    }
}
