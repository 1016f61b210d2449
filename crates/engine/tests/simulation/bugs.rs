//! A lane that does something wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{CustomerRef, CustomerUse, Remembered, World};
use lastseat_store::{CommitError, Lane, StoreError, Tx};

/// Something that a program could do wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bug {
    /// Bookings are written, and the counters of their pools are not.
    AdmitsWithoutCounting,
    /// Idempotency keys are neither written nor found.
    ForgetsKeys,
    /// A success is told although the commit fails.
    AnswersBeforeTheCommit,
    /// Whatever became of a commit, it is said to be there.
    TakesUnknownForCommitted,
    /// Whatever became of a commit, it is said not to be there.
    TakesUnknownForAborted,
    /// Overdue holds are not found where they stand in the way.
    NeverSweeps,
    /// The last event of a batch is not written.
    DropsEvents,
    /// What customers have is never looked at.
    CountsNoCustomers,
    /// A booking that changes is taken for one that was never held.
    ForgetsHolds,
    /// What comes free is on sale, whoever waits.
    ServesNobody,
    /// Of those who wait the first is not found.
    OverlooksTheFirst,
    /// Nobody finds the entries for which something is kept.
    FindsNoKeepers,
    /// An entry does not remember which booking it was offered.
    ForgetsOffers,
    /// How often somebody was passed over is not written.
    CountsNoSkips,
    /// What is kept is not taken out of what can be sold.
    SellsWhatIsKept,
    /// Nobody looks whether who joins waits already.
    LetsJoinTwice,
    /// Those whose waiting is over are not found.
    ClosesNothing,
    /// What is known from before is taken for what was read under locks, for refusals too.
    TrustsWhatItKnew,
}

/// A lane with a bug, or without.
pub(crate) struct BuggyLane {
    pub(crate) inner: Box<dyn Lane>,
    pub(crate) bug: Option<Bug>,
    /// Whether the next transaction is to be begun on what is known from before.
    knew: bool,
}

impl BuggyLane {
    pub(crate) const fn new(inner: Box<dyn Lane>, bug: Option<Bug>) -> Self {
        Self { inner, bug, knew: false }
    }
}

impl Lane for BuggyLane {
    fn begin(&mut self, batch: u128, names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        // Once for each batch; what fails is decided with locks.
        if std::mem::take(&mut self.knew) && self.inner.begin_optimistic(batch, names).is_some() {
            let inner = self.inner.begin_optimistic(batch, names).unwrap();
            return Ok(Box::new(BuggyTx { inner, bug: self.bug }));
        }
        Ok(Box::new(BuggyTx { inner: self.inner.begin(batch, names)?, bug: self.bug }))
    }

    fn begin_optimistic(&mut self, batch: u128, names: &Names) -> Option<Box<dyn Tx + '_>> {
        if self.bug == Some(Bug::TrustsWhatItKnew) {
            self.knew = true;
            return None;
        }
        Some(Box::new(BuggyTx { inner: self.inner.begin_optimistic(batch, names)?, bug: self.bug }))
    }

    fn was_committed(&mut self, batch: u128) -> Result<bool, StoreError> {
        let told = self.inner.was_committed(batch)?;
        Ok(match self.bug {
            Some(Bug::TakesUnknownForCommitted) => true,
            Some(Bug::TakesUnknownForAborted) => false,
            _ => told,
        })
    }

    fn prune(&mut self, before: Time) -> Result<(), StoreError> {
        self.inner.prune(before)
    }
}

struct BuggyTx<'a> {
    inner: Box<dyn Tx + 'a>,
    bug: Option<Bug>,
}

impl BuggyTx<'_> {
    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

impl Tx for BuggyTx<'_> {
    fn now(&self) -> Time {
        self.inner.now()
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        self.inner.numbers(bookings, listings)
    }

    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError> {
        self.inner.last_booking(of)
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        self.inner.listing(id)
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        self.inner.listing_at(no)
    }

    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        self.inner.bookings(ids)
    }

    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        self.inner.bookings_at(nos)
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        let mut found = self.inner.pools(of)?;
        if self.has(Bug::SellsWhatIsKept) {
            found.iter_mut().flatten().for_each(|pool| pool.kept = 0);
        }
        Ok(found)
    }

    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        self.inner.whole(of)
    }

    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        let found = self.inner.customers(of)?;
        if !self.has(Bug::CountsNoCustomers) {
            return Ok(found);
        }
        // Enough to be taken from, and far below every limit.
        Ok(found.into_iter().map(|has| CustomerUse { units: has.units - 50, ..has }).collect())
    }

    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
        if self.has(Bug::ForgetsKeys) { Ok(Vec::new()) } else { self.inner.remembered(keys) }
    }

    fn imported(&mut self, external_id: &str) -> Result<Option<BookingId>, StoreError> {
        self.inner.imported(external_id)
    }

    fn has_key(&mut self, id: KeyId) -> Result<bool, StoreError> {
        self.inner.has_key(id)
    }

    fn overdue_in(&mut self, pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError> {
        if self.has(Bug::NeverSweeps) { Ok(Vec::new()) } else { self.inner.overdue_in(pools) }
    }

    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        self.inner.overdue_of(customers)
    }

    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        self.inner.due(limit)
    }

    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        let found = self.inner.list_numbers(of)?;
        let waiting = if self.has(Bug::ServesNobody) { 0 } else { found.waiting };
        Ok(ListNumbers { waiting, ..found })
    }

    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.inner.entries(ids)
    }

    fn live_entries(&mut self, of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError> {
        if self.has(Bug::LetsJoinTwice) { Ok(Vec::new()) } else { self.inner.live_entries(of) }
    }

    fn keepers(&mut self, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
        if self.has(Bug::FindsNoKeepers) { Ok(Vec::new()) } else { self.inner.keepers(of) }
    }

    fn waiting(&mut self, of: ListingNo, ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError> {
        let mut found = self.inner.waiting(of, ask)?;
        if self.has(Bug::OverlooksTheFirst) && found.len() > 1 {
            found.remove(0);
        }
        Ok(found)
    }

    fn ahead(&mut self, of: ListingNo, reach: Reach) -> Result<i64, StoreError> {
        self.inner.ahead(of, reach)
    }

    fn due_entries(&mut self, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
        if self.has(Bug::ClosesNothing) { Ok(Vec::new()) } else { self.inner.due_entries(limit) }
    }

    fn live_bookings(
        &mut self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError> {
        self.inner.live_bookings(of, after, through, limit)
    }

    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError> {
        self.inner.renewing()
    }

    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError> {
        self.inner.set_renewed(of, through)
    }

    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        self.inner.next_releases(pools)
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        let mut wrong = world.clone();
        match self.bug {
            Some(Bug::AdmitsWithoutCounting) => wrong.changes.pools.clear(),
            Some(Bug::ForgetsKeys) => wrong.changes.remembered.clear(),
            Some(Bug::CountsNoCustomers) => {
                for of in world.changes.customers.clone() {
                    let has = world.customer(&of);
                    wrong.load_customer(of, CustomerUse { units: has.units + 50, ..has });
                }
            }
            Some(Bug::DropsEvents) => drop(wrong.changes.events.pop()),
            Some(Bug::ForgetsHolds) => {
                let held = |row: &mut Booking| row.state = lastseat_core::booking::State::Cancelled;
                wrong.changes.bookings.values_mut().flatten().for_each(held);
            }
            Some(Bug::ForgetsOffers | Bug::CountsNoSkips) => {
                for (old, entry) in world.changed_entries() {
                    let mut entry = entry.clone();
                    match old {
                        Some(old) if self.has(Bug::CountsNoSkips) => entry.skipped = old.skipped,
                        _ if self.has(Bug::ForgetsOffers) => entry.booking = None,
                        _ => {}
                    }
                    wrong.update_entry(entry);
                }
            }
            _ => return self.inner.write(world),
        }
        self.inner.write(&wrong)
    }

    fn commit(self: Box<Self>) -> Result<(), CommitError> {
        let careless = self.has(Bug::AnswersBeforeTheCommit);
        let committed = self.inner.commit();
        if careless { Ok(()) } else { committed }
    }
}
