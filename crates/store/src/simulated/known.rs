//! What a lane knows of listings and pools from its last batches. Others may have changed it since.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastseat_core::id::{ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolRef};

#[derive(Default)]
pub(super) struct Known {
    /// With the edition that was in force when it was read.
    listings: BTreeMap<ListingNo, (i64, Arc<Listing>)>,
    pools: BTreeMap<PoolRef, Pool>,
}

impl Known {
    /// A listing with its edition.
    pub(super) fn listing(&self, id: ListingId) -> Option<(i64, Arc<Listing>)> {
        self.listings.values().find(|(_, listing)| listing.id == id).cloned()
    }

    /// The same by number.
    pub(super) fn listing_at(&self, no: ListingNo) -> Option<(i64, Arc<Listing>)> {
        self.listings.get(&no).cloned()
    }

    pub(super) fn put_listing(&mut self, edition: i64, listing: Arc<Listing>) {
        self.listings.insert(listing.no, (edition, listing));
    }

    pub(super) fn forget_listing(&mut self, no: ListingNo) {
        self.listings.remove(&no);
    }

    pub(super) fn pool(&self, at: PoolRef) -> Option<Pool> {
        self.pools.get(&at).copied()
    }

    pub(super) fn put_pool(&mut self, at: PoolRef, pool: Option<Pool>) {
        match pool {
            Some(pool) => self.pools.insert(at, pool),
            None => self.pools.remove(&at),
        };
    }

    /// Forgets the pools of a listing: another edition may have other prices and other pools.
    pub(super) fn forget_pools(&mut self, of: ListingNo) {
        self.pools.retain(|at, _| at.listing != of);
    }
}
