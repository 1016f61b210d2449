//! What a lane knows of listings and pools from its last batches. Others may have changed it since: whoever uses it
//! compares, or asks for no more than room.

use std::collections::HashMap;
use std::sync::Arc;

use lastseat_core::id::{ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolRef};

/// Pools of a listing that are read ahead, because the batch before wanted them.
const MAX_READ_AHEAD: usize = 64;
/// Listings whose pools are remembered for reading ahead.
const MAX_READ_AHEAD_OF: usize = 1_024;
/// Pools whose numbers are remembered.
const MAX_POOLS: usize = 65_536;

#[derive(Default)]
pub(crate) struct Known {
    /// With the edition that was in force when it was read.
    listings: HashMap<ListingNo, (i64, Arc<Listing>)>,
    nos: HashMap<ListingId, ListingNo>,
    pools: HashMap<PoolRef, Pool>,
    wanted: HashMap<ListingId, Vec<PoolRef>>,
}

impl Known {
    /// A listing with its edition.
    pub(crate) fn listing(&self, id: ListingId) -> Option<(i64, Arc<Listing>)> {
        self.listings.get(self.nos.get(&id)?).cloned()
    }

    /// The listing, if this is the edition that is known of it.
    pub(crate) fn edition(&self, no: ListingNo, edition: i64) -> Option<&Arc<Listing>> {
        self.listings.get(&no).filter(|(known, _)| *known == edition).map(|(_, listing)| listing)
    }

    /// Another edition than before may have other prices, and other pools: what was known of them is forgotten.
    pub(crate) fn put_listing(&mut self, edition: i64, listing: Arc<Listing>) {
        self.pools.retain(|at, _| at.listing != listing.no);
        self.nos.insert(listing.id, listing.no);
        self.listings.insert(listing.no, (edition, listing));
    }

    pub(crate) fn forget_listing(&mut self, no: ListingNo) {
        self.listings.remove(&no);
    }

    pub(crate) fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.pools.get(&at).copied()
    }

    pub(crate) fn put_pools(&mut self, pools: impl IntoIterator<Item = (PoolRef, Pool)>) {
        if self.pools.len() >= MAX_POOLS {
            self.pools.clear();
        }
        self.pools.extend(pools);
    }

    pub(crate) fn forget_pools(&mut self, pools: impl IntoIterator<Item = PoolRef>) {
        for at in pools {
            self.pools.remove(&at);
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
