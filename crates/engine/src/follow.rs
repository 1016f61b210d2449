//! Where several nodes write to one store: a thread that follows what the others commit, so that catalog, caches and
//! live streams of this node know it, and that looks what is due that nobody here has made.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lastseat_core::id::{KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::time::Time;
use lastseat_store::{ApiKey, Follow, Followed, StoreError};

use crate::engine::{Engine, Shared};
use crate::lane::Committed;

/// How often the others' commits are asked for.
const POLL_EVERY: Duration = Duration::from_millis(60);
/// The pause after a poll that failed.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How often it is looked what is due.
const LOOK_FOR_DUE_EVERY: Duration = Duration::from_millis(500);
/// How long somebody waits for what may have been committed elsewhere a moment ago.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(1);

/// What the other nodes have left to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Left {
    pub(crate) next_due: Option<Time>,
    pub(crate) renewing: bool,
}

/// Starts to follow, until the engine is gone or drained.
pub(crate) fn start(shared: &Arc<Shared>, follow: Box<dyn Follow>) -> Result<(), StoreError> {
    let weak = Arc::downgrade(shared);
    let spawned = std::thread::Builder::new().name("follower".to_owned()).spawn(move || run(&weak, follow));
    spawned.map(drop).map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))
}

fn run(weak: &Weak<Shared>, mut follow: Box<dyn Follow>) {
    let mut looked = None::<Instant>;
    let mut healthy = true;
    // Whether something was followed that could not be made known.
    let mut missed = false;
    loop {
        let Some(shared) = weak.upgrade().filter(|shared| !shared.is_draining()) else { return };
        let begun = Instant::now();
        let polled = follow.poll().and_then(|mut followed| {
            followed.lost_track |= std::mem::replace(&mut missed, true);
            shared.apply(followed)?;
            missed = false;
            *shared.followed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = begun;
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK_FOR_DUE_EVERY) {
                looked = Some(Instant::now());
                let read = shared.store.reader()?;
                let left = Left { next_due: read.next_due()?, renewing: read.is_renewing()? };
                *shared.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(left);
            }
            Ok(())
        });
        match &polled {
            Ok(()) => shared.polls.send_modify(|polls| *polls += 1),
            Err(error) if healthy => tracing::warn!(%error, "cannot follow the other nodes; trying on"),
            Err(_) => {}
        }
        if polled.is_ok() && !healthy {
            tracing::info!("following the other nodes again");
        }
        healthy = polled.is_ok();
        drop(shared);
        std::thread::sleep(if healthy { POLL_EVERY } else { RETRY_AFTER });
    }
}

impl Shared {
    /// Whether all is known here that was committed anywhere so long ago.
    pub(crate) fn knows_all_before(&self, ago: Duration) -> bool {
        let followed = || *self.followed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        !self.follows || followed().elapsed() <= ago
    }

    /// Makes known what others have committed.
    fn apply(&self, followed: Followed) -> Result<(), StoreError> {
        let Followed { inventory, listings, bookings, keys, events, lost_track } = followed;
        if lost_track || !listings.is_empty() {
            let wanted = |listing: &Listing| lost_track || listings.contains(&listing.no);
            let all = self.store.reader()?.listings()?;
            self.catalog
                .put_listings(all.into_iter().filter(|listing| wanted(listing)).map(Arc::new).collect());
        }
        if lost_track || keys {
            self.catalog.reload_keys(self.store.as_ref())?;
        }
        if lost_track {
            self.availability.changed_all();
        }
        let inventory: Vec<ListingNo> = inventory.into_iter().collect();
        self.availability.changed(&inventory);
        let news = events || lost_track || !inventory.is_empty() || !listings.is_empty();
        if news && self.watchers.receiver_count() > 0 {
            let (listings, bookings) = (listings.into_iter().collect(), bookings.into_iter().collect());
            let committed = Committed { inventory, listings, bookings, events, lost_track };
            // An error means that nobody watches any more.
            let _ = self.watchers.send(Arc::new(committed));
        }
        Ok(())
    }
}

impl Engine {
    /// Whether other nodes may write to the store, so that what is not known here may be there.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.shared.follows
    }

    /// Waits until this node knows what was committed anywhere before this call, as far as it follows others.
    async fn catch_up(&self) {
        if !self.shared.follows {
            return;
        }
        let mut polls = self.shared.polls.subscribe();
        // The one that runs may have begun before.
        let wanted = *polls.borrow() + 2;
        let _ = tokio::time::timeout(CATCH_UP_LIMIT, polls.wait_for(|polls| *polls >= wanted)).await;
    }

    /// A listing, also one that another node has made just now.
    pub async fn find_listing(&self, id: ListingId) -> Option<Arc<Listing>> {
        if let Some(listing) = self.listing(id) {
            return Some(listing);
        }
        self.catch_up().await;
        self.listing(id)
    }

    /// The API key whose secret has this SHA-256, also one that another node has made just now.
    pub async fn find_key(&self, hash: &[u8; 32]) -> Option<Arc<ApiKey>> {
        if let Some(key) = self.key(hash) {
            return Some(key);
        }
        self.catch_up().await;
        self.key(hash)
    }

    /// The API key of that id, also one that another node has made just now.
    pub async fn find_key_by_id(&self, id: KeyId) -> Option<Arc<ApiKey>> {
        if let Some(key) = self.key_by_id(id) {
            return Some(key);
        }
        self.catch_up().await;
        self.key_by_id(id)
    }

    /// Sees to it that the listing of a booking is known.
    pub(crate) async fn know(&self, no: ListingNo) {
        if self.listing_at(no).is_none() {
            self.catch_up().await;
        }
    }
}
