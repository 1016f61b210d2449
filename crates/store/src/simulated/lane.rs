//! The connection of a lane: locks what a batch names, and settles what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::decide::names::Names;
use lastseat_core::id::ListingNo;
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::PoolRef;
use lastseat_core::time::Time;

use super::known::Known;
use super::locks::{Key, TxNo};
use super::server::{Ended, Orphan, Sequence};
use super::trouble::Flaw;
use super::tx::{Loaded, SimulatedTx};
use super::{At, Shared, off, unavailable};
use crate::error::StoreError;
use crate::memory::Rows;
use crate::tx::{Lane, Tx};

/// Listings whose bookings are renewed at a time.
const MAX_RENEWING: usize = 4;

/// Numbers that are taken at a time: those of two nodes are not in the order of time.
const BLOCK: u64 = 4;

/// What a lane keeps from one batch to the next.
pub(super) struct SimulatedLane {
    pub(super) shared: Arc<Shared>,
    pub(super) at: At,
    /// Numbers that were taken and not used.
    pub(super) spare: (Numbers, Numbers),
    pub(super) known: Known,
    /// What a flawed store remembers.
    pub(super) sold_out: BTreeSet<PoolRef>,
}

impl SimulatedLane {
    pub(super) fn new(shared: Arc<Shared>, at: At) -> Self {
        let (spare, known, sold_out) = Default::default();
        Self { shared, at, spare, known, sold_out }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.shared.state().server.has(flaw)
    }

    /// A statement begins: what it sees.
    fn look(&self, tx: TxNo) -> Result<Arc<Rows>, StoreError> {
        Ok(Arc::clone(&self.shared.step_in(self.at, tx)?.server.rows))
    }

    fn lock_and_load(&mut self, tx: TxNo, names: &Names) -> Result<Loaded, StoreError> {
        let early = self.has(Flaw::ReadsBeforeLocking).then(|| self.look(tx)).transpose()?;
        let mut locked = self.lock_named(tx, names)?;
        if names.due > 0 {
            locked.extend(self.lock_due(tx, names.due)?);
        }
        if names.renew > 0 {
            let rows = self.look(tx)?;
            let renewing = rows.listings.iter().filter(|(_, row)| row.renew_through.is_some());
            locked.extend(self.lock_free(tx, renewing.map(|(no, _)| *no), MAX_RENEWING)?);
        }
        let now = self.now(tx)?;
        let rows = self.look(tx)?;
        let listings = self.current(&rows, &locked);
        let rows = early.clone().unwrap_or(rows);
        let mut found: Vec<_> = names.bookings.iter().filter_map(|id| rows.booking_nos.get(id)).collect();
        found.sort_unstable();
        let bookings = found.into_iter().map(|no| rows.bookings[no].booking.clone()).collect();
        let rows = self.look(tx)?;
        let remembered = names.idempotency.iter();
        let remembered =
            remembered.filter_map(|key| Some((*key, rows.remembered.get(key)?.1.clone()))).collect();
        self.take_numbers(names.new_bookings, names.new_listings);
        let mut state = self.shared.step_in(self.at, tx)?;
        let no = state.server.next(Sequence::Batches);
        state.server.number(tx, no);
        state.tell(|| format!("    tx {tx} has {locked:?} at {now}"));
        let (named, keys) = (names.bookings.clone(), names.idempotency.clone());
        Ok(Loaded { now, listings, bookings, named, remembered, keys, early })
    }

    /// The instant that counts, read when the locks are had.
    fn now(&self, tx: TxNo) -> Result<Time, StoreError> {
        let mut state = self.shared.step_in(self.at, tx)?;
        let now = self.shared.clock.now();
        if let Some(batch) = state.server.open[&tx].batch {
            state.server.see(batch, now, now);
        }
        let being = &mut state.nodes[self.at.node];
        let own = off(now, being.skew);
        if state.server.has(Flaw::DecidesByOwnClock) {
            return Ok(own);
        }
        drop(state);
        self.saw_clock();
        Ok(now)
    }

    /// The node knows better now what time it is.
    pub(super) fn saw_clock(&self) {
        self.shared.state().nodes[self.at.node].skew = 0;
    }

    /// What time it is, as far as this node knows.
    pub(super) fn about_now(&self) -> Time {
        let skew = self.shared.state().nodes[self.at.node].skew;
        off(self.shared.clock.now(), skew)
    }

    /// Locks the listings that are named, those of bookings that are named, and those of overdue holds of addresses.
    fn lock_named(&self, tx: TxNo, names: &Names) -> Result<BTreeSet<ListingNo>, StoreError> {
        let about_now = self.about_now();
        let rows = self.look(tx)?;
        let mut wanted: BTreeSet<ListingNo> =
            names.listings.iter().filter_map(|id| rows.listing_nos.get(id).copied()).collect();
        let bookings = names.bookings.iter().filter_map(|id| rows.booking_nos.get(id));
        wanted.extend(bookings.map(|no| rows.bookings[no].booking.listing));
        wanted.extend(names.entries.iter().filter_map(|id| rows.entry_refs.get(id)).map(|at| at.listing));
        let of: Vec<_> = names.addresses.iter().map(|address| (ListingNo(0), address.clone())).collect();
        wanted.extend(rows.overdue_of(&of, about_now).into_iter().map(|(_, listing)| listing));
        if self.has(Flaw::LocksNoListings) {
            return Ok(wanted);
        }
        if self.has(Flaw::SkipsLocked) {
            return self.lock_free(tx, wanted.into_iter(), usize::MAX);
        }
        let mut order: Vec<ListingNo> = wanted.iter().copied().collect();
        if self.has(Flaw::LocksInAnyOrder) && self.at.node % 2 == 1 {
            order.reverse();
        }
        for no in order {
            self.shared.lock(self.at, tx, &Key::Listing(no))?;
        }
        Ok(wanted)
    }

    /// Locks those of the listings that nobody else is at work on.
    fn lock_free(
        &self,
        tx: TxNo,
        wanted: impl Iterator<Item = ListingNo>,
        most: usize,
    ) -> Result<BTreeSet<ListingNo>, StoreError> {
        let mut locked = BTreeSet::new();
        for no in wanted {
            if locked.len() < most && self.shared.step_in(self.at, tx)?.server.take(tx, &Key::Listing(no))? {
                locked.insert(no);
            }
        }
        Ok(locked)
    }

    /// Locks the listings of bookings and entries that are due, where nobody else is at work.
    fn lock_due(&self, tx: TxNo, limit: u32) -> Result<BTreeSet<ListingNo>, StoreError> {
        let about_now = self.about_now();
        let rows = self.look(tx)?;
        let due = rows.due(about_now, |_| true);
        let mut wanted: BTreeSet<ListingNo> =
            due.into_iter().take(limit as usize).map(|no| rows.bookings[&no].booking.listing).collect();
        let due = rows.due_entries(about_now, |_| true);
        wanted.extend(due.iter().take(limit as usize).map(|entry| entry.listing));
        if self.has(Flaw::SettlesUnlocked) {
            return Ok(wanted);
        }
        self.lock_free(tx, wanted.into_iter(), usize::MAX)
    }

    /// Listings that are locked, read anew where somebody has edited them.
    fn current(&mut self, rows: &Rows, locked: &BTreeSet<ListingNo>) -> BTreeMap<ListingNo, Arc<Listing>> {
        let keeps = self.has(Flaw::KeepsOldListings);
        let keeps_pools = self.has(Flaw::KeepsOldPools);
        let mut current = BTreeMap::new();
        for no in locked {
            let Some(row) = rows.listings.get(no) else { continue };
            let edition = self.shared.state().server.edition(*no);
            let listing = match self.known.listing_at(*no) {
                Some((known, listing)) if known == edition || keeps => listing,
                _ => {
                    if !keeps_pools {
                        self.known.forget_pools(*no);
                    }
                    self.known.put_listing(edition, Arc::clone(&row.listing));
                    Arc::clone(&row.listing)
                }
            };
            current.insert(*no, listing);
        }
        current
    }

    /// Notes how a commit has left these pools.
    pub(super) fn know_pools(&mut self, pools: impl Iterator<Item = PoolRef>) {
        let rows = Arc::clone(&self.shared.state().server.rows);
        for at in pools {
            self.known.put_pool(at, rows.pools.get(&at).copied());
        }
    }

    pub(super) fn tell(&self, text: impl FnOnce() -> String) {
        self.shared.state().tell(text);
    }

    /// Takes what is missing of so many numbers, and some more for the batches to come.
    pub(super) fn take_numbers(&mut self, bookings: usize, listings: usize) {
        let mut state = self.shared.state();
        let mut take = |spare: &mut Numbers, wanted: usize, sequence| {
            if spare.len() < wanted as u64 {
                let missing = wanted as u64 - spare.len();
                spare.extend((0..missing.max(BLOCK)).map(|_| state.server.next(sequence)));
            }
        };
        take(&mut self.spare.0, bookings, Sequence::Bookings);
        take(&mut self.spare.1, listings, Sequence::Listings);
    }

    /// Waits until a batch that is perhaps in flight has ended, then claims its id if it is not committed.
    fn claim(&self, tx: TxNo, batch: u128) -> Result<bool, StoreError> {
        if !self.has(Flaw::LooksWithoutClaiming) {
            self.shared.lock(self.at, tx, &Key::Batch(batch))?;
        }
        let mut state = self.shared.step_in(self.at, tx)?;
        let looks = state.server.has(Flaw::LooksWithoutClaiming);
        let confuses = state.server.has(Flaw::ClaimsLookCommitted);
        let committed = match state.server.batches.get(&batch) {
            Some(Ended::Committed) => true,
            Some(Ended::Claimed) => confuses,
            None => {
                if !looks {
                    state.server.batches.insert(batch, Ended::Claimed);
                }
                false
            }
        };
        state.tell(|| {
            format!("    batch {batch} is found to be {}", if committed { "committed" } else { "gone" })
        });
        Ok(committed)
    }

    fn is_cut(&self, odds: impl Fn(&super::Trouble) -> u64) -> bool {
        let mut state = self.shared.state();
        let odds = odds(&state.trouble);
        odds > 0 && state.dice.chance(odds)
    }
}

impl Lane for SimulatedLane {
    fn begin(&mut self, batch: u128, names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        let mut state = self.shared.step(self.at)?;
        let odds = state.trouble.connect;
        if odds > 0 && state.dice.chance(odds) {
            return unavailable("there is no connection");
        }
        let tx = state.server.begin(self.at.node, Some(batch));
        state.tell(|| format!("    node {} begins tx {tx} as batch {batch}", self.at.node));
        drop(state);
        match self.lock_and_load(tx, names) {
            Ok(loaded) => Ok(Box::new(SimulatedTx::new(self, tx, loaded))),
            Err(error) => {
                self.shared.roll_back(tx);
                Err(error)
            }
        }
    }

    fn begin_optimistic(&mut self, batch: u128, names: &Names) -> Option<Box<dyn Tx + '_>> {
        Some(Box::new(self.suppose(batch, names)?))
    }

    fn was_committed(&mut self, batch: u128) -> Result<bool, StoreError> {
        let mut state = self.shared.step(self.at)?;
        let tx = state.server.begin(self.at.node, None);
        drop(state);
        if self.is_cut(|trouble| trouble.question) {
            self.shared.roll_back(tx);
            return unavailable("nobody knows at the moment");
        }
        let claimed = self.claim(tx, batch);
        self.shared.roll_back(tx);
        if self.is_cut(|trouble| trouble.question) {
            return unavailable("the answer was lost");
        }
        claimed
    }

    fn prune(&mut self, before: Time) -> Result<(), StoreError> {
        let mut state = self.shared.step(self.at)?;
        Arc::make_mut(&mut state.server.rows).remembered.retain(|_, (at, _)| *at >= before);
        Ok(())
    }
}

impl Shared {
    /// Ends a transaction without a trace, if it is still its client's.
    pub(super) fn roll_back(&self, tx: TxNo) {
        let mut state = self.state();
        if state.server.open.get(&tx).is_some_and(|backend| backend.orphan.is_none()) {
            state.server.abort(tx);
        }
    }

    /// The connection of a transaction is lost; the server notices sooner or later.
    pub(super) fn cut(&self, tx: TxNo) {
        let mut state = self.state();
        state.tell(|| format!("    the connection of tx {tx} is lost"));
        state.server.leave(tx, Orphan::Ends);
    }
}
