//! A part at a time, for an auditor in the background.

use std::collections::BTreeSet;

use lastseat_core::id::{BookingNo, ListingNo};

use super::booking::{check, listings};
use super::report::Report;
use super::sums::{Sums, check_held};
use crate::error::StoreError;
use crate::read::{BookingFilter, Read};

/// Most listings whose pools are looked at in one sample.
const MAX_LISTINGS: usize = 4;

/// What was found in a sample.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// What was found.
    pub report: Report,
    /// How many bookings were looked at.
    pub bookings: u64,
    /// Where the next sample begins; 0 when it begins anew.
    pub next: BookingNo,
}

/// Checks at most `limit` bookings after `after`, each by itself, and the pools of a few of their listings: the
/// whole of a listing that has no more bookings than `limit`, else the held units, which are cheap to sum. All in
/// one snapshot.
///
/// # Errors
/// If the store fails.
pub fn verify_sample(read: &dyn Read, after: BookingNo, limit: u32) -> Result<Sample, StoreError> {
    let mut report = Report::default();
    let mut known = listings(read)?;
    let page = read.all_bookings(after, limit)?;
    let mut touched: BTreeSet<ListingNo> = BTreeSet::new();
    for booking in &page {
        check(read, booking, &mut known, &mut report)?;
        touched.insert(booking.listing);
    }
    for no in touched.into_iter().take(MAX_LISTINGS) {
        let Some(listing) = known.get(&no) else { continue };
        let filter = BookingFilter { listing: Some(no), ..BookingFilter::default() };
        let bookings = read.bookings(&filter, limit.saturating_add(1))?;
        if bookings.len() > limit as usize {
            check_held(read, listing, &mut report)?;
            continue;
        }
        let mut sums = Sums::default();
        for booking in &bookings {
            sums.add(booking, listing, 1);
        }
        sums.check_listing(read, listing, &mut report)?;
        sums.check_customers(read, listing, &mut report)?;
    }
    let more = page.len() >= limit as usize;
    let next = page.last().filter(|_| more).map_or(BookingNo(0), |booking| booking.no);
    Ok(Sample { report, bookings: page.len() as u64, next })
}
