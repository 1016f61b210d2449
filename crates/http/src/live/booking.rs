//! How a booking stands, live.

use std::sync::Arc;
use std::time::Duration;

use lastseat_core::booking::Booking;
use lastseat_core::id::{BookingId, ListingNo};
use lastseat_core::listing::Listing;
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
    listing: ListingNo,
    name: String,
}

/// A booking with the listing that it has its times from; none while that is just being loaded.
pub(crate) struct Stand {
    booking: Booking,
    listing: Option<Arc<Listing>>,
}

impl Stand {
    /// The version of the listing that last moved the booking's times.
    fn times_version(&self) -> Option<u64> {
        self.listing.as_ref().and_then(|listing| listing.doc.times_version)
    }
}

impl BookingSource {
    /// This booking.
    pub(crate) fn new(engine: &Engine, booking: &Booking) -> Self {
        let Booking { id, listing, .. } = *booking;
        Self { engine: engine.clone(), id, listing, name: format!("booking:{id}") }
    }

    /// The listing that it belongs to.
    pub(crate) const fn listing(&self) -> ListingNo {
        self.listing
    }

    /// The booking with its listing as that is now.
    pub(crate) fn with_listing(&self, booking: Booking) -> Stand {
        Stand { booking, listing: self.engine.listing_at(self.listing) }
    }

    fn frame(&self, Stand { booking, listing }: &Stand, extent: Extent) -> Frame {
        let (version, data) = match listing {
            Some(listing) => {
                let view = BookingView::new(&self.engine, listing, booking);
                (listing.sequence_of(booking.version), to_bytes(&view))
            }
            None => (u64::from(booking.version), "null".into()),
        };
        Frame::new(&self.name, EVENT, extent, version, data)
    }
}

impl Source for BookingSource {
    type State = Stand;

    async fn load(&self) -> Result<Option<Stand>, Refusal> {
        Ok(self.engine.booking(self.id).await?.map(|booking| self.with_listing(booking)))
    }

    fn snapshot(&self, state: &Stand) -> Frame {
        self.frame(state, Extent::Snapshot)
    }

    fn change(&self, old: &Stand, new: &Stand) -> Option<Frame> {
        let same = old.booking == new.booking && old.times_version() == new.times_version();
        (!same).then(|| self.frame(new, Extent::Change))
    }

    fn look_every(&self, state: &Stand) -> Duration {
        if state.booking.state.holds() { LOOK_EVERY } else { LOOK_SELDOM }
    }
}
