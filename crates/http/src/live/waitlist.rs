//! How an entry of a waitlist stands, live.

use std::time::Duration;

use lastseat_core::command::Actor;
use lastseat_core::id::{ListingNo, WaitlistId};
use lastseat_core::refusal::Refusal;
use lastseat_engine::{Engine, WaitlistEntry};

use super::frame::{Extent, Frame};
use super::topic::Source;
use crate::respond::to_bytes;
use crate::view::EntryView;

/// How event streams call it.
const EVENT: &str = "waitlist";
/// How often to look at an entry that may change by time alone.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// And at one that has come to its end.
const LOOK_SELDOM: Duration = Duration::from_secs(60);
/// The pause between two looks: whatever happens in the listing may have changed how many are ahead, for everybody who
/// watches.
const GAP: Duration = Duration::from_millis(500);

/// An entry. Frames show no token: who watches may be an operator.
pub(crate) struct EntrySource {
    engine: Engine,
    id: WaitlistId,
    listing: ListingNo,
    name: String,
}

impl EntrySource {
    /// This entry.
    pub(crate) fn new(engine: &Engine, entry: &WaitlistEntry) -> Self {
        let (id, listing) = (entry.entry.id, entry.entry.listing);
        Self { engine: engine.clone(), id, listing, name: format!("waitlist:{id}") }
    }

    /// The listing that it belongs to.
    pub(crate) const fn listing(&self) -> ListingNo {
        self.listing
    }

    fn frame(&self, state: &WaitlistEntry, extent: Extent) -> Frame {
        let data = to_bytes(&EntryView::now(&self.engine, state, &Actor::System));
        // Nobody asks for what came after a version: the first frame has everything.
        Frame::new(&self.name, EVENT, extent, 0, data)
    }
}

impl Source for EntrySource {
    type State = WaitlistEntry;

    const GAP: Duration = GAP;

    async fn load(&self) -> Result<Option<WaitlistEntry>, Refusal> {
        self.engine.waitlist_entry(self.id).await
    }

    fn snapshot(&self, state: &WaitlistEntry) -> Frame {
        self.frame(state, Extent::Snapshot)
    }

    fn change(&self, old: &WaitlistEntry, new: &WaitlistEntry) -> Option<Frame> {
        let said = |state: &WaitlistEntry| to_bytes(&EntryView::now(&self.engine, state, &Actor::System));
        (said(old) != said(new)).then(|| self.frame(new, Extent::Change))
    }

    fn look_every(&self, state: &WaitlistEntry) -> Duration {
        if state.standing.is_live() { LOOK_EVERY } else { LOOK_SELDOM }
    }
}
