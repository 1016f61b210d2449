//! Who waits, as somebody would work it out with the log and a pencil: commit by commit, event by event, in other words
//! than the product's. The release function knows pools that came free, reaches and windows; here everybody on the list
//! is asked each time, from the first on.

use std::collections::{BTreeMap, BTreeSet};

use lastseat_core::booking::{Booking, State};
use lastseat_core::event::{EventData, EventKind, NewEvent};
use lastseat_core::id::{BookingNo, EntryNo, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolNo;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Entry, EntryState, Want};
use lastseat_core::world::World;
use lastseat_store::Read;
use lastseat_store::verify::verify_snapshot;
use serde_json::Value;

use crate::model::as_of;
use crate::requests::entries;

mod walk;

use walk::lacks;

/// How often somebody may be passed over.
const PATIENCE: u32 = 10;
/// Of so many commits that change a list, one is verified as a whole.
const VERIFIED: u64 = 5;

/// Units of pools.
type Units = BTreeMap<PoolNo, i64>;

/// What is known from the commits before.
#[derive(Default)]
pub(crate) struct Waits {
    /// Per listing and pool: what can be sold of it at all, and what of that is taken.
    pools: BTreeMap<ListingNo, BTreeMap<PoolNo, (i64, i64)>>,
    listings: BTreeMap<ListingNo, Listing>,
    /// How many changed something of a list.
    commits: u64,
}

impl Waits {
    /// Looks at a commit.
    pub(crate) fn commit(&mut self, read: &dyn Read, world: &World) -> Result<(), String> {
        let entries = world.changed_entries().map(|(_, entry)| entry.listing);
        let events = world.changes.events.iter().map(|event| event.listing);
        let pools = world.changes.pools.iter().map(|at| at.listing);
        let touched: BTreeSet<ListingNo> = entries.chain(events).chain(pools).collect();
        let listings = read.listings().unwrap();
        for listing in listings.into_iter().filter(|listing| touched.contains(&listing.no)) {
            let after = stock(read, &listing);
            let before = self.pools.insert(listing.no, after.clone()).unwrap_or_else(|| after.clone());
            let old = self.listings.insert(listing.no, listing.clone()).unwrap_or_else(|| listing.clone());
            let replay = Replay::new(read, world, (old, listing.clone()), before, after);
            let done = check_rows(read, world, &listing).and_then(|()| replay.run());
            let what = || world.changes.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>();
            done.map_err(|error| format!("at {} in {}: {error}, with {:?}", world.now, listing.id, what()))?;
        }
        // It looks at everything, which takes its time.
        self.commits += u64::from(world.has_changed_entries());
        if !world.has_changed_entries() || !self.commits.is_multiple_of(VERIFIED) {
            return Ok(());
        }
        let report = verify_snapshot(read).map_err(|error| error.to_string())?;
        match report.checks.iter().find(|check| !check.broken.is_empty()) {
            Some(check) => Err(format!("at {}, {}: {:?}", world.now, check.name, check.broken)),
            None => Ok(()),
        }
    }
}

/// What can be sold, and what is taken.
fn stock(read: &dyn Read, listing: &Listing) -> BTreeMap<PoolNo, (i64, i64)> {
    let numbers =
        |pool: lastseat_core::pool::Pool| (pool.capacity - pool.blocked, pool.held + pool.confirmed);
    read.pools(listing.no).unwrap().into_iter().map(|(no, pool)| (no, numbers(pool))).collect()
}

/// What can be seen in the rows alone.
fn check_rows(read: &dyn Read, world: &World, listing: &Listing) -> Result<(), String> {
    for (old, new) in world.changed_entries().filter(|(_, new)| new.listing == listing.no) {
        let Some(old) = old else { continue };
        let as_joined = |entry: &Entry| {
            (entry.id, entry.want.clone(), entry.customer.clone(), entry.created_at, entry.joined_behind)
        };
        if as_joined(old) != as_joined(new) || (old.state != EntryState::Waiting && old.state != new.state) {
            return Err(format!("an entry became another: {old:?}, {new:?}"));
        }
    }
    let mut live = BTreeSet::new();
    for entry in entries(read, listing.no) {
        let may_book = match entry.booking.map(|no| read.booking_at(no).unwrap()) {
            None => entry.state == EntryState::Waiting,
            Some(None) => return Err(format!("{} was offered a booking that is not there", entry.id)),
            Some(Some(offer)) => {
                let taken = match offer.details.offer {
                    Some(named) if named.entry == entry.id && entry.state == EntryState::Offered => {
                        named.taken
                    }
                    _ => return Err(format!("{entry:?} and {offer:?} do not name each other")),
                };
                offer.state == State::Held && !taken
            }
        };
        if entry.state == EntryState::Offered && entry.booking.is_none() {
            return Err(format!("{} was offered nothing", entry.id));
        }
        let identity = entry.customer.identity().filter(|_| may_book);
        if let Some(identity) = identity
            && !live.insert(identity)
        {
            return Err(format!("the customer of {} waits twice", entry.id));
        }
        // What is kept for somebody who is due is only kept until the next commit, for whoever is first.
        let is_early = entry.skipped < PATIENCE && entry.due_at.is_none_or(|due| due > world.now);
        if entry.skipped > PATIENCE || (!entry.kept.is_empty() && is_early) {
            return Err(format!("{entry:?} was passed over too often, or keeps something too early"));
        }
    }
    Ok(())
}

/// How often somebody is to be noted as passed over: at least, and at most.
#[derive(Default)]
struct Passed {
    must: u32,
    may: u32,
}

/// One commit, event by event.
struct Replay<'a> {
    read: &'a dyn Read,
    /// The listing as it is at this point.
    listing: Listing,
    /// As it is in the end.
    edited: Listing,
    now: Time,
    events: Vec<&'a NewEvent>,
    all: Vec<Entry>,
    /// Who waits at this point.
    waiting: BTreeMap<EntryNo, Entry>,
    /// What can be sold at this point, and what of that is taken.
    stock: BTreeMap<PoolNo, (i64, i64)>,
    after: BTreeMap<PoolNo, (i64, i64)>,
    /// Whom somebody has got units before, and it was not noted yet.
    passed: BTreeMap<EntryNo, Passed>,
    /// Transitions that were seen.
    seen: BTreeSet<(BookingNo, u32)>,
}

impl<'a> Replay<'a> {
    fn new(
        read: &'a dyn Read,
        world: &'a World,
        (listing, edited): (Listing, Listing),
        before: BTreeMap<PoolNo, (i64, i64)>,
        after: BTreeMap<PoolNo, (i64, i64)>,
    ) -> Self {
        let all = entries(read, listing.no);
        let mut waiting: BTreeMap<EntryNo, Entry> =
            all.iter().map(|entry| (entry.no, entry.clone())).collect();
        for (old, new) in world.changed_entries().filter(|(_, new)| new.listing == listing.no) {
            match old {
                Some(old) => drop(waiting.insert(new.no, old.clone())),
                None => drop(waiting.remove(&new.no)),
            }
        }
        waiting.retain(|_, entry| entry.state == EntryState::Waiting);
        let events = world.changes.events.iter().filter(|event| event.listing == listing.no).collect();
        Self {
            read,
            listing,
            edited,
            now: world.now,
            events,
            all,
            waiting,
            stock: before,
            after,
            passed: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Result<(), String> {
        for event in std::mem::take(&mut self.events) {
            match &event.data {
                EventData::Booking(_) => {
                    let no = event.booking.unwrap();
                    if self.seen.insert((no, event.version)) {
                        self.transition(no, event.version)?;
                    }
                }
                EventData::Listing(data) => self.told(event.kind, &serde_json::from_str(data).unwrap())?,
            }
        }
        if self.stock != self.after {
            return Err(format!("by the log there is {:?}, and not {:?}", self.stock, self.after));
        }
        self.check_end()
    }

    /// Nobody waits who could be served, and what is kept is what should be.
    fn check_end(&self) -> Result<(), String> {
        if let Some((no, times)) = self.passed.iter().find(|(_, times)| times.must > 0) {
            return Err(format!("entry {} was passed over {} times unnoticed", no.0, times.must));
        }
        let now = |no: &EntryNo| self.all.iter().find(|entry| entry.no == *no).unwrap();
        if let Some(no) = self.waiting.keys().find(|no| now(no).state != EntryState::Waiting) {
            return Err(format!("by the log entry {} waits: {:?}", no.0, now(no)));
        }
        if let Some(entry) = self.waiting.values().find(|entry| now(&entry.no).skipped != entry.skipped) {
            return Err(format!("entry {} was passed over more often than is written", entry.no.0));
        }
        let waiting = self.all.iter().filter(|entry| entry.state == EntryState::Waiting);
        if let Some(entry) = waiting.clone().find(|entry| !self.waiting.contains_key(&entry.no)) {
            return Err(format!("by the log entry {} does not wait: {entry:?}", entry.no.0));
        }
        let mut kept = Units::new();
        for (pool, units) in waiting.clone().flat_map(|entry| &entry.kept) {
            *kept.entry(*pool).or_default() += units;
        }
        let pools = self.read.pools(self.listing.no).unwrap();
        for (no, pool) in &pools {
            if pool.kept != kept.remove(no).unwrap_or_default() || pool.kept < 0 {
                return Err(format!(
                    "what is kept of {} is not what entries keep",
                    self.listing.pool_key(*no)
                ));
            }
        }
        if !kept.is_empty() {
            return Err(format!("units are kept of pools that do not exist: {kept:?}"));
        }
        let left: Units = pools.iter().map(|(no, pool)| (*no, pool.available())).collect();
        if let Some(entry) = waiting.clone().find(|entry| self.may_get(entry, &left).is_some()) {
            return Err(format!("entry {} waits, although {left:?} would do: {entry:?}", entry.no.0));
        }
        let goes_on_at_once =
            |entry: &Entry| !entry.kept.is_empty() && entry.due_at.is_some_and(|due| due <= self.now);
        if !self.tells_kept() || waiting.clone().any(goes_on_at_once) {
            return Ok(());
        }
        let (_, expected) = self.walk();
        for entry in waiting.filter(|entry| self.goes_on(entry)) {
            let kept: Units = entry.kept.iter().copied().collect();
            if &kept != expected.get(&entry.no).unwrap_or(&Units::new()) {
                return Err(format!("{kept:?} is kept for entry {}, and not {expected:?}", entry.no.0));
            }
        }
        Ok(())
    }

    /// A booking became what it is at this version.
    fn transition(&mut self, no: BookingNo, version: u32) -> Result<(), String> {
        let before = (version > 1).then(|| as_of(self.read, no, version - 1)).flatten();
        let Some(after) = as_of(self.read, no, version) else {
            return Err(format!("the log does not tell version {version} of booking {}", no.0));
        };
        let mut moved = claims(&after);
        for (pool, units) in before.as_ref().map(claims).unwrap_or_default() {
            *moved.entry(pool).or_default() -= units;
        }
        let gained: Units =
            moved.iter().map(|(no, units)| (*no, *units)).filter(|(_, units)| *units > 0).collect();
        let offer = after.details.offer.filter(|_| before.is_none());
        if !gained.is_empty() {
            let (first, kept) = self.walk();
            // Who gets the units of one night that is kept for somebody is not known if it is not known which.
            let offered = offer.and_then(|offer| self.waiting.values().find(|entry| entry.id == offer.entry));
            let first = match offered {
                _ if self.tells_kept() => first,
                Some(entry) => self.may_get(entry, &gained).map(|units| (entry.no, units)),
                None => None,
            };
            let for_whom = match (offer, first) {
                (Some(offer), Some((first, units))) if self.waiting[&first].id == offer.entry => {
                    let fits = match &self.waiting[&first].want {
                        Want::Lines(_) => units == gained,
                        Want::Any(quantity) => {
                            let dated = self.listing.kind().is_dated();
                            gained.values().sum::<i64>() == *quantity && (!dated || gained.len() == 1)
                        }
                    };
                    if !fits {
                        return Err(format!("entry {} wants {units:?} and got {gained:?}", first.0));
                    }
                    Some(first)
                }
                (Some(offer), first) => {
                    return Err(format!("{} is offered something, and not {first:?}", offer.entry));
                }
                (None, Some((first, units))) => {
                    return Err(format!(
                        "booking {} gets {gained:?}, while entry {} waits, for whom {units:?} would do",
                        no.0, first.0
                    ));
                }
                (None, None) => None,
            };
            self.check_kept(&gained, &kept, for_whom, no)?;
            let left: Units = gained.iter().map(|(no, units)| (*no, self.left(*no, &kept) - units)).collect();
            let passes = |entry: &&Entry| {
                let own = after.customer.identity();
                let is_own = own.is_some() && own == entry.customer.identity();
                for_whom.is_none_or(|whom| entry.no < whom)
                    && entry.skipped < PATIENCE
                    && !is_own
                    && lacks(entry, &left)
            };
            let passed = self.waiting.values().filter(passes);
            let passed = passed.map(|entry| (entry.no, self.goes_on(entry) && self.tells_kept()));
            for (no, is_certain) in passed.collect::<Vec<_>>() {
                let passed = self.passed.entry(no).or_default();
                passed.may += 1;
                // Who has waited for too long may have been noticed before or after.
                passed.must += u32::from(is_certain);
            }
        }
        for (pool, units) in moved.into_iter().filter(|(_, units)| *units != 0) {
            self.stock.entry(pool).or_default().1 += units;
        }
        Ok(())
    }

    /// Nobody gets what is kept for those before.
    fn check_kept(
        &self,
        gained: &Units,
        kept: &BTreeMap<EntryNo, Units>,
        for_whom: Option<EntryNo>,
        booking: BookingNo,
    ) -> Result<(), String> {
        if !self.tells_kept() {
            return Ok(());
        }
        for (pool, units) in gained {
            let before = kept.iter().filter(|(no, _)| for_whom.is_none_or(|whom| **no < whom));
            let kept: i64 = before.filter_map(|(_, units)| units.get(pool)).sum();
            let (all, taken) = self.stock.get(pool).copied().unwrap_or_default();
            if *units > all - taken - kept {
                return Err(format!(
                    "booking {} gets {units} of {pool:?}, of which {kept} are kept",
                    booking.0
                ));
            }
        }
        Ok(())
    }

    /// Whether what is kept can be told: for whom any night will do, it depends on which were looked at.
    fn tells_kept(&self) -> bool {
        let is_free = |entry: &Entry| matches!(entry.want, Want::Any(_)) && entry.skipped >= PATIENCE;
        !(self.listing.kind().is_dated() && self.waiting.values().any(is_free))
    }

    /// What can be had of a pool besides what is kept.
    fn left(&self, pool: PoolNo, kept: &BTreeMap<EntryNo, Units>) -> i64 {
        let (all, taken) = self.stock.get(&pool).copied().unwrap_or_default();
        all - taken - kept.values().filter_map(|units| units.get(&pool)).sum::<i64>()
    }

    fn told(&mut self, kind: EventKind, data: &Value) -> Result<(), String> {
        let named = self.all.iter().find(|entry| data["id"] == entry.id.to_string());
        let Some(entry) = named else {
            if matches!(kind, EventKind::ListingUpdated | EventKind::ListingCancelled) {
                self.edit(data);
            }
            return Ok(());
        };
        let no = entry.no;
        match kind {
            EventKind::WaitlistJoined => {
                let last = self.waiting.keys().next_back();
                if last.is_some_and(|last| *last > no) {
                    return Err(format!("entry {} joined before others who waited already", no.0));
                }
                let reach = entry.want.reach();
                let ahead = self.waiting.values().filter(|other| other.want.reach().meets(reach)).count();
                if data["ahead"] != ahead {
                    return Err(format!("entry {} joined behind {ahead}, and was told {data}", no.0));
                }
                self.waiting.insert(no, Entry { skipped: 0, ..entry.clone() });
            }
            EventKind::WaitlistSkipped => {
                let Some(entry) = self.waiting.get_mut(&no) else {
                    return Err(format!("entry {} was passed over, and does not wait", no.0));
                };
                entry.skipped += 1;
                let passed = self.passed.entry(no).or_default();
                if data["skipped"] != entry.skipped || entry.skipped > PATIENCE || passed.may == 0 {
                    return Err(format!("entry {} was passed over wrongly: {data}", no.0));
                }
                passed.may -= 1;
                passed.must = passed.must.saturating_sub(1);
            }
            EventKind::WaitlistOffered | EventKind::WaitlistLeft | EventKind::WaitlistClosed => {
                self.waiting.remove(&no);
                self.passed.remove(&no);
            }
            _ => {}
        }
        Ok(())
    }

    /// Somebody has edited the listing, or its pools.
    fn edit(&mut self, data: &Value) {
        self.listing = self.edited.clone();
        let all = |pool: &Value| Some(pool["capacity"].as_i64()? - pool["blocked"].as_i64()?);
        match (data["changed"].as_u64(), data["pools"].as_array()) {
            (Some(changed), Some(told)) if told.len() as u64 == changed => {
                for pool in told {
                    let no = self.listing.find_pool(pool["key"].as_str().unwrap()).unwrap();
                    self.stock.entry(no).or_default().0 = all(pool).unwrap();
                }
            }
            // It is alone in its commit.
            _ => {
                self.stock.retain(|no, _| self.after.contains_key(no));
                for (no, (all, _)) in &self.after {
                    self.stock.entry(*no).or_default().0 = *all;
                }
            }
        }
    }
}

/// What a booking has.
fn claims(booking: &Booking) -> Units {
    let mut claims = Units::new();
    if booking.state.holds() || booking.state.sells() {
        for line in booking.lines.iter() {
            *claims.entry(line.pool).or_default() += line.quantity;
        }
    }
    claims
}
