//! Waitlists: that nobody waits who could be served, that what is kept is kept for somebody, and that offers and their
//! bookings name each other.

use std::collections::{HashMap, HashSet};

use lastseat_core::customer::identity_digest;
use lastseat_core::id::{EntryNo, ListingNo};
use lastseat_core::listing::{Listing, Status};
use lastseat_core::pool::{PoolNo, PoolRef};
use lastseat_core::waitlist::fit::fit;
use lastseat_core::waitlist::{Entry, EntryState, MAX_SKIPS, ended};
use lastseat_core::world::World;

use super::report::{Report, Rule};
use crate::error::StoreError;
use crate::read::{Read, Which};

/// Entries that are read at a time.
const PAGE: u32 = 2_000;

/// How far the database's clock may have been set back since an entry was made due at once.
const CLOCK_STEP_SECONDS: i64 = 300;

/// How far the entries of all listings have been looked through.
#[derive(Debug, Default)]
pub(super) struct Offers {
    listing: ListingNo,
    entry: EntryNo,
}

impl Offers {
    /// Looks through the next entries of a listing. Whether there may be more.
    pub(super) fn page(&mut self, read: &dyn Read, report: &mut Report) -> Result<bool, StoreError> {
        let listings = read.listings()?;
        let Some(listing) = listings.into_iter().find(|listing| listing.no >= self.listing) else {
            return Ok(false);
        };
        if listing.no > self.listing {
            (self.listing, self.entry) = (listing.no, EntryNo(0));
        }
        let page = read.entries(listing.no, Which::All, self.entry, PAGE)?;
        for entry in &page {
            report.check(Rule::OffersMatchBookings, matches(read, entry)?, || entry.id.to_string());
        }
        match page.last().filter(|_| page.len() >= PAGE as usize) {
            Some(last) => self.entry = last.no,
            None => (self.listing, self.entry) = (ListingNo(listing.no.0 + 1), EntryNo(0)),
        }
        Ok(true)
    }
}

/// Whether an entry that was offered something names a booking that names it, and no other names one.
fn matches(read: &dyn Read, entry: &Entry) -> Result<bool, StoreError> {
    let Some(no) = entry.booking else { return Ok(entry.state != EntryState::Offered) };
    let booking = read.booking_at(no)?;
    let names_it = booking.is_some_and(|booking| {
        booking.listing == entry.listing && booking.details.offer.is_some_and(|offer| offer.entry == entry.id)
    });
    Ok(entry.state == EntryState::Offered && names_it)
}

/// Checks who waits in a listing, in one snapshot.
pub(super) fn check(read: &dyn Read, listing: &Listing, report: &mut Report) -> Result<(), StoreError> {
    let mut world = World::new(read.now());
    let mut kept: HashMap<PoolNo, i64> = HashMap::new();
    for (pool, numbers) in read.pools(listing.no)? {
        kept.insert(pool, numbers.kept);
        world.load_pool(PoolRef { listing: listing.no, pool }, Some(numbers));
    }
    let numbers = read.list_numbers(listing.no)?;
    let mut counts: HashMap<Option<u32>, i64> = read.waiting_counts(listing.no)?.into_iter().collect();
    let mut customers: HashSet<[u8; 16]> = HashSet::new();
    let mut waiting = 0;
    each_waiting(read, listing, |entry| {
        waiting += 1;
        *counts.entry(entry.want.reach().group()).or_default() -= 1;
        for (pool, units) in &entry.kept {
            *kept.entry(*pool).or_default() -= units;
        }
        let identity = entry.customer.identity();
        let is_once = identity.is_none_or(|identity| customers.insert(identity_digest(&identity)));
        let fair = entry.skipped <= MAX_SKIPS && is_once && !could_be_served(&world, listing, entry);
        report.check(Rule::WaitingIsFair, fair, || entry.id.to_string());
        let has_ended = ended(entry, listing, world.now).is_some();
        let soon = world.now.plus_seconds(CLOCK_STEP_SECONDS);
        let is_due = entry.due_at.is_some_and(|due| due <= soon);
        report.check(Rule::DueAtIsComputed, is_due || !has_ended, || entry.id.to_string());
    })?;
    let is_counted = waiting == numbers.waiting && counts.values().all(|rest| *rest == 0);
    report.check(Rule::WaitlistIsCounted, is_counted, || listing.id.to_string());
    for (pool, rest) in kept {
        let name = || format!("{}/{}", listing.id, listing.pool_key(pool));
        report.check(Rule::KeptForWhoWaits, rest == 0, name);
    }
    Ok(())
}

/// Looks at everybody who waits in a listing, in order.
pub(super) fn each_waiting(
    read: &dyn Read,
    listing: &Listing,
    mut look: impl FnMut(&Entry),
) -> Result<(), StoreError> {
    let mut after = EntryNo(0);
    loop {
        let page = read.entries(listing.no, Which::Waiting, after, PAGE)?;
        page.iter().for_each(&mut look);
        match page.last().filter(|_| page.len() >= PAGE as usize) {
            Some(last) => after = last.no,
            None => return Ok(()),
        }
    }
}

/// Whether an entry waits although what is there would do for it. What lapsed and was not swept yet counts as held.
fn could_be_served(world: &World, listing: &Listing, entry: &Entry) -> bool {
    listing.doc.status == Status::Published
        && ended(entry, listing, world.now).is_none()
        && fit(world, listing, &entry.want).is_some()
}
