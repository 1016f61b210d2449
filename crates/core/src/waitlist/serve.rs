//! The release function. What came free goes to those who wait, in order, before anybody else looks; what they cannot
//! use is there for everybody.
//!
//! It works on what is loaded and says what it needs beyond that ([`Need`]); whoever drives it loads that and calls it
//! again, until it needs nothing more. What it has done until then stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::fit::{exists, fit, needed};
use super::list::{List, Loaded, Taken};
use super::{Ended, Entry, EntryState, MAX_SKIPS, Want, ended};
use crate::admission::{Admission, AdmissionKind, Window, admit, price};
use crate::booking::{Booking, Details, Offer, State};
use crate::command::Actor;
use crate::event::EventKind;
use crate::id::{BookingId, BookingNo, EntryNo, EntryRef, ListingNo, random_bits, uuid_v7_bits};
use crate::listing::Listing;
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::refusal::{Code, Refusal};
use crate::world::World;

/// How many of those who wait first are looked at one by one and counted as passed over. Behind them only those are
/// looked for who fit.
const MAX_LOOK: usize = 2_048;
/// Fewest entries that are loaded at once.
const CHUNK: usize = 64;
/// Most entries that are loaded at once to be served: while these are, a store can find the next.
const PORTION: usize = 256;
/// Offers and skips that one batch may write: a small part of a second's work, so that others are not kept waiting. What
/// is still free then is kept, and given away by the next.
pub const MAX_WRITTEN: usize = 1_024;

/// Most pools that an event names.
const MAX_POOLS_TOLD: usize = 10;

/// What has to be loaded before it can go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// The entries for which something is kept.
    Keepers,
    /// All pools of the listing.
    Whole,
    /// Entries that wait, in order.
    Waiting(Ask),
    /// Numbers for so many more bookings.
    Numbers(usize),
}

/// Which entries that wait are asked for: those whose [`super::Reach`] covers one of the pools.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The pools.
    pub pools: BTreeSet<PoolNo>,
    /// Only those after this one.
    pub after: EntryNo,
    /// Only those whose [`Want::least`] is at most this.
    pub most: Option<i64>,
    /// At most so many.
    pub limit: u32,
    /// How many more are asked for next, if all of these get what they want.
    pub then: u32,
}

impl Ask {
    /// The first portion of those who are of use.
    fn portion(pools: BTreeSet<PoolNo>, after: EntryNo, most: Option<i64>, useful: usize) -> Self {
        let limit = if useful < PORTION + CHUNK { useful.max(CHUNK) } else { PORTION };
        let [limit, then] =
            [limit, useful.saturating_sub(limit)].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Self { pools, after, most, limit, then }
    }

    /// What is asked next if all of these get what they want, and the last of them is this one.
    #[must_use]
    pub fn next(&self, last: EntryNo) -> Option<Self> {
        let next = || Self::portion(self.pools.clone(), last, self.most, self.then as usize);
        (self.then > 0).then(next)
    }
}

impl World {
    /// Notes that the entries are loaded for which something is kept.
    pub fn loaded_keepers(&mut self, of: ListingNo) {
        self.waitlists.lists.entry(of).or_default().keepers_loaded = true;
    }

    /// Has this batch make no more offers: what comes free is kept, and given away by the next.
    pub(crate) fn postpone_offers(&mut self, of: ListingNo) {
        self.waitlists.lists.entry(of).or_default().written = MAX_WRITTEN;
    }

    /// Notes how far an [`Ask`] was answered: with so many entries, the last of this number.
    pub fn loaded_waiting(&mut self, of: ListingNo, ask: &Ask, found: usize, last: Option<EntryNo>) {
        let complete = found < ask.limit as usize;
        let through = last.unwrap_or(ask.after);
        let list = self.waitlists.lists.entry(of).or_default();
        let loaded = list.loaded.entry(ask.pools.clone()).or_default();
        match ask.most {
            None => (loaded.through, loaded.complete) = (through, complete),
            Some(most) => loaded.narrow = Some((most, through, complete)),
        }
    }
}

/// Gives what came free in a listing to those who wait. Done when it needs nothing more.
///
/// # Errors
/// What it needs loaded to go on.
pub fn serve(world: &mut World, of: ListingNo) -> Result<(), Need> {
    let list = list(world, of);
    if list.numbers.waiting == 0 {
        list.freed.clear();
        list.taken.clear();
        return Ok(());
    }
    if !list.keepers_loaded {
        return Err(Need::Keepers);
    }
    let listing = world.listings.get(&of).cloned().expect("a listing that is served is loaded");
    while let Some(taken) = self::list(world, of).taken.last().cloned() {
        look(world, of, &taken.pools)?;
        pass_over(world, &listing, &taken, None);
        let list = self::list(world, of);
        list.taken.pop();
        // For who was passed over often enough the rest is kept now.
        list.freed.extend(taken.pools);
    }
    let mut pools = BTreeSet::new();
    while let Some(more) = give(world, &listing, &mut pools)? {
        pools.extend(more);
    }
    self::list(world, of).freed.clear();
    Ok(())
}

/// Whatever is left of any pool has to be looked at, where it is to be kept for somebody who takes any.
fn free_all_to_keep(world: &mut World, listing: &Listing) -> Result<(), Need> {
    let list = list(world, listing.no);
    if list.all_to_keep && !list.whole && !listing.kind().is_dated() {
        return Err(Need::Whole);
    }
    if std::mem::take(&mut list.all_to_keep) {
        world.freed_all(listing.no);
    }
    Ok(())
}

fn list(world: &mut World, of: ListingNo) -> &mut List {
    world.waitlists.lists.entry(of).or_default()
}

/// Has the first entries loaded that have to do with these pools.
fn look(world: &mut World, of: ListingNo, pools: &BTreeSet<PoolNo>) -> Result<(), Need> {
    let loaded = list(world, of).loaded.get(pools).copied().unwrap_or_default();
    if loaded.complete || candidates(world, of, pools).take(MAX_LOOK).count() >= MAX_LOOK {
        return Ok(());
    }
    let limit = u32::try_from(MAX_LOOK).unwrap_or(u32::MAX);
    Err(Need::Waiting(Ask { pools: pools.clone(), after: loaded.through, most: None, limit, then: 0 }))
}

/// Entries that are loaded and wait, and have to do with these pools, in order.
fn candidates<'w>(
    world: &'w World,
    of: ListingNo,
    pools: &'w BTreeSet<PoolNo>,
) -> impl Iterator<Item = &'w Entry> {
    let lists = &world.waitlists;
    let waiting = lists.lists.get(&of).into_iter().flat_map(|list| &list.waiting);
    let entries = waiting.filter_map(move |no| lists.entries.get(&EntryRef { listing: of, no: *no }));
    let entries = entries.map(Arc::as_ref);
    entries.filter(|entry| entry.want.reach().covers_any(pools))
}

/// What the walk finds out about the next entry.
enum Step {
    /// It has to be loaded first.
    Load(Need),
    /// Nobody else can get anything.
    End,
    /// The next one.
    Next(EntryRef),
}

/// Walks through those who wait from the first on. Where others have to be looked at too, says for which pools: it
/// begins anew then.
fn give(
    world: &mut World,
    listing: &Arc<Listing>,
    pools: &mut BTreeSet<PoolNo>,
) -> Result<Option<BTreeSet<PoolNo>>, Need> {
    let of = listing.no;
    free_all_to_keep(world, listing)?;
    take_back(world, of);
    pools.extend(list(world, of).freed.iter().copied());
    let mut walk = Walk::new(world, of, pools);
    loop {
        let at = match step(world, of, pools, &walk) {
            Step::Load(need) => return Err(need),
            Step::End => return Ok(None),
            Step::Next(at) => at,
        };
        walk.after = at.no;
        let entry = Arc::clone(&world.waitlists.entries[&at]);
        if let Some(why) = ended(&entry, listing, world.now) {
            world.end_entry(at, EntryState::Closed, Some(why), &Actor::System);
            walk.look(world, of, pools);
            continue;
        }
        if matches!(entry.want, Want::Any(_)) && !listing.kind().is_dated() && !list(world, of).whole {
            return Err(Need::Whole);
        }
        let Some(units) = fit(world, listing, &entry.want) else {
            walk.short += 1;
            if entry.skipped >= MAX_SKIPS {
                hold_back(world, listing, &entry, pools);
                walk.look(world, of, pools);
            }
            continue;
        };
        let its: BTreeSet<PoolNo> = units.iter().map(|(pool, _)| *pool).collect();
        if !its.is_subset(pools) {
            return Ok(Some(its));
        }
        if list(world, of).written >= MAX_WRITTEN {
            cut_off(world, &entry, pools);
            return Ok(None);
        }
        if world.booking_numbers.is_empty() {
            return Err(Need::Numbers(usize::try_from(walk.free).unwrap_or(1).clamp(1, MAX_WRITTEN)));
        }
        match offer(world, listing, &entry, &units) {
            Ok(()) => {
                let taken = Taken { pools: its, by: entry.customer.identity() };
                if pass_over(world, listing, &taken, Some(&entry)) {
                    return Ok(Some(taken.pools));
                }
            }
            Err(refusal) if refusal.code == Code::CustomerLimit => {
                world.end_entry(at, EntryState::Closed, Some(Ended::CustomerLimit), &Actor::System);
            }
            // It is not on sale now, or costs more than can be written: it goes on waiting.
            Err(_) => {}
        }
        walk.look(world, of, pools);
    }
}

/// How far a walk has come.
struct Walk {
    /// Entries up to this one were looked at.
    after: EntryNo,
    /// How many of them could not get what they want.
    short: usize,
    /// How far the entries are loaded that have to do with the pools.
    loaded: Loaded,
    /// Units that can be had of all pools together.
    free: i64,
    /// Units that can be had of the pool with the most.
    most: i64,
}

impl Walk {
    fn new(world: &World, of: ListingNo, pools: &BTreeSet<PoolNo>) -> Self {
        let list = world.waitlists.lists.get(&of);
        let loaded = list.and_then(|list| list.loaded.get(pools)).copied().unwrap_or_default();
        let mut walk = Self { after: EntryNo(0), short: 0, loaded, free: 0, most: 0 };
        walk.look(world, of, pools);
        walk
    }

    /// Notes what can be had now. There may be very many pools: only where that has changed.
    fn look(&mut self, world: &World, of: ListingNo, pools: &BTreeSet<PoolNo>) {
        let free = pools.iter().map(|pool| available(world, of, *pool));
        (self.free, self.most) = free.fold((0, 0), |(sum, most), units| (sum + units, most.max(units)));
    }
}

fn available(world: &World, of: ListingNo, pool: PoolNo) -> i64 {
    world.pool(PoolRef { listing: of, pool }).map_or(0, |pool| pool.available())
}

/// What a walk finds next.
fn step(world: &World, of: ListingNo, pools: &BTreeSet<PoolNo>, walk: &Walk) -> Step {
    let Walk { after, short, loaded, free, most } = *walk;
    let lists = &world.waitlists;
    let Some(list) = lists.lists.get(&of).filter(|_| most > 0) else { return Step::End };
    let later = list.waiting.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
    let next = later
        .copied()
        .find(|no| lists.entries[&EntryRef { listing: of, no: *no }].want.reach().covers_any(pools));
    let narrow = loaded.narrow.filter(|(loaded_for, ..)| *loaded_for >= most);
    let looks_narrow = !loaded.complete && (narrow.is_some() || short >= MAX_LOOK);
    let (through, complete) = match narrow {
        _ if loaded.complete => (loaded.through, true),
        Some((_, through, complete)) if looks_narrow => (through, complete),
        _ => (loaded.through, false),
    };
    // As many as can get something in this batch, and the next one.
    let useful =
        usize::try_from(free).unwrap_or(usize::MAX).min(MAX_WRITTEN.saturating_sub(list.written)) + 1;
    match next {
        Some(no) if complete || no <= through => Step::Next(EntryRef { listing: of, no }),
        None if complete => Step::End,
        _ => {
            let most = looks_narrow.then_some(most);
            Step::Load(Need::Waiting(Ask::portion(pools.clone(), through, most, useful)))
        }
    }
}

/// Nothing is kept for anybody any more; all pools of which something was have to be looked at.
fn take_back(world: &mut World, of: ListingNo) {
    let lists = &world.waitlists;
    let keepers = lists.lists.get(&of).into_iter().flat_map(|list| &list.keepers);
    let keepers: Vec<Entry> =
        keepers.map(|no| Entry::clone(&lists.entries[&EntryRef { listing: of, no: *no }])).collect();
    for mut entry in keepers {
        world.give_back(&mut entry);
        world.update_entry(entry);
    }
}

/// Keeps what is free of its pools for an entry that was passed over often enough, as much as it needs. Nothing for whom
/// nothing could be had anyway: who wants more than there is in all, or has as much as one may have.
fn hold_back(world: &mut World, listing: &Listing, entry: &Entry, pools: &BTreeSet<PoolNo>) {
    let asked = needed(world, listing, &entry.want);
    // What the customer holds elsewhere may lapse before its turn comes; what it has does not.
    let kind = AdmissionKind::Sale;
    match admit(world, &admission(listing, entry, &asked, kind)) {
        Err(refusal) if refusal.code == Code::CustomerLimit => {
            let why = Some(Ended::CustomerLimit);
            return world.end_entry(entry.at(), EntryState::Closed, why, &Actor::System);
        }
        Err(refusal) if refusal.code == Code::NotOnSale => return,
        Err(_) | Ok(()) => {}
    }
    let most = |pools: Vec<PoolNo>| pools.into_iter().map(|pool| (pool, i64::MAX)).collect();
    let kept = match &entry.want {
        Want::Lines(lines) if exists(world, listing, &entry.want, Pool::sellable) => {
            lines.iter().map(|line| (line.pool, line.quantity)).collect()
        }
        // Units of one night will do, so those of one are kept: of which it has most already.
        Want::Any(_) if listing.kind().is_dated() => {
            let sold = pools.iter().filter(|pool| !listing.sale_is_over(**pool, world.now));
            let one = sold.max_by_key(|pool| available(world, listing.no, **pool)).copied();
            most(one.into_iter().collect())
        }
        Want::Any(_) if exists(world, listing, &entry.want, Pool::sellable) => {
            let all = world.pools_of(listing.no).into_iter().map(|(no, _)| no);
            most(all.filter(|pool| !listing.sale_is_over(*pool, world.now)).collect())
        }
        Want::Lines(_) | Want::Any(_) => Vec::new(),
    };
    keep(world, entry.clone(), kept);
}

/// This batch has written enough: all that is free is kept until the next goes on, at once.
fn cut_off(world: &mut World, entry: &Entry, pools: &BTreeSet<PoolNo>) {
    let due_at = Some(world.now);
    let all = pools.iter().map(|pool| (*pool, i64::MAX)).collect();
    keep(world, Entry { due_at, ..entry.clone() }, all);
}

/// Keeps so many units at most of each of these pools for an entry.
fn keep(world: &mut World, mut entry: Entry, most: Vec<(PoolNo, i64)>) {
    let of = entry.listing;
    entry.kept = most.into_iter().map(|(pool, most)| (pool, most.min(available(world, of, pool)))).collect();
    entry.kept.retain(|(_, units)| *units > 0);
    for &(pool, units) in &entry.kept {
        world.keep(PoolRef { listing: of, pool }, units);
    }
    world.update_entry(entry);
}

/// What has to be admitted for an entry to get these units.
fn admission<'a>(
    listing: &'a Listing,
    entry: &'a Entry,
    asked: &'a [(PoolNo, i64)],
    kind: AdmissionKind,
) -> Admission<'a> {
    Admission {
        listing,
        policy: listing.policy(),
        asked,
        customer: &entry.customer,
        // It has counted since it joined.
        address: None,
        own: None,
        kind,
        window: Window::Waiting,
    }
}

/// Holds these units for an entry.
fn offer(
    world: &mut World,
    listing: &Arc<Listing>,
    entry: &Entry,
    units: &[(PoolNo, i64)],
) -> Result<(), Refusal> {
    let lines = price(world, listing, units, "lines")?;
    crate::decide::check_total(&lines, "lines")?;
    let policy = listing.policy();
    admit(world, &admission(listing, entry, units, AdmissionKind::Hold))?;
    let deadline = world.now.plus_seconds(policy.hold_seconds);
    let id = BookingId::from_bits(uuid_v7_bits(world.now.millis(), random_bits(entry.id.bits())));
    let booking = Booking {
        no: BookingNo(0),
        id,
        listing: listing.no,
        policy: listing.policy_no(),
        version: 1,
        events: 0,
        state: State::Held,
        total: lines.total(),
        lines,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        deadline: Some(deadline),
        created_at: world.now,
        customer: entry.customer.clone(),
        address: entry.address.clone(),
        note: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: entry.created_by,
        details: Details { offer: Some(Offer { entry: entry.id, taken: false }), ..Details::default() },
    };
    let no = world.insert_booking(booking, &[EventKind::BookingHeld], &Actor::System);
    // Ids and times need no quoting, and there are thousands of these at once.
    let data = format!(r#"{{"id":"{}","booking_id":"{id}","due_at":"{deadline}"}}"#, entry.id);
    world.listing_event(EventKind::WaitlistOffered, listing.no, &Actor::System, data);
    world.change_entry(entry.at(), |entry| {
        (entry.state, entry.booking, entry.due_at) = (EntryState::Offered, Some(no), None);
    });
    list(world, listing.no).written += 1;
    Ok(())
}

/// Counts those as passed over of whose pools less is left now than they need: in favour of an entry those who wait before
/// it, in favour of somebody who did not wait everybody. Whether there is more to be kept for one of them now.
fn pass_over(world: &mut World, listing: &Listing, taken: &Taken, in_favour_of: Option<&Entry>) -> bool {
    let before = in_favour_of.map(|entry| entry.no);
    let earlier =
        candidates(world, listing.no, &taken.pools).take_while(|entry| before.is_none_or(|no| entry.no < no));
    let is_passed = |entry: &&Entry| entry.skipped < MAX_SKIPS && minds(world, entry, taken);
    let passed: Vec<Entry> = earlier.take(MAX_LOOK).filter(is_passed).cloned().collect();
    let mut more = false;
    for entry in passed {
        let skipped = entry.skipped + 1;
        if skipped == MAX_SKIPS {
            more = true;
            // From now on what is left of its pools is kept, of the others too.
            let list = list(world, listing.no);
            match &entry.want {
                Want::Lines(lines) => list.freed.extend(lines.iter().map(|line| line.pool)),
                Want::Any(_) => list.all_to_keep = true,
            }
        }
        let data = json!({
            "id": entry.id,
            "skipped": skipped,
            "wants": entry.want.units(listing),
            "in_favour_of": in_favour_of.map(|entry| entry.id),
            "pools": taken.pools.iter().take(MAX_POOLS_TOLD).map(|pool| listing.pool_key(*pool)).collect::<Vec<_>>(),
        });
        world.listing_event(EventKind::WaitlistSkipped, listing.no, &Actor::System, data.to_string());
        world.change_entry(entry.at(), |entry| entry.skipped = skipped);
        list(world, listing.no).written += 1;
    }
    more
}

/// Whether an entry has lost something by what was taken, and not by its own customer: of a pool less is left than it
/// needs. Of any pool it could have used every unit.
fn minds(world: &World, entry: &Entry, taken: &Taken) -> bool {
    let is_own = taken.by.is_some() && taken.by == entry.customer.identity();
    let is_short = match &entry.want {
        Want::Lines(lines) => lines.iter().any(|line| {
            taken.pools.contains(&line.pool) && available(world, entry.listing, line.pool) < line.quantity
        }),
        Want::Any(_) => true,
    };
    is_short && !is_own
}
