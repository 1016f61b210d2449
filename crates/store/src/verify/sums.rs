//! What bookings add up to.

use std::collections::HashMap;
use std::hash::Hash;

use lastseat_core::booking::Booking;
use lastseat_core::id::ListingNo;
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolNo;
use lastseat_core::time::Time;
use lastseat_core::world::{CustomerUse, counted};

use super::report::{Report, Rule};
use super::waitlist::each_waiting;
use crate::error::StoreError;
use crate::read::{Hold, Read};

/// Addresses are counted in all listings, under this number.
const ADDRESSES: ListingNo = ListingNo(0);

/// A live hold as a reader sees it: group, first and last position, units, deadline.
type HoldSeen = (u32, u32, u32, i64, Time);

/// Sums over the bookings of one listing.
#[derive(Debug, Default)]
struct OfListing {
    /// Held and confirmed units.
    pools: HashMap<PoolNo, (i64, i64)>,
    /// How many holds look like this.
    holds: HashMap<HoldSeen, i64>,
}

/// Sums over bookings: by pool, of their holds, and by customer.
#[derive(Debug, Default)]
pub(super) struct Sums {
    listings: HashMap<ListingNo, OfListing>,
    customers: HashMap<ListingNo, HashMap<String, CustomerUse>>,
}

/// Changes a sum, and forgets it once it has come back to nothing: so that memory is bounded by what is live.
fn change<K: Hash + Eq, V: Default + PartialEq>(
    sums: &mut HashMap<K, V>,
    key: K,
    change: impl FnOnce(&mut V),
) {
    use std::collections::hash_map::Entry;
    match sums.entry(key) {
        Entry::Vacant(slot) => change(slot.insert(V::default())),
        Entry::Occupied(mut slot) => {
            change(slot.get_mut());
            if *slot.get() == V::default() {
                slot.remove();
            }
        }
    }
}

impl Sums {
    /// Adds (`sign` 1) or takes out (`sign` -1) a booking as it stands in its row.
    pub(super) fn add(&mut self, booking: &Booking, listing: &Listing, sign: i64) {
        let (holds, sells) = (booking.state.holds(), booking.state.sells());
        if !holds && !sells {
            return;
        }
        let sums = self.listings.entry(booking.listing).or_default();
        for line in booking.lines.iter() {
            change(&mut sums.pools, line.pool, |(held, confirmed)| {
                *if holds { held } else { confirmed } += sign * line.quantity;
            });
        }
        if let Some(due) = booking.deadline.filter(|_| holds) {
            for run in booking.lines.runs() {
                let seen = (run.group, run.first, run.last, run.quantity, due);
                change(&mut sums.holds, seen, |count| *count += sign);
            }
        }
        for ((scope, identity), units) in counted(booking, listing) {
            change(self.customers.entry(scope).or_default(), identity, |has| {
                has.units += sign * units;
                has.open_holds += sign * i64::from(holds);
            });
        }
    }

    /// Compares the counters of a listing's pools and the rows of its live holds, and says of each pool whether
    /// it is oversold.
    pub(super) fn check_listing(
        &mut self,
        read: &dyn Read,
        listing: &Listing,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let OfListing { mut pools, mut holds } = self.listings.remove(&listing.no).unwrap_or_default();
        for (no, pool) in read.pools(listing.no)? {
            let sums = pools.remove(&no).unwrap_or_default();
            report.check(Rule::NoOversell, pool.is_sound(), || name(listing, no));
            let is_true = belongs(listing, no) && (pool.held, pool.confirmed) == sums;
            report.check(Rule::CountersAreTrue, is_true, || name(listing, no));
        }
        // What is left are units of pools that do not exist.
        for no in pools.into_keys() {
            report.broken(Rule::CountersAreTrue, name(listing, no));
        }
        for Hold { group, first, last, quantity, due_at } in read.holds(listing.no)? {
            report.saw(Rule::HoldsMatchBookings);
            change(&mut holds, (group, first, last, quantity, due_at), |count| *count -= 1);
        }
        for (group, first, ..) in holds.into_keys() {
            report.broken(Rule::HoldsMatchBookings, name(listing, PoolNo::new(group, first)));
        }
        Ok(())
    }

    /// Compares what customers of a listing have. Who they are stays out of the report.
    pub(super) fn check_customers(
        &mut self,
        read: &dyn Read,
        listing: &Listing,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.check_scope(read, listing.no, &listing.id.to_string(), report)
    }

    /// Compares how many live holds addresses have in all listings, and places in line, which count as such.
    pub(super) fn check_addresses(&mut self, read: &dyn Read, report: &mut Report) -> Result<(), StoreError> {
        for listing in read.listings()? {
            each_waiting(read, &listing, |entry| {
                if let Some(address) = &entry.address {
                    let addresses = self.customers.entry(ADDRESSES).or_default();
                    change(addresses, address.clone(), |has| has.open_holds += 1);
                }
            })?;
        }
        self.check_scope(read, ADDRESSES, "addresses", report)
    }

    fn check_scope(
        &mut self,
        read: &dyn Read,
        scope: ListingNo,
        name: &str,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut sums = self.customers.remove(&scope).unwrap_or_default();
        for (identity, has) in read.customers(scope)? {
            let sum = sums.remove(&identity).unwrap_or_default();
            report.check(Rule::CustomersAreCounted, has == sum, || name.to_owned());
        }
        if !sums.is_empty() {
            report.broken(Rule::CustomersAreCounted, name.to_owned());
        }
        Ok(())
    }
}

/// Compares the held units of a listing's pools with its live holds: cheap, where summing its bookings is not.
pub(super) fn check_held(read: &dyn Read, listing: &Listing, report: &mut Report) -> Result<(), StoreError> {
    let mut held: HashMap<PoolNo, i64> = HashMap::new();
    for Hold { group, first, last, quantity, .. } in read.holds(listing.no)? {
        for position in first..=last {
            *held.entry(PoolNo::new(group, position)).or_default() += quantity;
        }
    }
    for (no, pool) in read.pools(listing.no)? {
        let sum = held.remove(&no).unwrap_or_default();
        report.check(Rule::NoOversell, pool.is_sound(), || name(listing, no));
        report.check(Rule::CountersAreTrue, belongs(listing, no) && pool.held == sum, || name(listing, no));
    }
    for no in held.into_keys() {
        report.broken(Rule::CountersAreTrue, name(listing, no));
    }
    Ok(())
}

/// Whether a listing has the group of a pool.
fn belongs(listing: &Listing, pool: PoolNo) -> bool {
    listing.groups.get(pool.group).is_some()
}

/// `lst_.../key`, or the numbers of a pool that the listing has no key for.
fn name(listing: &Listing, pool: PoolNo) -> String {
    if !belongs(listing, pool) {
        return format!("{}/{}.{}", listing.id, pool.group, pool.position);
    }
    format!("{}/{}", listing.id, listing.pool_key(pool))
}
