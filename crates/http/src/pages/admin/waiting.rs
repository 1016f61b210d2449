//! The bookings that wait for an operator, the most urgent first.

use lastseat_core::booking::{Booking, State};
use lastseat_core::time::Time;
use lastseat_engine::BookingQuery;

use crate::pages::error::PageError;
use crate::pages::visit::Visit;

/// Bookings that are asked for at once.
const PAGE: u32 = 200;
/// Most bookings that are put in order; there is little use in a longer list for a person.
const MAX_WAITING: usize = 2_000;

/// The bookings that wait.
#[derive(Default)]
pub(super) struct Waiting {
    /// The most urgent first.
    pub bookings: Vec<Booking>,
    /// Whether there are more than are put in order.
    pub more: bool,
}

impl Waiting {
    /// How many, in words.
    pub(super) fn count(&self) -> String {
        format!("{}{}", self.bookings.len(), if self.more { "+" } else { "" })
    }

    /// When the first of them lapses.
    pub(super) fn first_due(&self) -> Option<Time> {
        self.bookings.first().and_then(|booking| booking.deadline)
    }
}

/// All bookings in review.
///
/// # Errors
/// `503` if the store fails.
pub(super) async fn all(visit: &Visit) -> Result<Waiting, PageError> {
    let mut waiting = Waiting::default();
    let mut query = BookingQuery { state: Some(State::InReview), ..BookingQuery::default() };
    loop {
        let page = visit.engine().bookings(query.clone(), PAGE).await?;
        let full = page.len() == PAGE as usize;
        query.before = page.last().map(|booking| booking.no);
        waiting.bookings.extend(page);
        waiting.more = full && waiting.bookings.len() >= MAX_WAITING;
        if !full || waiting.more {
            waiting.bookings.sort_by_key(|booking| (booking.deadline, booking.no));
            return Ok(waiting);
        }
    }
}
