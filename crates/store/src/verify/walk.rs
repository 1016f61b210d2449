//! Through all bookings, in short snapshots; `mod.rs` says how the sums come to stand where the counters stand.

use std::collections::{BTreeMap, BTreeSet};

use lastseat_core::booking::{Booking, fold};
use lastseat_core::id::{BookingId, BookingNo, ListingNo};
use lastseat_core::secret::MAX_BOOKING_NO;

use super::booking::{Listings, check, listings, steps};
use super::report::{MAX_BROKEN, Report, Rule};
use super::sums::Sums;
use super::waitlist::{self, Offers};
use crate::error::StoreError;
use crate::read::{Read, StoredEvent};

/// Most broken things that are asked for at a time.
#[allow(clippy::cast_possible_truncation, reason = "a hundred")]
const MOST: u32 = MAX_BROKEN as u32;

/// How far a check of everything has come.
pub(super) struct Walk {
    report: Report,
    sums: Sums,
    listings: Listings,
    /// Of each page: its last booking, and the events that its snapshot had seen.
    pages: Vec<(BookingNo, Seen)>,
    /// Every booking of a page stands where its page stood, or here, whichever is later.
    followed: i64,
    /// How far the log was looked through for bookings that are gone.
    logged: i64,
    offers: Offers,
}

/// Which events a snapshot shows: those of a booking are always its first ones.
#[derive(Clone, Default)]
struct Seen {
    /// The place of the newest one that has a place in the log.
    placed: i64,
    /// The numbers of those that have none yet.
    unplaced: BTreeSet<i64>,
}

impl Seen {
    fn of(read: &dyn Read) -> Result<Self, StoreError> {
        let unplaced = read.unplaced()?.iter().map(|event| event.no).collect();
        Ok(Self { placed: read.last_event()?, unplaced })
    }

    /// Those up to a place, and no others.
    const fn up_to(placed: i64) -> Self {
        Self { placed, unplaced: BTreeSet::new() }
    }

    /// How many of a booking's events it shows.
    fn count(&self, events: &[StoredEvent]) -> usize {
        let shows = |event: &StoredEvent| {
            (event.place > 0 && event.place <= self.placed) || self.unplaced.contains(&event.no)
        };
        events.iter().take_while(|event| shows(event)).count()
    }
}

impl Walk {
    pub(super) fn begin(read: &dyn Read) -> Result<Self, StoreError> {
        Ok(Self {
            report: Report::default(),
            sums: Sums::default(),
            listings: listings(read)?,
            pages: Vec::new(),
            followed: read.last_event()?,
            logged: 0,
            offers: Offers::default(),
        })
    }

    /// Reads the next page. Whether there may be more.
    pub(super) fn page(&mut self, read: &dyn Read, limit: u32) -> Result<bool, StoreError> {
        let after = self.pages.last().map_or(BookingNo(0), |(last, _)| *last);
        let seen = Seen::of(read)?;
        let page = read.all_bookings(after, limit)?;
        for booking in &page {
            check(read, booking, &mut self.listings, &mut self.report)?;
            self.add(read, booking, 1)?;
        }
        let more = page.len() >= limit as usize;
        // Whatever comes after the last page was made after it was read.
        let last = if more { page.last().map_or(after, |booking| booking.no) } else { BookingNo(i64::MAX) };
        self.pages.push((last, seen));
        Ok(more)
    }

    /// Looks through the next entries of waitlists. Whether there may be more.
    pub(super) fn offers(&mut self, read: &dyn Read) -> Result<bool, StoreError> {
        self.offers.page(read, &mut self.report)
    }

    /// Looks through the next places of the log for bookings that are gone. Whether there may be more.
    pub(super) fn log(&mut self, read: &dyn Read, places: i64) -> Result<bool, StoreError> {
        let last = read.last_event()?;
        let to = last.min(self.logged.saturating_add(places));
        for no in read.lost_bookings(self.logged, to, MOST)? {
            if let Some(booking) = read.booking_at(no)? {
                self.report.broken(Rule::LogFoldsToRows, booking.id.to_string());
            } else {
                let name = lost(read, no)?;
                self.report.check(Rule::LogFoldsToRows, false, || name);
            }
        }
        self.logged = to;
        Ok(to < last)
    }

    /// Follows the next events. Whether there may be more; if not, the sums stand where this snapshot stands.
    pub(super) fn follow(&mut self, read: &dyn Read, limit: u32) -> Result<bool, StoreError> {
        let from = self.followed;
        let mut events = read.events(from, None, limit)?;
        let more = events.len() >= limit as usize;
        let to = if more {
            Seen::up_to(events.last().map_or(from, |event| event.place))
        } else {
            // What has no place yet counts already.
            events.extend(read.unplaced()?);
            Seen::of(read)?
        };
        let mut changed: BTreeMap<BookingNo, (BookingId, ListingNo)> = BTreeMap::new();
        for event in &events {
            if let Some((no, id)) = event.booking {
                changed.insert(no, (id, event.listing));
            }
        }
        let from = Seen::up_to(from);
        for (no, (id, listing)) in changed {
            let events = read.booking_events(no)?;
            let in_page = self.page_of(no).map_or(0, |page| page.count(&events));
            let (old, new) = (in_page.max(from.count(&events)), in_page.max(to.count(&events)));
            if old == new {
                continue;
            }
            let as_of =
                |count: usize| steps(&events[..count]).and_then(|steps| fold(no, id, listing, &steps));
            // A log that cannot be folded is told by its own rule.
            if let Some(old) = as_of(old) {
                self.add(read, &old, -1)?;
            }
            if let Some(new) = as_of(new) {
                self.add(read, &new, 1)?;
            }
        }
        self.followed = to.placed;
        Ok(more)
    }

    /// Compares the sums with what is counted, in the snapshot in which they stand.
    pub(super) fn finish(mut self, read: &dyn Read) -> Result<Report, StoreError> {
        // What has come since.
        self.log(read, i64::MAX)?;
        let Self { report, sums, listings, .. } = &mut self;
        for listing in read.listings()? {
            sums.check_listing(read, &listing, report)?;
            waitlist::check(read, &listing, report)?;
            // Where counting began while the bookings were read, there is nothing to compare with yet.
            let before = listings.get(&listing.no);
            if before.is_none_or(|before| before.doc.counts_customers == listing.doc.counts_customers) {
                sums.check_customers(read, &listing, report)?;
            }
        }
        sums.check_addresses(read, report)?;
        let (keys, broken) = read.broken_keys(MOST)?;
        report.saw_many(Rule::KeysAreUnique, keys);
        for key in broken {
            report.broken(Rule::KeysAreUnique, key);
        }
        Ok(self.report)
    }

    /// What a booking's page had seen.
    fn page_of(&self, no: BookingNo) -> Option<&Seen> {
        let index = self.pages.partition_point(|(last, _)| *last < no);
        self.pages.get(index).map(|(_, seen)| seen)
    }

    fn add(&mut self, read: &dyn Read, booking: &Booking, sign: i64) -> Result<(), StoreError> {
        if !self.listings.contains_key(&booking.listing) {
            // It was made since the listings were read.
            self.listings.extend(listings(read)?);
        }
        let missing = || StoreError::Corrupt(format!("booking {} has no listing", booking.id));
        let listing = self.listings.get(&booking.listing).ok_or_else(missing)?;
        self.sums.add(booking, listing, sign);
        Ok(())
    }
}

/// What a booking is called of which there is only its number: its id is gone with its row.
fn lost(read: &dyn Read, no: BookingNo) -> Result<String, StoreError> {
    if (1..=MAX_BOOKING_NO).contains(&no.0) {
        return Ok(format!("booking {} (reference {}), which is gone", no.0, read.secret()?.reference(no)));
    }
    Ok(format!("booking {}, which is gone", no.0))
}
