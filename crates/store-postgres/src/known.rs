//! What a lane knows of listings and pools from its last batches. Others may have changed it since: whoever uses it
//! compares, or asks for no more than room.

use std::collections::HashMap;
use std::sync::Arc;

use lastseat_core::id::{ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};

/// Pools of a listing that are read ahead, because the batch before wanted them.
const MAX_READ_AHEAD: usize = 64;
/// Listings whose pools are remembered for reading ahead.
const MAX_READ_AHEAD_OF: usize = 1_024;
/// Pools whose numbers are remembered.
const MAX_POOLS: usize = 65_536;

#[derive(Default)]
pub(crate) struct Known {
    listings: HashMap<ListingNo, Edition>,
    nos: HashMap<ListingId, ListingNo>,
    /// How many pools there are in all editions.
    pools: usize,
    wanted: HashMap<ListingId, Vec<PoolRef>>,
}

/// A listing as it was in one edition, with pools that were seen in it: in another they may have other prices, or be
/// gone.
struct Edition {
    edition: i64,
    listing: Arc<Listing>,
    pools: HashMap<PoolNo, Pool>,
    /// How many wait.
    waiting: i64,
}

impl Known {
    /// A listing with its edition, if nobody is known to wait in it.
    pub(crate) fn listing(&self, id: ListingId) -> Option<(i64, Arc<Listing>)> {
        let known = self.listings.get(self.nos.get(&id)?).filter(|known| known.waiting == 0)?;
        Some((known.edition, Arc::clone(&known.listing)))
    }

    /// The listing, if this is the edition that is known of it.
    pub(crate) fn edition(&self, no: ListingNo, edition: i64) -> Option<&Arc<Listing>> {
        self.listings.get(&no).filter(|known| known.edition == edition).map(|known| &known.listing)
    }

    pub(crate) fn put_listing(&mut self, edition: i64, listing: Arc<Listing>) {
        self.forget_listing(listing.no);
        self.nos.insert(listing.id, listing.no);
        self.listings.insert(listing.no, Edition { edition, listing, pools: HashMap::new(), waiting: 0 });
    }

    pub(crate) fn forget_listing(&mut self, no: ListingNo) {
        self.pools -= self.listings.remove(&no).map_or(0, |known| known.pools.len());
    }

    pub(crate) fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.listings.get(&at.listing)?.pools.get(&at.pool).copied()
    }

    /// Pools of listings that are known, in the edition that is known.
    pub(crate) fn put_pools(&mut self, pools: impl IntoIterator<Item = (PoolRef, Pool)>) {
        if self.pools >= MAX_POOLS {
            self.listings.values_mut().for_each(|known| known.pools.clear());
            self.pools = 0;
        }
        for (at, pool) in pools {
            if let Some(known) = self.listings.get_mut(&at.listing) {
                self.pools += usize::from(known.pools.insert(at.pool, pool).is_none());
            }
        }
    }

    /// Notes how many wait in a listing that is known.
    pub(crate) fn put_waiting(&mut self, no: ListingNo, waiting: i64) {
        if let Some(known) = self.listings.get_mut(&no) {
            known.waiting = waiting;
        }
    }

    /// The pools that the last batch wanted of a listing.
    pub(crate) fn wanted(&self, id: ListingId) -> &[PoolRef] {
        self.wanted.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn note_wanted(&mut self, id: ListingId, pools: Vec<PoolRef>) {
        if self.wanted.len() >= MAX_READ_AHEAD_OF {
            self.wanted.clear();
        }
        if pools.len() <= MAX_READ_AHEAD {
            self.wanted.insert(id, pools);
        }
    }
}
