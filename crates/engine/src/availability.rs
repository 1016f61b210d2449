//! What can be had, per pool, from memory: made anew when a commit or the passing of time has changed it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lastseat_core::id::ListingNo;
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::refusal::Refusal;
use lastseat_core::time::Time;
use lastseat_store::{Hold, StoreError};

use crate::engine::Engine;

/// Longest time that an answer may be behind the commits.
const MAX_STALE: Duration = Duration::from_millis(150);
/// Making answers anew may take at most one part in so many of the time.
const EFFORT: u32 = 4;

/// What can be had of a listing.
#[derive(Clone, PartialEq, Debug)]
pub struct Availability {
    /// The listing.
    pub listing: Arc<Listing>,
    /// Counts changes of its inventory.
    pub version: u64,
    /// When this was true.
    pub as_of: Time,
    /// How many wait for what is sold out.
    pub waiting: i64,
    /// Its pools, in order.
    pub pools: Vec<PoolAvailability>,
}

/// What can be had of a pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolAvailability {
    /// The pool.
    pub no: PoolNo,
    /// Its key.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units that can be had now: 0 when the sale is over.
    pub available: i64,
    /// Units in live holds and reviews, overdue ones left out.
    pub held: i64,
    /// Units of confirmed and completed bookings.
    pub confirmed: i64,
    /// Units withheld from sale.
    pub blocked: i64,
    /// Units that nobody has and that are kept for those who wait.
    pub kept: i64,
    /// Price of a unit in minor units.
    pub price: i64,
    /// When it begins.
    pub starts_at: Option<Time>,
    /// When it ends.
    pub ends_at: Option<Time>,
    /// When the next live hold lapses.
    pub next_release_at: Option<Time>,
}

/// An answer, with how long it holds if nothing is committed.
#[derive(Clone)]
struct Made {
    answer: Arc<Availability>,
    generation: u64,
    made: Instant,
    took: Duration,
    until: Option<Time>,
}

#[derive(Default)]
struct Entry {
    generation: AtomicU64,
    made: tokio::sync::Mutex<Option<Made>>,
}

/// The answers of all listings that somebody asked about.
#[derive(Default)]
pub(crate) struct AvailabilityCache {
    entries: Mutex<HashMap<ListingNo, Arc<Entry>>>,
}

impl AvailabilityCache {
    fn entry(&self, of: ListingNo) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(entries.entry(of).or_default())
    }

    /// Notes that any pool may have changed.
    pub(crate) fn changed_all(&self) {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for entry in entries.values() {
            entry.generation.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Notes that the pools of these listings have changed.
    pub(crate) fn changed(&self, listings: &[ListingNo]) {
        let entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for entry in listings.iter().filter_map(|listing| entries.get(listing)) {
            entry.generation.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Engine {
    /// What can be had of a listing: as of the last commit where that costs little, and never more than
    /// 250 ms behind.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn availability(&self, of: &Arc<Listing>) -> Result<Arc<Availability>, Refusal> {
        let entry = self.shared.availability.entry(of.no);
        let mut made = entry.made.lock().await;
        let generation = entry.generation.load(Ordering::SeqCst);
        if let Some(known) = made.as_ref() {
            let true_still = known.generation == generation
                && known.answer.listing.version == of.version
                && known.until.is_none_or(|until| self.shared.store.clock() < until)
                && self.shared.knows_all_before(MAX_STALE);
            let recent = known.made.elapsed() < (known.took * EFFORT).min(MAX_STALE);
            if true_still || recent {
                return Ok(Arc::clone(&known.answer));
            }
        }
        let begun = Instant::now();
        let listing = self.listing_at(of.no).unwrap_or_else(|| Arc::clone(of));
        let (answer, until) = self
            .ask(move |read| {
                let (pools, holds) = (read.pools(listing.no)?, read.holds(listing.no)?);
                let version = read.inventory_version(listing.no)?;
                let waiting = read.list_numbers(listing.no)?.waiting;
                Ok::<_, StoreError>(make(listing, version, waiting, read.now(), &pools, &holds))
            })
            .await?;
        let answer = Arc::new(answer);
        *made =
            Some(Made { answer: Arc::clone(&answer), generation, made: begun, took: begun.elapsed(), until });
        Ok(answer)
    }
}

/// The answer from the rows, and until when it is true if nothing is committed.
fn make(
    listing: Arc<Listing>,
    version: u64,
    waiting: i64,
    now: Time,
    rows: &[(PoolNo, Pool)],
    holds: &[Hold],
) -> (Availability, Option<Time>) {
    let mut overdue = vec![0i64; rows.len()];
    let mut next: Vec<Option<Time>> = vec![None; rows.len()];
    for hold in holds {
        let from = rows.partition_point(|(no, _)| *no < PoolNo::new(hold.group, hold.first));
        let last = PoolNo::new(hold.group, hold.last);
        for index in (from..rows.len()).take_while(|index| rows[*index].0 <= last) {
            if hold.due_at <= now {
                overdue[index] += hold.quantity;
            } else if next[index].is_none_or(|known| hold.due_at < known) {
                next[index] = Some(hold.due_at);
            }
        }
    }
    let mut until = next.iter().flatten().min().copied();
    let mut sooner = |at: Option<Time>| {
        if let Some(at) = at.filter(|at| *at > now) {
            until = Some(until.map_or(at, |known| known.min(at)));
        }
    };
    sooner(listing.doc.sale_opens_at);
    let pools = rows
        .iter()
        .enumerate()
        .map(|(index, (no, pool))| {
            sooner(listing.sale_ends_at(*no));
            let held = pool.held - overdue[index];
            // What has lapsed goes to those who wait, as soon as it is swept.
            let kept = pool.kept + if waiting > 0 { overdue[index] } else { 0 };
            let free = pool.capacity - pool.blocked - pool.confirmed - held - kept;
            PoolAvailability {
                no: *no,
                key: listing.pool_key(*no),
                capacity: pool.capacity,
                available: if listing.on_sale(*no, now) { free.max(0) } else { 0 },
                held,
                confirmed: pool.confirmed,
                blocked: pool.blocked,
                kept,
                price: pool.price,
                starts_at: listing.pool_starts_at(*no),
                ends_at: listing.pool_ends_at(*no),
                next_release_at: next[index],
            }
        })
        .collect();
    (Availability { listing, version, as_of: now, waiting, pools }, until)
}
