//! The release function. What came free goes to those who wait, in order, before anybody else looks; what they cannot
//! use is there for everybody.
//!
//! It works on what is loaded and says what it needs beyond that ([`Need`]); whoever drives it loads that and calls it
//! again, until it needs nothing more. What it has done until then stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::fit::fit;
use super::list::List;
use super::{Ended, Entry, EntryState, MAX_SKIPS, Want, ended};
use crate::admission::{Admission, AdmissionKind, Window as Sale, admit, price};
use crate::booking::{Booking, Details, Offer, State};
use crate::command::Actor;
use crate::event::EventKind;
use crate::id::{BookingId, BookingNo, EntryNo, EntryRef, ListingNo, random_bits, uuid_v7_bits};
use crate::listing::{Kind, Listing};
use crate::pool::{PoolNo, PoolRef};
use crate::refusal::{Code, Refusal};
use crate::world::World;

/// How many of those who wait first are looked at one by one and counted as passed over. Behind them only those are
/// looked for who fit.
const MAX_LOOK: usize = 2_048;
/// Fewest and most entries that are loaded at once.
const CHUNK: (i64, i64) = (64, 1_024);
/// Offers and skips that one batch may write: a small part of a second's work, so that others are not kept waiting. What
/// is still free then is kept, and given away by the next.
const MAX_WRITTEN: usize = 2_048;

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
        let window =
            self.waitlists.lists.entry(of).or_default().windows.entry(ask.pools.clone()).or_default();
        match ask.most {
            None => (window.through, window.complete) = (through, complete),
            Some(most) => window.narrow = Some((most, through, complete)),
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
    while let Some(pools) = self::list(world, of).taken.last().cloned() {
        look(world, of, &pools)?;
        pass_over(world, &listing, &pools, None, None);
        let list = self::list(world, of);
        list.taken.pop();
        // For who was passed over often enough the rest is kept now.
        list.freed.extend(pools);
    }
    let mut pools = to_look_at(world, &listing)?;
    while let Some(more) = give(world, &listing, &mut pools)? {
        pools.extend(more);
        pools.extend(to_look_at(world, &listing)?);
    }
    self::list(world, of).freed.clear();
    Ok(())
}

/// The pools that came free, and those of whoever was passed over for the last time.
fn to_look_at(world: &mut World, listing: &Listing) -> Result<BTreeSet<PoolNo>, Need> {
    let of = listing.no;
    let list = list(world, of);
    if list.all_to_keep && !list.whole && !dated(listing) {
        return Err(Need::Whole);
    }
    if std::mem::take(&mut list.all_to_keep) {
        let free = world.pools_of(of).into_iter().filter(|(_, pool)| pool.available() > 0);
        let free: Vec<PoolNo> = free.map(|(no, _)| no).collect();
        self::list(world, of).freed.extend(free);
    }
    Ok(self::list(world, of).freed.clone())
}

fn list(world: &mut World, of: ListingNo) -> &mut List {
    world.waitlists.lists.entry(of).or_default()
}

/// Has the first entries loaded that have to do with these pools.
fn look(world: &mut World, of: ListingNo, pools: &BTreeSet<PoolNo>) -> Result<(), Need> {
    let window = list(world, of).windows.get(pools).copied().unwrap_or_default();
    if window.complete || candidates(world, of, pools).take(MAX_LOOK).count() >= MAX_LOOK {
        return Ok(());
    }
    let limit = u32::try_from(MAX_LOOK).unwrap_or(u32::MAX);
    Err(Need::Waiting(Ask { pools: pools.clone(), after: window.through, most: None, limit }))
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
    entries.filter(|entry| {
        let reach = entry.want.reach();
        pools.iter().any(|pool| reach.covers(*pool))
    })
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
    let back = take_back(world, of);
    // They have to be looked at whatever else has to be loaded before: it is kept for nobody now.
    list(world, of).freed.extend(&back);
    pools.extend(back);
    let mut after = EntryNo(0);
    let mut short = 0;
    loop {
        let at = match step(world, listing, pools, after, short) {
            Step::Load(need) => return Err(need),
            Step::End => return Ok(None),
            Step::Next(at) => at,
        };
        after = at.no;
        let entry = world.waitlists.entries[&at].clone();
        if let Some(why) = ended(&entry, listing, world.now) {
            world.end_entry(at, EntryState::Closed, Some(why), &Actor::System);
            continue;
        }
        if matches!(entry.want, Want::Any(_)) && !dated(listing) && !list(world, of).whole {
            return Err(Need::Whole);
        }
        let Some(units) = fit(world, listing, &entry.want) else {
            short += 1;
            keep(world, listing, &entry);
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
            let free: i64 = pools.iter().map(|pool| available(world, of, *pool)).sum();
            return Err(Need::Numbers(usize::try_from(free).unwrap_or(1).clamp(1, MAX_WRITTEN)));
        }
        match offer(world, listing, &entry, &units) {
            Ok(()) => {
                let reached = pass_over(world, listing, &its, Some(at.no), Some(&entry));
                if reached {
                    return Ok(Some(its));
                }
            }
            Err(refusal) if refusal.code == Code::CustomerLimit => {
                world.end_entry(at, EntryState::Closed, Some(Ended::CustomerLimit), &Actor::System);
            }
            // It is not on sale now, or costs more than can be written: it goes on waiting.
            Err(_) => {}
        }
    }
}

fn available(world: &World, of: ListingNo, pool: PoolNo) -> i64 {
    world.pool(PoolRef { listing: of, pool }).map_or(0, |pool| pool.available())
}

const fn dated(listing: &Listing) -> bool {
    matches!(listing.kind(), Kind::Nights | Kind::Slots)
}

/// The next entry after one, of which `short` before it could not get what they want.
fn step(world: &World, listing: &Listing, pools: &BTreeSet<PoolNo>, after: EntryNo, short: usize) -> Step {
    let of = listing.no;
    let free: Vec<i64> = pools.iter().map(|pool| available(world, of, *pool)).collect();
    let Some(most) = free.iter().copied().max().filter(|most| *most > 0) else { return Step::End };
    let lists = &world.waitlists;
    let Some(list) = lists.lists.get(&of) else { return Step::End };
    let window = list.windows.get(pools).copied().unwrap_or_default();
    let later = list.waiting.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
    let next = later.copied().find(|no| {
        let reach = lists.entries[&EntryRef { listing: of, no: *no }].want.reach();
        pools.iter().any(|pool| reach.covers(*pool))
    });
    let narrow = window.narrow.filter(|(loaded_for, ..)| *loaded_for >= most);
    let looks_narrow = !window.complete && (narrow.is_some() || short >= MAX_LOOK);
    let (through, complete) = match narrow {
        _ if window.complete => (window.through, true),
        Some((_, through, complete)) if looks_narrow => (through, complete),
        _ => (window.through, false),
    };
    match next {
        Some(no) if complete || no <= through => Step::Next(EntryRef { listing: of, no }),
        None if complete => Step::End,
        _ => {
            let wanted = free.iter().sum::<i64>().clamp(CHUNK.0, CHUNK.1);
            Step::Load(Need::Waiting(Ask {
                pools: pools.clone(),
                after: through,
                most: looks_narrow.then_some(most),
                limit: u32::try_from(wanted).unwrap_or(u32::MAX),
            }))
        }
    }
}

/// Nothing is kept for anybody any more. Of which pools something was.
fn take_back(world: &mut World, of: ListingNo) -> BTreeSet<PoolNo> {
    let lists = &world.waitlists;
    let keepers = lists.lists.get(&of).into_iter().flat_map(|list| &list.keepers);
    let keepers: Vec<Entry> =
        keepers.map(|no| lists.entries[&EntryRef { listing: of, no: *no }].clone()).collect();
    let mut pools = BTreeSet::new();
    for mut entry in keepers {
        for (pool, units) in std::mem::take(&mut entry.kept) {
            world.keep(PoolRef { listing: of, pool }, -units);
            pools.insert(pool);
        }
        world.update_entry(entry);
    }
    pools
}

/// Keeps what is free of its pools for an entry that was passed over often enough.
fn keep(world: &mut World, listing: &Listing, entry: &Entry) {
    if entry.skipped < MAX_SKIPS {
        return;
    }
    let wanted: Vec<(PoolNo, i64)> = match &entry.want {
        Want::Lines(lines) => lines.iter().map(|line| (line.pool, line.quantity)).collect(),
        Want::Any(quantity) => {
            let mut missing = *quantity;
            let pools = world
                .pools_of(listing.no)
                .into_iter()
                .filter(|(no, _)| listing.sale_ends_at(*no).is_none_or(|ends| world.now < ends));
            let parts = pools.map(|(no, pool)| {
                let part = missing.min(pool.available());
                missing -= part;
                (no, part)
            });
            parts.collect()
        }
    };
    let mut kept = Vec::new();
    for (pool, quantity) in wanted {
        let units = quantity.min(available(world, listing.no, pool));
        if units > 0 {
            world.keep(PoolRef { listing: listing.no, pool }, units);
            kept.push((pool, units));
        }
    }
    if !kept.is_empty() {
        world.update_entry(Entry { kept, ..entry.clone() });
    }
}

/// This batch has written enough: all that is free is kept until the next goes on, at once.
fn cut_off(world: &mut World, entry: &Entry, pools: &BTreeSet<PoolNo>) {
    let mut kept = Vec::new();
    for pool in pools {
        let units = available(world, entry.listing, *pool);
        if units > 0 {
            world.keep(PoolRef { listing: entry.listing, pool: *pool }, units);
            kept.push((*pool, units));
        }
    }
    world.update_entry(Entry { kept, due_at: Some(world.now), ..entry.clone() });
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
    admit(
        world,
        &Admission {
            listing,
            policy,
            asked: units,
            customer: &entry.customer,
            address: None,
            own: None,
            kind: AdmissionKind::Hold,
            window: Sale::Waiting,
        },
    )?;
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
        address: None,
        note: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: entry.created_by,
        details: Details { offer: Some(Offer { entry: entry.id, taken: false }), ..Details::default() },
    };
    let no = world.insert_booking(booking, &[EventKind::BookingHeld], &Actor::System);
    let data = json!({ "id": entry.id, "booking_id": id, "due_at": deadline });
    world.listing_event(EventKind::WaitlistOffered, listing.no, &Actor::System, data.to_string());
    let offered = EntryState::Offered;
    world.update_entry(Entry { state: offered, booking: Some(no), due_at: None, ..entry.clone() });
    list(world, listing.no).written += 1;
    Ok(())
}

/// Counts those who wait before `before` as passed over, in favour of an entry or of somebody who did not wait. Whether
/// one of them was so for the last time.
fn pass_over(
    world: &mut World,
    listing: &Listing,
    pools: &BTreeSet<PoolNo>,
    before: Option<EntryNo>,
    for_whom: Option<&Entry>,
) -> bool {
    let earlier =
        candidates(world, listing.no, pools).take_while(|entry| before.is_none_or(|no| entry.no < no));
    let passed: Vec<Entry> =
        earlier.take(MAX_LOOK).filter(|entry| entry.skipped < MAX_SKIPS).cloned().collect();
    let mut reached = false;
    for entry in passed {
        let skipped = entry.skipped + 1;
        if skipped == MAX_SKIPS {
            reached = true;
            // From now on everything of its pools is kept, what is left of the others too.
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
            "in_favour_of": for_whom.map(|entry| entry.id),
            "pools": pools.iter().take(MAX_POOLS_TOLD).map(|pool| listing.pool_key(*pool)).collect::<Vec<_>>(),
        });
        world.listing_event(EventKind::WaitlistSkipped, listing.no, &Actor::System, data.to_string());
        world.update_entry(Entry { skipped, ..entry });
        list(world, listing.no).written += 1;
    }
    reached
}
