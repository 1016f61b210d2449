//! The rules that hold after every step.

use std::collections::BTreeMap;

use lastseat_core::booking::{Booking, State, fold};
use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::settle::{due_at, settle};
use lastseat_core::waitlist::Entry;
use lastseat_core::world::{CustomerUse, counted};

use crate::bench::Bench;

/// All that can be seen of a world.
#[derive(PartialEq, Debug)]
pub(crate) struct Seen {
    bookings: Vec<Booking>,
    pools: Vec<(ListingNo, Vec<(PoolNo, Pool)>)>,
    listings: Vec<Listing>,
    customers: Vec<CustomerUse>,
    next: [Option<i64>; 2],
    entries: Vec<Entry>,
    changes: String,
}

impl Bench {
    pub(crate) fn seen(&self) -> Seen {
        let world = &self.world;
        let mut listings: Vec<Listing> =
            world.listings.values().map(|listing| Listing::clone(listing)).collect();
        listings.sort_by_key(|listing| listing.no);
        Seen {
            bookings: self.bookings(),
            pools: listings.iter().map(|listing| (listing.no, world.pools_of(listing.no))).collect(),
            entries: listings.iter().flat_map(|listing| self.entries(listing.no)).collect(),
            listings,
            customers: self.customers.iter().map(|of| world.customer(of)).collect(),
            next: [world.booking_numbers.peek(), world.listing_numbers.peek()],
            changes: format!("{:?}", world.changes),
        }
    }

    /// Every rule that can be seen between two commands.
    pub(crate) fn check(&self) {
        let bookings = self.bookings();
        self.check_pools(&bookings);
        self.check_customers(&bookings);
        self.check_waits();
        for booking in &bookings {
            self.check_booking(booking);
        }
    }

    /// No oversell, and counters are true: recounted from nothing but the states of the bookings.
    fn check_pools(&self, bookings: &[Booking]) {
        let mut sums: BTreeMap<(ListingNo, PoolNo), (i64, i64)> = BTreeMap::new();
        for booking in bookings {
            for line in booking.lines.iter() {
                let (held, confirmed) = sums.entry((booking.listing, line.pool)).or_default();
                match booking.state {
                    State::Held | State::InReview => *held += line.quantity,
                    State::Confirmed | State::Completed => *confirmed += line.quantity,
                    State::Expired | State::Rejected | State::Cancelled => {}
                }
            }
        }
        for listing in self.world.listings.values() {
            for (no, pool) in self.world.pools_of(listing.no) {
                let (held, confirmed) = sums.remove(&(listing.no, no)).unwrap_or_default();
                let key = listing.pool_key(no);
                assert!(
                    pool.held + pool.confirmed + pool.blocked <= pool.capacity,
                    "{key} is oversold: {pool:?}"
                );
                assert!(pool.is_sound() && pool.price >= 0, "{key}: {pool:?}");
                assert_eq!(
                    (pool.held, pool.confirmed),
                    (held, confirmed),
                    "the counters of {key} are not true"
                );
            }
        }
        sums.retain(|_, sum| *sum != (0, 0));
        assert!(sums.is_empty(), "units are claimed of pools that do not exist: {sums:?}");
    }

    fn check_customers(&self, bookings: &[Booking]) {
        let mut sums: BTreeMap<_, CustomerUse> = BTreeMap::new();
        for booking in bookings.iter().filter(|b| b.state.holds() || b.state.sells()) {
            for (of, units) in counted(booking, &self.world.listing_of(booking)) {
                let sum = sums.entry(of).or_default();
                sum.units += units;
                sum.open_holds += i64::from(booking.state.holds());
            }
        }
        for of in self.customers.iter().chain(sums.keys()) {
            let sum = sums.get(of).copied().unwrap_or_default();
            assert_eq!(self.world.customer(of), sum, "customer {of:?} is not counted");
        }
    }

    fn check_booking(&self, booking: &Booking) {
        let listing = self.world.listing_of(booking);
        self.check_money(booking);
        self.check_due(booking, &listing);
        self.check_log(booking);
        if booking.state == State::Expired {
            let mut again = booking.clone();
            assert_eq!(settle(&mut again, &listing, self.world.now), None);
        }
    }

    fn check_money(&self, booking: &Booking) {
        let sum =
            |payments: &[lastseat_core::booking::Payment]| payments.iter().map(|p| p.amount).sum::<i64>();
        assert_eq!(booking.paid, sum(&booking.details.payments), "{booking:?}");
        assert_eq!(booking.refunded, sum(&booking.details.refunds), "{booking:?}");
        assert_eq!(booking.paid, booking.applied() + booking.refund_due + booking.refunded);
        assert!(booking.refund_due >= 0 && booking.refunded >= 0, "{booking:?}");
        assert!(
            (0..=booking.total).contains(&booking.applied()),
            "more is applied than it costs: {booking:?}"
        );
        if matches!(booking.state, State::Cancelled | State::Rejected) {
            assert_eq!(booking.applied(), 0, "money is kept for nothing: {booking:?}");
        }
        assert_eq!(booking.total, booking.lines.total());
    }

    /// Whatever changes by itself says when; what does not, does not. The `due_at` that was written last is
    /// the one that would be computed now, but for bookings that are still to be renewed after an edit.
    fn check_due(&self, booking: &Booking, listing: &Listing) {
        assert_eq!(booking.deadline.is_some(), booking.state.holds(), "{booking:?}");
        let due = due_at(booking, listing);
        match booking.state {
            State::Held | State::InReview => assert!(due.is_some() && due <= booking.deadline),
            State::Confirmed if listing.doc.cancelled_at.is_none() => {
                assert_eq!(due, listing.ends_at(&booking.lines));
            }
            State::Confirmed => assert!(due.is_some()),
            _ => assert_eq!(due, None),
        }
        if self.renewing.get(&booking.listing).is_none_or(|through| *through < booking.no) {
            assert_eq!(self.stored_due[&booking.no], due, "{booking:?}");
        }
    }

    /// The log is complete: numbered without a gap, a version per transition, and its sum is the row.
    fn check_log(&self, booking: &Booking) {
        let BookingNo(no) = booking.no;
        let steps = &self.log[&booking.no];
        let folded = fold(booking.no, booking.id, booking.listing, steps).expect("the first event says all");
        assert_eq!(&folded, booking, "folding the events of booking {no} does not give its row");
        let numbers: Vec<u32> = steps.iter().map(|step| step.seq).collect();
        let expected: Vec<u32> = (1..=booking.events).collect();
        assert_eq!(numbers, expected);
        assert_eq!(steps[0].version, 1);
        for pair in steps.windows(2) {
            assert!(pair[1].version == pair[0].version || pair[1].version == pair[0].version + 1);
        }
        assert_eq!(steps.last().map(|step| step.version), Some(booking.version));
    }
}
