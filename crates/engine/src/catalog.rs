//! Listings and API keys in memory: there are few of them, and every request asks for one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use lastseat_core::id::{KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_store::{ApiKey, Read, Store, StoreError};

/// What is known at one moment.
#[derive(Clone, Debug, Default)]
struct Known {
    listings: BTreeMap<ListingNo, Arc<Listing>>,
    listing_nos: HashMap<ListingId, ListingNo>,
    keys: HashMap<[u8; 32], Arc<ApiKey>>,
}

/// Listings and keys as of the last commit.
#[derive(Debug)]
pub(crate) struct Catalog {
    known: ArcSwap<Known>,
    /// Held while it is changed: the lane and whoever follows other nodes both do so, and neither may put back what the
    /// other has replaced.
    changing: Mutex<()>,
}

impl Catalog {
    pub(crate) fn load(read: &dyn Read) -> Result<Self, StoreError> {
        let mut known = Known::default();
        for listing in read.listings()? {
            known.put(Arc::new(listing));
        }
        known.keys = keys(read)?;
        Ok(Self { known: ArcSwap::from_pointee(known), changing: Mutex::default() })
    }

    pub(crate) fn listing(&self, id: ListingId) -> Option<Arc<Listing>> {
        let known = self.known.load();
        known.listings.get(known.listing_nos.get(&id)?).cloned()
    }

    pub(crate) fn listing_at(&self, no: ListingNo) -> Option<Arc<Listing>> {
        self.known.load().listings.get(&no).cloned()
    }

    pub(crate) fn listings(&self) -> Vec<Arc<Listing>> {
        self.known.load().listings.values().cloned().collect()
    }

    /// Keys are found by the digest of their secret: whoever compares digests learns nothing of a secret.
    pub(crate) fn key(&self, hash: &[u8; 32]) -> Option<Arc<ApiKey>> {
        self.known.load().keys.get(hash).cloned()
    }

    pub(crate) fn key_by_id(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        self.known.load().keys.values().find(|key| key.id == id).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<_> = self.known.load().keys.values().cloned().collect();
        keys.sort_by_key(|key| key.id);
        keys
    }

    /// Those of `listings` that are not known, or in an older version.
    pub(crate) fn unknown<'a>(&self, listings: impl Iterator<Item = &'a Arc<Listing>>) -> Vec<Arc<Listing>> {
        let known = self.known.load();
        let is_known = |listing: &Arc<Listing>| {
            known.listings.get(&listing.no).is_some_and(|known| age(known) >= age(listing))
        };
        listings.filter(|listing| !is_known(listing)).cloned().collect()
    }

    pub(crate) fn put_listings(&self, listings: Vec<Arc<Listing>>) {
        if listings.is_empty() {
            return;
        }
        let _changing = self.changing();
        let mut known = Known::clone(&self.known.load());
        for listing in listings {
            known.put(listing);
        }
        self.known.store(Arc::new(known));
    }

    /// Reads the keys anew.
    pub(crate) fn reload_keys(&self, store: &dyn Store) -> Result<(), StoreError> {
        // What is read later is stored later.
        let _changing = self.changing();
        let keys = keys(store.reader()?.as_ref())?;
        let known = Known { keys, ..Known::clone(&self.known.load()) };
        self.known.store(Arc::new(known));
        Ok(())
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Puts in a listing, unless a later version of it is known.
    fn put(&mut self, listing: Arc<Listing>) {
        if self.listings.get(&listing.no).is_some_and(|known| age(known) > age(&listing)) {
            return;
        }
        self.listing_nos.insert(listing.id, listing.no);
        self.listings.insert(listing.no, listing);
    }
}

/// Grows with whatever changes what is known of a listing: its edits, then changes of the numbers that it shows.
fn age(listing: &Listing) -> (u64, u64) {
    (listing.version, listing.doc.pools_version.unwrap_or(0))
}

fn keys(read: &dyn Read) -> Result<HashMap<[u8; 32], Arc<ApiKey>>, StoreError> {
    Ok(read.keys()?.into_iter().map(|key| (key.hash, Arc::new(key))).collect())
}
