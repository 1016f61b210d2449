//! The numbers of a listing: what is sold, held and left, and the money.

use lastseat_core::booking::State;
use lastseat_engine::Availability;
use lastseat_store::ListingNumbers;

use crate::pages::money;
use crate::pages::words::{self, Badge};

/// The numbers of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Units that exist.
    pub capacity: i64,
    /// Units that are sold.
    pub sold: i64,
    /// Units in holds and reviews.
    pub held: i64,
    /// Units that can be had now.
    pub left: i64,
    /// Units withheld from sale.
    pub blocked: i64,
    /// Units that nobody has and that are kept for those who wait.
    pub reserved: i64,
    /// How many wait.
    pub waiting: i64,
    /// Bookings that wait for an operator.
    pub in_review: i64,
    /// Money that came in and stays, in minor units.
    pub kept: i64,
    /// Money that has to go back, in minor units.
    pub refund_due: i64,
}

impl Figures {
    /// From what is left, and the bookings by state.
    pub(super) fn new(availability: &Availability, numbers: &ListingNumbers) -> Self {
        let pools = &availability.pools;
        let mut figures = Self {
            capacity: pools.iter().map(|pool| pool.capacity).sum(),
            sold: pools.iter().map(|pool| pool.confirmed).sum(),
            held: pools.iter().map(|pool| pool.held).sum(),
            left: pools.iter().map(|pool| pool.available).sum(),
            blocked: pools.iter().map(|pool| pool.blocked).sum(),
            reserved: pools.iter().map(|pool| pool.kept).sum(),
            waiting: availability.waiting,
            ..Self::default()
        };
        for (state, count, sums) in &numbers.by_state {
            figures.kept += sums.paid - sums.refund_due - sums.refunded;
            figures.refund_due += sums.refund_due;
            if *state == State::InReview {
                figures.in_review += count;
            }
        }
        figures
    }
}

/// The bookings of one state.
pub(super) struct ByState {
    /// The state.
    pub badge: Badge,
    /// Its name.
    pub name: &'static str,
    /// How many.
    pub count: i64,
    /// Their prices.
    pub total: String,
    /// What came in.
    pub paid: String,
    /// What has to go back.
    pub refund_due: String,
    /// What went back.
    pub refunded: String,
}

/// The bookings by state, those without any left out.
pub(super) fn by_state(numbers: &ListingNumbers, currency: &str) -> Vec<ByState> {
    let amount = |minor: i64| if minor == 0 { "–".to_owned() } else { money::number(minor, currency) };
    let of = |state: State| {
        let (_, count, sums) = numbers.by_state.iter().find(|(found, ..)| *found == state)?;
        (*count > 0).then(|| ByState {
            badge: words::state(state),
            name: state.as_str(),
            count: *count,
            total: amount(sums.total),
            paid: amount(sums.paid),
            refund_due: amount(sums.refund_due),
            refunded: amount(sums.refunded),
        })
    };
    State::ALL.into_iter().filter_map(of).collect()
}
