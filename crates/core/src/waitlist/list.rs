//! What a batch knows of the waitlists of its listings, and how it changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::serve::MAX_WRITTEN;
use super::{Ended, Entry, EntryState, Reach, Standing, Want, ended, ends_at, standing_of, why_closed};
use crate::booking::Booking;
use crate::command::Actor;
use crate::event::EventKind;
use crate::id::{EntryNo, EntryRef, ListingNo, WaitlistId};
use crate::line::Lines;
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::time::Time;
use crate::world::{CustomerRef, World};

/// How many entries wait in a listing, and the last number that was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListNumbers {
    /// Entries that wait.
    pub waiting: i64,
    /// The number of the last entry; 0 if there is none.
    pub last: i64,
}

/// The list of one listing, as far as it is loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) numbers: ListNumbers,
    /// Entries that are loaded and wait.
    pub(super) waiting: BTreeSet<EntryNo>,
    /// How many wait that have to do with the same pools.
    ahead: BTreeMap<Reach, i64>,
    /// Pools that can give more than when everybody was last looked at.
    pub(super) freed: BTreeSet<PoolNo>,
    /// Whether whatever is left of any pool is to be kept for somebody who takes any.
    pub(super) all_to_keep: bool,
    /// What went to somebody who did not wait, per command.
    pub(super) taken: Vec<Taken>,
    /// Entries that are loaded and for which units are kept.
    pub(super) keepers: BTreeSet<EntryNo>,
    /// Whether every entry is loaded for which units are kept.
    pub(super) keepers_loaded: bool,
    /// Whether every pool is loaded.
    pub(super) whole: bool,
    /// How far the list is loaded, by the pools that were asked about.
    pub(super) loaded: BTreeMap<BTreeSet<PoolNo>, Loaded>,
    /// Offers and skips that this batch has written.
    pub(super) written: usize,
    /// Whether more has lapsed than this batch looks at.
    overdue_left: bool,
}

/// What the event says of who has joined: a type, as thousands of these are made at once.
#[derive(Serialize)]
struct Joined {
    id: WaitlistId,
    ahead: i64,
    until: Option<Time>,
}

/// Units went to somebody.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// Of these pools.
    pub(super) pools: BTreeSet<PoolNo>,
    /// The identity of who has got them, if there is one.
    pub(super) by: Option<String>,
}

/// How far the entries are loaded that have to do with some pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Loaded {
    /// All of them up to this number.
    pub(super) through: EntryNo,
    /// All of them.
    pub(super) complete: bool,
    /// Beyond, only those that a pool with so many units may satisfy; up to which number, and whether all.
    pub(super) narrow: Option<(i64, EntryNo, bool)>,
}

/// What a batch knows of waitlists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(super) entries: BTreeMap<EntryRef, Arc<Entry>>,
    refs: BTreeMap<WaitlistId, EntryRef>,
    pub(super) lists: BTreeMap<ListingNo, List>,
    live: BTreeMap<CustomerRef, EntryRef>,
    /// Changed or new entries: the row as loaded, if it was there.
    changes: BTreeMap<EntryRef, Option<Arc<Entry>>>,
}

/// Loading: what the store puts in.
impl World {
    /// Puts in how many wait in a listing.
    pub fn load_list(&mut self, of: ListingNo, numbers: ListNumbers) {
        self.waitlists.lists.entry(of).or_default().numbers = numbers;
    }

    /// Puts in how many wait that have to do with the same pools.
    pub fn load_ahead(&mut self, of: ListingNo, reach: Reach, waiting: i64) {
        self.waitlists.lists.entry(of).or_default().ahead.insert(reach, waiting);
    }

    /// Puts in an entry, unless it is there already: this batch may have changed it.
    pub fn load_entry(&mut self, entry: Arc<Entry>) {
        let at = entry.at();
        if self.waitlists.entries.contains_key(&at) {
            return;
        }
        if let Some(identity) = entry.customer.identity()
            && entry.may_be_live()
        {
            self.waitlists.live.insert((entry.listing, identity), at);
        }
        self.put_entry(entry);
    }

    /// Notes that more has lapsed in a listing than is loaded: see [`World::leaves_overdue`].
    pub fn leave_overdue(&mut self, of: ListingNo) {
        self.waitlists.lists.entry(of).or_default().overdue_left = true;
    }

    /// Notes that every pool of a listing is loaded.
    pub fn loaded_whole(&mut self, of: ListingNo) {
        self.waitlists.lists.entry(of).or_default().whole = true;
    }

    fn put_entry(&mut self, entry: Arc<Entry>) {
        let at = entry.at();
        let list = self.waitlists.lists.entry(at.listing).or_default();
        if entry.waits() {
            list.waiting.insert(at.no)
        } else {
            list.waiting.remove(&at.no)
        };
        if entry.kept.is_empty() {
            list.keepers.remove(&at.no)
        } else {
            list.keepers.insert(at.no)
        };
        self.waitlists.refs.insert(entry.id, at);
        self.waitlists.entries.insert(at, entry);
    }
}

/// Looking.
impl World {
    /// How many wait in a listing.
    #[must_use]
    pub fn list_numbers(&self, of: ListingNo) -> ListNumbers {
        self.waitlists.lists.get(&of).map_or_else(ListNumbers::default, |list| list.numbers)
    }

    /// The entry of that id.
    #[must_use]
    pub fn entry(&self, id: WaitlistId) -> Option<&Entry> {
        self.waitlists.entries.get(self.waitlists.refs.get(&id)?).map(Arc::as_ref)
    }

    /// The entry at that place.
    #[must_use]
    pub fn entry_at(&self, at: EntryRef) -> Option<&Entry> {
        self.waitlists.entries.get(&at).map(Arc::as_ref)
    }

    /// Changed and new entries: the row as loaded, if it was there, and as it is now.
    pub fn changed_entries(&self) -> impl Iterator<Item = (Option<&Entry>, &Entry)> {
        self.compared(self.waitlists.changes.iter())
    }

    fn compared<'w>(
        &'w self,
        changes: impl Iterator<Item = (&'w EntryRef, &'w Option<Arc<Entry>>)>,
    ) -> impl Iterator<Item = (Option<&'w Entry>, &'w Entry)> {
        let now = |at| self.waitlists.entries.get(at).expect("a changed entry is in the world");
        let changes = changes.map(move |(at, old)| (old.as_deref(), now(at).as_ref()));
        // Of most of those for whom something is kept it is taken back, and kept again.
        changes.filter(|(old, new)| old.is_none_or(|old| new.differs(old)))
    }

    /// The listings whose lists have changed.
    #[must_use]
    pub fn changed_lists(&self) -> BTreeSet<ListingNo> {
        let at = |listing, no| EntryRef { listing, no: EntryNo(no) };
        let changes = |of| self.waitlists.changes.range(at(of, i64::MIN)..=at(of, i64::MAX));
        let has_changed = |of: &&ListingNo| self.compared(changes(**of)).next().is_some();
        self.waitlists.lists.keys().filter(has_changed).copied().collect()
    }

    /// Whether more has lapsed in a listing than this batch looks at.
    #[must_use]
    pub fn leaves_overdue(&self, of: ListingNo) -> bool {
        self.waitlists.lists.get(&of).is_some_and(|list| list.overdue_left)
    }

    /// Whether the next batch has more to give in a listing, and begins at once: more has lapsed than this one looks at, or it
    /// has made offers enough and keeps the rest. What is short there now may be had then.
    #[must_use]
    pub fn gives_more_soon(&self, of: ListingNo) -> bool {
        let Some(list) = self.waitlists.lists.get(&of) else { return false };
        let keepers = list.keepers.iter().map(|no| EntryRef { listing: of, no: *no });
        let mut due = keepers.filter_map(|at| self.entry_at(at)?.due_at);
        list.overdue_left || list.written >= MAX_WRITTEN && due.any(|due| due <= self.now)
    }

    /// Whether an entry is new or changed.
    #[must_use]
    pub fn has_changed_entries(&self) -> bool {
        self.changed_entries().next().is_some()
    }

    /// By how many more (or fewer) wait by listing and group, as the changes have it; none for [`Reach::Everything`].
    #[must_use]
    pub fn changed_counts(&self) -> BTreeMap<(ListingNo, Option<u32>), i64> {
        let mut counts: BTreeMap<_, i64> = BTreeMap::new();
        for (old, new) in self.changed_entries() {
            let by = i64::from(new.waits()) - i64::from(old.is_some_and(Entry::waits));
            *counts.entry((new.listing, new.want.reach().group())).or_default() += by;
        }
        counts.retain(|_, by| *by != 0);
        counts
    }

    /// Listings in which somebody waits and something came free or was taken: [`super::serve::serve`] them.
    #[must_use]
    pub fn to_serve(&self) -> Option<ListingNo> {
        let stirred = |list: &List| !list.freed.is_empty() || !list.taken.is_empty();
        self.waitlists.lists.iter().find(|(_, list)| stirred(list)).map(|(no, _)| *no)
    }

    /// The entry of this customer that waits or was offered something, with where it stands now. Its offer is loaded.
    #[must_use]
    pub fn live_entry(&self, of: &CustomerRef) -> Option<&Entry> {
        let entry = self.waitlists.entries.get(self.waitlists.live.get(of)?)?;
        self.standing(entry).is_live().then_some(entry)
    }

    /// Where a loaded entry stands now. Its listing is loaded, and its offer.
    #[must_use]
    pub fn standing(&self, entry: &Entry) -> Standing {
        let offer = entry.booking.and_then(|no| self.booking_at(no));
        let listing = self.listings.get(&entry.listing).expect("an entry is loaded with its listing");
        entry.shown(listing, offer, self.now)
    }

    /// How many wait that have to do with the same pools.
    #[must_use]
    pub fn waiting_for(&self, of: ListingNo, reach: Reach) -> i64 {
        let list = self.waitlists.lists.get(&of);
        list.and_then(|list| list.ahead.get(&reach)).copied().unwrap_or(0)
    }
}

/// Changing.
impl World {
    /// Takes in a new entry, which gets the next number of its list.
    pub fn insert_entry(&mut self, mut entry: Entry, actor: &Actor) -> EntryRef {
        let reach = entry.want.reach();
        entry.joined_behind = self.waiting_for(entry.listing, reach);
        let list = self.waitlists.lists.entry(entry.listing).or_default();
        list.numbers.last += 1;
        entry.no = EntryNo(list.numbers.last);
        let at = entry.at();
        self.count_waiting(entry.listing, reach, entry.address.clone(), 1);
        let data = Joined { id: entry.id, ahead: entry.joined_behind, until: entry.until };
        let data = serde_json::to_string(&data).expect("plain values");
        self.listing_event(EventKind::WaitlistJoined, entry.listing, actor, data);
        self.waitlists.changes.insert(at, None);
        if let Some(identity) = entry.customer.identity() {
            self.waitlists.live.insert((entry.listing, identity), at);
        }
        self.put_entry(Arc::new(entry));
        at
    }

    /// Changes an entry where it stands, which is loaded.
    pub(super) fn change_entry(&mut self, at: EntryRef, change: impl FnOnce(&mut Entry)) {
        let lists = &mut self.waitlists;
        let entry = lists.entries.get_mut(&at).expect("an entry that changes is loaded");
        lists.changes.entry(at).or_insert_with(|| Some(Arc::clone(entry)));
        let waited = entry.waits();
        change(Arc::make_mut(entry));
        let list = lists.lists.entry(at.listing).or_default();
        if entry.kept.is_empty() {
            list.keepers.remove(&at.no)
        } else {
            list.keepers.insert(at.no)
        };
        if waited && !entry.waits() {
            list.waiting.remove(&at.no);
            let (reach, address) = (entry.want.reach(), entry.address.clone());
            self.count_waiting(at.listing, reach, address, -1);
        }
    }

    /// Puts `new` in the place of the entry's row.
    pub fn update_entry(&mut self, new: Entry) {
        self.change_entry(new.at(), |entry| *entry = new);
    }

    fn count_waiting(&mut self, of: ListingNo, reach: Reach, address: Option<String>, by: i64) {
        if let Some(address) = address {
            self.count_hold((ListingNo(0), address), by);
        }
        let list = self.waitlists.lists.entry(of).or_default();
        list.numbers.waiting += by;
        for (_, count) in list.ahead.iter_mut().filter(|(asked, _)| asked.meets(reach)) {
            *count += by;
        }
    }

    /// Somebody has so many more (or fewer) live holds.
    pub(crate) fn count_hold(&mut self, of: CustomerRef, by: i64) {
        self.customers.entry(of.clone()).or_default().open_holds += by;
        self.changes.customers.insert(of);
    }

    /// An entry waits no more.
    pub(crate) fn end_entry(&mut self, at: EntryRef, state: EntryState, why: Option<Ended>, actor: &Actor) {
        let mut entry = self.entry_at(at).cloned().expect("an ended entry was loaded");
        self.give_back(&mut entry);
        entry.state = state;
        entry.ended = why;
        entry.due_at = None;
        let kind =
            if state == EntryState::Left { EventKind::WaitlistLeft } else { EventKind::WaitlistClosed };
        let data = json!({ "id": entry.id, "reason": why });
        self.listing_event(kind, at.listing, actor, data.to_string());
        self.update_entry(entry);
    }

    /// Nothing is kept for this entry any more; others may have it.
    pub(super) fn give_back(&mut self, entry: &mut Entry) {
        for (pool, units) in std::mem::take(&mut entry.kept) {
            self.keep(PoolRef { listing: entry.listing, pool }, -units);
            self.freed(entry.listing, pool);
        }
    }

    /// So many units more (or fewer) of a pool are kept for those who wait.
    pub(super) fn keep(&mut self, at: PoolRef, by: i64) {
        if let Some(pool) = self.pool(at) {
            let kept = (pool.kept + by).clamp(0, pool.free().max(0));
            self.set_kept(at, Pool { kept, ..pool });
        }
    }

    /// Applies to loaded entries that wait what time has done: some have come to their end, for others there may be
    /// more to be had.
    pub fn settle_entries(&mut self) {
        let now = self.now;
        let due = self
            .waitlists
            .entries
            .values()
            .filter(|entry| entry.waits() && entry.due_at.is_some_and(|due| due <= now));
        let due: Vec<EntryRef> = due.map(|entry| entry.at()).collect();
        for at in due {
            let mut entry = Entry::clone(&self.waitlists.entries[&at]);
            let Some(listing) = self.listings.get(&at.listing).cloned() else { continue };
            let gone = self.has_lost_its_pools(&entry).then_some(Ended::SaleOver);
            if let Some(why) = ended(&entry, &listing, now).or(gone) {
                self.end_entry(at, EntryState::Closed, Some(why), &Actor::System);
                continue;
            }
            entry.due_at = ends_at(&entry, &listing);
            self.give_back(&mut entry);
            self.update_entry(entry);
        }
    }

    /// Whether a pool of what it waits for is sold no more, nor anything else: a slot outside of new opening hours, say.
    fn has_lost_its_pools(&self, entry: &Entry) -> bool {
        let Want::Lines(lines) = &entry.want else { return false };
        let is_there = |pool| self.pool(PoolRef { listing: entry.listing, pool }).is_some();
        !lines.iter().all(|line| is_there(line.pool))
    }

    /// Notes that a pool can give more.
    pub(crate) fn freed(&mut self, of: ListingNo, pool: PoolNo) {
        if let Some(list) = self.waitlists.lists.get_mut(&of)
            && list.numbers.waiting > 0
        {
            list.freed.insert(pool);
        }
    }

    /// Notes that every loaded pool of a listing of which there is something may be had now: it is sold again, or longer.
    pub(crate) fn freed_all(&mut self, of: ListingNo) {
        for (pool, numbers) in self.pools_of(of) {
            if numbers.available() > 0 {
                self.freed(of, pool);
            }
        }
    }

    /// Notes which units a change of a booking gives back and takes. What was offered to a waiting customer passes
    /// nobody over here: that was seen to when it was offered.
    pub(crate) fn stirred(&mut self, old: Option<&Booking>, new: &Booking) {
        let Some(list) = self.waitlists.lists.get_mut(&new.listing) else { return };
        // Who is offered something takes it in turn.
        if list.numbers.waiting == 0 || old.is_none() && new.details.offer.is_some() {
            return;
        }
        let claims = |booking: &Booking, sign: i64| {
            let lines = if occupies(booking) { booking.lines.clone() } else { Lines::default() };
            lines.iter().map(|line| (line.pool, sign * line.quantity)).collect::<Vec<_>>()
        };
        let mut moved: BTreeMap<PoolNo, i64> = BTreeMap::new();
        let before = old.map(|old| claims(old, -1)).unwrap_or_default();
        for (pool, units) in before.into_iter().chain(claims(new, 1)) {
            *moved.entry(pool).or_default() += units;
        }
        list.freed.extend(moved.iter().filter(|(_, units)| **units < 0).map(|(pool, _)| *pool));
        let pools: BTreeSet<PoolNo> =
            moved.iter().filter(|(_, units)| **units > 0).map(|(pool, _)| *pool).collect();
        if !pools.is_empty() {
            list.taken.push(Taken { pools, by: new.customer.identity() });
        }
    }

    /// Says what became of an offer, where that has changed.
    pub(crate) fn tell_of_offer(&mut self, old: &Booking, new: &Booking, actor: &Actor) {
        let Some(offer) = new.details.offer else { return };
        let standing = standing_of(new);
        if standing == standing_of(old) {
            return;
        }
        let kind = match standing {
            Standing::Taken => EventKind::WaitlistTaken,
            Standing::Lapsed => EventKind::WaitlistLapsed,
            Standing::Left => EventKind::WaitlistLeft,
            Standing::Closed => EventKind::WaitlistClosed,
            Standing::Offered | Standing::Waiting => return,
        };
        let data = json!({ "id": offer.entry, "booking_id": new.id, "reason": why_closed(new) });
        self.listing_event(kind, new.listing, actor, data.to_string());
    }
}

fn occupies(booking: &Booking) -> bool {
    booking.state.holds() || booking.state.sells()
}
