//! What can be had of a listing, live.

use std::sync::Arc;
use std::time::Duration;

use lastseat_core::id::ListingNo;
use lastseat_core::refusal::Refusal;
use lastseat_engine::{Availability, Engine, PoolAvailability};

use super::frame::{Extent, Frame};
use super::topic::Source;
use crate::respond::to_bytes;
use crate::view::AvailabilityView;

/// How event streams call it.
const EVENT: &str = "availability";
/// How often to look without a commit: time alone ends sales and lets holds lapse. Asking costs nothing while
/// the last answer holds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The availability of a listing.
pub(crate) struct ListingSource {
    engine: Engine,
    no: ListingNo,
    name: String,
}

impl ListingSource {
    /// The availability of this listing.
    pub(crate) fn new(engine: &Engine, no: ListingNo, name: String) -> Self {
        Self { engine: engine.clone(), no, name }
    }

    fn frame<'a>(
        &self,
        of: &'a Availability,
        pools: impl IntoIterator<Item = &'a PoolAvailability>,
        extent: Extent,
    ) -> Frame {
        let full = Some(extent == Extent::Snapshot);
        let view = AvailabilityView { full, ..AvailabilityView::new(of, pools) };
        Frame::new(&self.name, EVENT, extent, of.version, to_bytes(&view))
    }
}

impl Source for ListingSource {
    type State = Arc<Availability>;

    async fn load(&self) -> Result<Option<Self::State>, Refusal> {
        match self.engine.listing_at(self.no) {
            Some(listing) => self.engine.availability(&listing).await.map(Some),
            None => Ok(None),
        }
    }

    fn snapshot(&self, state: &Self::State) -> Frame {
        self.frame(state, &state.pools, Extent::Snapshot)
    }

    fn change(&self, old: &Self::State, new: &Self::State) -> Option<Frame> {
        if Arc::ptr_eq(old, new) {
            return None;
        }
        let same_pools = old.pools.len() == new.pools.len()
            && old.pools.iter().zip(&new.pools).all(|(old, new)| old.no == new.no);
        if !same_pools {
            return Some(self.snapshot(new));
        }
        let pairs = old.pools.iter().zip(&new.pools);
        let changed: Vec<_> = pairs.filter(|(old, new)| old != new).map(|(_, new)| new).collect();
        // A version without changed pools is told too: it is what clients come back with. And how many wait.
        let told = !changed.is_empty() || old.version != new.version || old.waiting != new.waiting;
        told.then(|| self.frame(new, changed, Extent::Change))
    }

    fn look_every(&self, _: &Self::State) -> Duration {
        LOOK_EVERY
    }
}
