//! Checks every rule that must never break on what a store really holds. Read-only, also beside a running server.
//!
//! - [`report`]: what is checked, and how it is told
//! - `booking`: what one booking must fulfil by itself
//! - `sums`: what bookings add up to, to compare with counters
//! - `waitlist`: who waits, and what is kept for them
//! - `walk`: through all bookings, in short snapshots
//! - [`sample`]: a part at a time, for an auditor in the background
//!
//! **Snapshots.** A snapshot that is held open keeps a database from tidying up, and 5,000,000 bookings take a while.
//! So [`verify`] reads each page of bookings in a snapshot of its own. What a page says of one booking is consistent
//! by itself. Counters are not: bookings change between the pages and the moment at which the counters are read. But
//! the log says how. Each page notes the newest event that its snapshot had seen; afterwards the events since then
//! are followed, in snapshots of a few thousand events each, and whatever they changed is taken out of the sums as
//! it was and put in as it has become, both folded from the log. In the last snapshot, which is as short as the
//! others, the sums stand exactly where the counters stand.
//!
//! The other way round, from the log to the bookings, each snapshot looks at a stretch of the log: neither an event nor
//! a booking is ever taken away, so whatever snapshot shows an event shows its booking too.
//!
//! **Memory** grows with pools, live holds and counted customers, not with bookings.
//!
//! Holds that are overdue and were not swept yet are no violation. A listing's bookings whose `due_at` is still to be
//! renewed after an edit are none either.

mod booking;
pub mod report;
pub mod sample;
mod sums;
#[cfg(test)]
mod tests;
mod waitlist;
mod walk;

pub use report::{Check, Report, Rule};
pub use sample::{Sample, verify_sample};

use std::time::{Duration, Instant};

use crate::error::StoreError;
use crate::read::Read;
use crate::tx::Store;
use walk::Walk;

/// Bookings that are read in one snapshot.
const PAGE: u32 = 2_000;
/// Events that are followed in one snapshot.
const CHUNK: u32 = 5_000;
/// Places of the log that are looked through in the first snapshot for bookings that are gone. In some stores most places
/// are empty: more are looked through in the next as long as that takes no longer than [`QUICK`].
const LOG: i64 = 50_000;
/// How long a snapshot may stay open when nobody should notice.
const QUICK: Duration = Duration::from_millis(100);
/// Chunks after which the rest is followed in one snapshot: bookings come in faster than they can be followed.
const MAX_CHUNKS: u32 = 1_000;

/// Checks everything, in short snapshots.
///
/// # Errors
/// If the store fails. What is broken is no error: the report says it.
pub fn verify(store: &dyn Store) -> Result<Report, StoreError> {
    let mut walk = Walk::begin(store.reader()?.as_ref())?;
    while walk.page(store.reader()?.as_ref(), PAGE)? {}
    while walk.offers(store.reader()?.as_ref())? {}
    let mut places = LOG;
    loop {
        let begun = Instant::now();
        if !walk.log(store.reader()?.as_ref(), places)? {
            break;
        }
        places = if begun.elapsed() <= QUICK { places.saturating_mul(2) } else { LOG.max(places / 2) };
    }
    for _ in 0..MAX_CHUNKS {
        let read = store.reader()?;
        if !walk.follow(read.as_ref(), CHUNK)? {
            return walk.finish(read.as_ref());
        }
    }
    let read = store.reader()?;
    while walk.follow(read.as_ref(), CHUNK)? {}
    walk.finish(read.as_ref())
}

/// Checks everything in one snapshot: for stores that are small or still.
///
/// # Errors
/// If the store fails.
pub fn verify_snapshot(read: &dyn Read) -> Result<Report, StoreError> {
    let mut walk = Walk::begin(read)?;
    while walk.page(read, PAGE)? {}
    while walk.offers(read)? {}
    walk.finish(read)
}
