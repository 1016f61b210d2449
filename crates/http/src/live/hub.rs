//! The topics that somebody watches, and what wakes them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lastseat_core::id::{BookingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Refusal;
use lastseat_engine::{Committed, Engine};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::booking::BookingSource;
use super::listing::ListingSource;
use super::topic::{Source, Subscription, Topic};
use super::waitlist::EntrySource;

/// All topics that are looked after.
#[derive(Clone)]
pub(crate) struct Hub {
    engine: Engine,
    closing: CancellationToken,
    listings: Topics<ListingNo, ListingSource>,
    bookings: Topics<BookingId, BookingSource>,
    entries: Topics<WaitlistId, EntrySource>,
}

impl Hub {
    /// Begins to follow the commits of an engine, until `closing` is cancelled. Within a Tokio runtime.
    pub(crate) fn start(engine: &Engine, closing: &CancellationToken) -> Self {
        let hub = Self {
            engine: engine.clone(),
            closing: closing.clone(),
            listings: Topics::default(),
            bookings: Topics::default(),
            entries: Topics::default(),
        };
        let following = hub.clone();
        tokio::spawn(hub.closing.clone().run_until_cancelled_owned(async move { following.follow().await }));
        hub
    }

    async fn follow(&self) {
        let mut commits = self.engine.subscribe();
        loop {
            match commits.recv().await {
                Ok(committed) => self.touch(&committed),
                Err(RecvError::Lagged(_)) => {
                    self.listings.touch_all();
                    self.bookings.touch_all();
                    self.entries.touch_all();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn touch(&self, committed: &Committed) {
        if committed.lost_track {
            self.listings.touch_all();
            self.bookings.touch_all();
            self.entries.touch_all();
            return;
        }
        self.listings.touch(committed.inventory.iter().chain(&committed.listings));
        self.bookings.touch(&committed.bookings);
        // How many are ahead may have changed for everybody who waits there.
        self.entries.touch_where(|source| committed.inventory.contains(&source.listing()));
        if !committed.listings.is_empty() {
            // Its times may have moved, and those of its bookings with them.
            self.bookings.touch_where(|source| committed.listings.contains(&source.listing()));
        }
    }

    /// Watches what can be had of a listing; `seen` is the last version that the watcher knows.
    ///
    /// # Errors
    /// `503 unavailable` if it cannot be asked for.
    pub(crate) async fn listing(
        &self,
        listing: &Arc<Listing>,
        seen: Option<u64>,
    ) -> Result<Subscription<ListingSource>, Refusal> {
        if let Some(topic) = self.listings.get(listing.no) {
            return Ok(topic.watch(seen));
        }
        let source = ListingSource::new(&self.engine, listing.no, format!("listing:{}", listing.id));
        let state = self.engine.availability(listing).await?;
        Ok(self.listings.open(listing.no, Topic::new(source, state), seen, &self.closing))
    }

    /// Watches a booking. Whether the watcher may was checked.
    ///
    /// # Errors
    /// `404 not_found`, `503 unavailable`.
    pub(crate) async fn booking(&self, id: BookingId) -> Result<Subscription<BookingSource>, Refusal> {
        if let Some(topic) = self.bookings.get(id) {
            return Ok(topic.watch(None));
        }
        let booking = self.engine.booking(id).await?.ok_or_else(|| Refusal::not_found("booking"))?;
        let source = BookingSource::new(&self.engine, &booking);
        let state = source.with_listing(booking);
        Ok(self.bookings.open(id, Topic::new(source, state), None, &self.closing))
    }
}

/// Entries of waitlists.
impl Hub {
    /// Watches an entry of a waitlist. Whether the watcher may was checked.
    ///
    /// # Errors
    /// `404 not_found`, `503 unavailable`.
    pub(crate) async fn entry(&self, id: WaitlistId) -> Result<Subscription<EntrySource>, Refusal> {
        if let Some(topic) = self.entries.get(id) {
            return Ok(topic.watch(None));
        }
        let missing = || Refusal::not_found("waitlist entry");
        let entry = self.engine.waitlist_entry(id).await?.ok_or_else(missing)?;
        let source = EntrySource::new(&self.engine, &entry);
        Ok(self.entries.open(id, Topic::new(source, entry), None, &self.closing))
    }
}

/// The topics of one kind.
struct Topics<K, S: Source>(Arc<Mutex<HashMap<K, Arc<Topic<S>>>>>);

impl<K, S: Source> Clone for Topics<K, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, S: Source> Default for Topics<K, S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static, S: Source> Topics<K, S> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Topic<S>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: K) -> Option<Arc<Topic<S>>> {
        self.lock().get(&key).cloned()
    }

    fn touch<'a>(&self, keys: impl IntoIterator<Item = &'a K>) {
        let topics = self.lock();
        if topics.is_empty() {
            return;
        }
        keys.into_iter().filter_map(|key| topics.get(key)).for_each(|topic| topic.touch());
    }

    fn touch_where(&self, wanted: impl Fn(&S) -> bool) {
        self.lock().values().filter(|topic| wanted(topic.source())).for_each(|topic| topic.touch());
    }

    fn touch_all(&self) {
        self.lock().values().for_each(|topic| topic.touch());
    }

    /// Watches a new topic, or the one that somebody else has opened meanwhile.
    fn open(&self, key: K, new: Topic<S>, seen: Option<u64>, closing: &CancellationToken) -> Subscription<S> {
        let mut topics = self.lock();
        if let Some(topic) = topics.get(&key) {
            return topic.watch(seen);
        }
        let topic = Arc::new(new);
        topics.insert(key, Arc::clone(&topic));
        // What was committed between the question and now would otherwise be missed.
        topic.touch();
        let all = self.clone();
        let over = move |topic: &Topic<S>| {
            let mut topics = all.lock();
            let over = topic.watchers() == 0;
            if over {
                topics.remove(&key);
            }
            over
        };
        tokio::spawn(closing.clone().run_until_cancelled_owned(Arc::clone(&topic).run(over)));
        topic.watch(seen)
    }
}
