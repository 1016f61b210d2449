//! How a booking stands, live.

use std::time::Duration;

use lastseat_core::booking::Booking;
use lastseat_core::id::BookingId;
use lastseat_core::refusal::Refusal;
use lastseat_engine::Engine;

use super::frame::{Extent, Frame};
use super::topic::Source;
use crate::respond::to_bytes;
use crate::view::BookingView;

/// How event streams call it.
const EVENT: &str = "booking";
/// How often to look at a booking with a deadline although nothing was committed here.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// And at one that time alone hardly changes.
const LOOK_SELDOM: Duration = Duration::from_secs(60);

/// A booking.
pub(crate) struct BookingSource {
    engine: Engine,
    id: BookingId,
    name: String,
}

impl BookingSource {
    /// This booking.
    pub(crate) fn new(engine: &Engine, id: BookingId, name: String) -> Self {
        Self { engine: engine.clone(), id, name }
    }

    fn frame(&self, booking: &Booking, extent: Extent) -> Frame {
        let listing = self.engine.listing_at(booking.listing);
        let data = listing.map(|listing| to_bytes(&BookingView::new(&self.engine, &listing, booking)));
        let data = data.unwrap_or_else(|| "null".into());
        Frame::new(&self.name, EVENT, extent, u64::from(booking.version), data)
    }
}

impl Source for BookingSource {
    type State = Booking;

    async fn load(&self) -> Result<Option<Booking>, Refusal> {
        self.engine.booking(self.id).await
    }

    fn snapshot(&self, state: &Booking) -> Frame {
        self.frame(state, Extent::Snapshot)
    }

    fn change(&self, old: &Booking, new: &Booking) -> Option<Frame> {
        (old != new).then(|| self.frame(new, Extent::Change))
    }

    fn look_every(&self, state: &Booking) -> Duration {
        if state.state.holds() { LOOK_EVERY } else { LOOK_SELDOM }
    }
}
