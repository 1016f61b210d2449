//! What was acknowledged, and what must follow from it.

use std::collections::{BTreeMap, BTreeSet};

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, Patch, State, Step, fold};
use lastseat_core::command::IdempotencyKey;
use lastseat_core::id::{BookingId, BookingNo, ListingId, WaitlistId};
use lastseat_core::listing::Status;
use lastseat_core::pool::{PoolNo, PoolRef};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_core::settle::settle;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Entry, EntryState, Want};
use lastseat_core::world::Answer;
use lastseat_store::Read;

use crate::requests::{Request, What, entries};

/// What the clients were told.
#[derive(Default)]
pub(crate) struct Model {
    /// Every booking that was told, as it was told.
    told: Vec<Booking>,
    /// What was first told under a key, with the fingerprint.
    keys: BTreeMap<IdempotencyKey, ([u8; 16], Told)>,
    /// The keys under which something was told as done, and not as done before.
    done: BTreeSet<IdempotencyKey>,
    /// Creations without a key that were refused: nobody asks for them again.
    refused: BTreeSet<usize>,
    /// The booking that each request made, by the request's number.
    made: BTreeMap<usize, BookingNo>,
    /// The listing that each request made.
    listed: BTreeMap<usize, ListingId>,
    /// The bookings that were imported, by their foreign ids.
    imported: BTreeMap<u64, BookingId>,
    /// The entries of waitlists that were told, as they were told.
    entered: BTreeMap<WaitlistId, Option<Entry>>,
    /// The entry that each request made, by the request's number.
    joined: BTreeMap<usize, WaitlistId>,
    /// Who was told to wait no more.
    gone: BTreeSet<WaitlistId>,
}

/// What was told under a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// A booking at a version.
    Booking(BookingNo, u32),
    /// An entry of a waitlist.
    Entry(WaitlistId),
}

/// All bookings as they are stored.
pub(crate) fn all(read: &dyn Read) -> Vec<Booking> {
    read.all_bookings(BookingNo(0), u32::MAX).unwrap()
}

/// A booking as its events tell it up to a version.
pub(crate) fn as_of(read: &dyn Read, no: BookingNo, version: u32) -> Option<Booking> {
    let row = read.booking_at(no).unwrap()?;
    let events = read.booking_events(no).unwrap();
    let steps: Vec<Step> = events
        .iter()
        .filter(|event| event.version <= version)
        .map(|event| {
            let patch: Patch = serde_json::from_str(&event.data).unwrap();
            Step { version: event.version, seq: event.seq, patch }
        })
        .collect();
    fold(no, row.id, row.listing, &steps)
}

impl Model {
    /// Takes in a success.
    pub(crate) fn success(
        &mut self,
        read: &dyn Read,
        request: &Request,
        outcome: &Outcome,
    ) -> Result<(), String> {
        match outcome {
            Outcome::Booking(row) => self.booking(request, row, false),
            Outcome::Replay(Answer::Booking { no, version }) => match as_of(read, *no, *version) {
                Some(row) if row.version == *version => self.booking(request, &row, true),
                other => {
                    Err(format!("booking {} at version {version}, told again, is not there: {other:?}", no.0))
                }
            },
            Outcome::Imported(id) | Outcome::Skipped(id) => {
                let What::Import { external, .. } = request.what else { return Err("not an import".into()) };
                let first = *self.imported.entry(external).or_insert(*id);
                if first == *id {
                    Ok(())
                } else {
                    Err(format!("import {external} was carried out twice: {first}, {id}"))
                }
            }
            Outcome::Waits(entry) => self.entry(request, entry.id, Some(entry)),
            Outcome::Replay(Answer::Entry(id)) => self.entry(request, *id, None),
            Outcome::WaitsAlready(id) => {
                self.entered.entry(*id).or_default();
                Ok(())
            }
            Outcome::WaitsNoMore(id) => {
                self.gone.insert(*id);
                Ok(())
            }
            Outcome::Listing(listing) => self.listing(request, listing.id),
            Outcome::Replay(Answer::Listing(id)) => self.listing(request, *id),
            _ => Ok(()),
        }
    }

    fn listing(&mut self, request: &Request, id: ListingId) -> Result<(), String> {
        if !matches!(request.what, What::List { .. }) {
            return Ok(());
        }
        let first = *self.listed.entry(request.no).or_insert(id);
        if first == id {
            Ok(())
        } else {
            Err(format!("request {} was carried out twice: {first}, {id}", request.no))
        }
    }

    /// Takes in a refusal.
    pub(crate) fn refusal(&mut self, request: &Request, refusal: &Refusal) {
        let made_once = matches!(request.what, What::Create { .. }) && request.key.is_none();
        if made_once && refusal.code != Code::Unavailable {
            self.refused.insert(request.no);
        }
    }

    /// Notes what was told under the key of a request, and whether it was told before.
    fn key(&mut self, request: &Request, told: Told, again: bool) -> Result<(), String> {
        let Some(used) = request.key else { return Ok(()) };
        let (fingerprint, first) = *self.keys.entry(used.key).or_insert((used.fingerprint, told));
        if fingerprint != used.fingerprint {
            return Err(format!("request {} was answered under another's key", request.no));
        }
        if first != told {
            return Err(format!("request {} was carried out twice: {first:?}, then {told:?}", request.no));
        }
        // Who asked again on another node may be told before the first.
        if !again && !self.done.insert(used.key) {
            return Err(format!("request {} was carried out again: {told:?}", request.no));
        }
        Ok(())
    }

    /// Takes in an entry of a waitlist: as it was told, if it was told for the first time.
    fn entry(&mut self, request: &Request, id: WaitlistId, row: Option<&Entry>) -> Result<(), String> {
        self.key(request, Told::Entry(id), row.is_none())?;
        let first = *self.joined.entry(request.no).or_insert(id);
        if first != id {
            return Err(format!("request {} was carried out twice: {first}, {id}", request.no));
        }
        let told = self.entered.entry(id).or_default();
        *told = told.take().or_else(|| row.cloned());
        Ok(())
    }

    fn booking(&mut self, request: &Request, row: &Booking, again: bool) -> Result<(), String> {
        self.key(request, Told::Booking(row.no, row.version), again)?;
        if let What::Create { .. } = request.what {
            if row.note.as_deref() != Some(request.no.to_string().as_str()) {
                return Err(format!("request {} was given somebody else's booking {row:?}", request.no));
            }
            let first = *self.made.entry(request.no).or_insert(row.no);
            if first != row.no {
                return Err(format!(
                    "request {} was carried out twice: {}, {}",
                    request.no, first.0, row.no.0
                ));
            }
        }
        self.told.push(row.clone());
        Ok(())
    }

    /// Whether everybody waits who was told so, once, or waits no more.
    fn check_entries(&self, read: &dyn Read) -> Result<(), String> {
        for (id, told) in &self.entered {
            let as_joined = |entry: &Entry| {
                (entry.at(), entry.want.clone(), entry.customer.clone(), entry.created_at, entry.until)
            };
            let found = read.entry(*id).unwrap();
            let same = match (told, &found) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(told), Some(found)) => as_joined(told) == as_joined(found),
            };
            if !same {
                return Err(format!("an entry that was acknowledged is not there: {told:?}, but {found:?}"));
            }
        }
        for id in &self.gone {
            let Some(entry) = read.entry(*id).unwrap() else {
                return Err(format!("{id}, who left, is not there"));
            };
            let offer = entry.booking.and_then(|no| read.booking_at(no).unwrap());
            let has_left = match &offer {
                None => entry.state == EntryState::Left,
                Some(offer) => offer.state == State::Cancelled,
            };
            if !has_left {
                return Err(format!("who left is there again: {entry:?}, {offer:?}"));
            }
        }
        let mut made: BTreeMap<String, WaitlistId> = BTreeMap::new();
        for listing in read.listings().unwrap() {
            for entry in entries(read, listing.no) {
                if let Some(first) = made.insert(entry.customer.name, entry.id) {
                    return Err(format!("a request to join was carried out twice: {first}, {}", entry.id));
                }
            }
        }
        Ok(())
    }

    /// Whether everything that was told is there, once.
    pub(crate) fn check(&self, read: &dyn Read, requests: &[Request]) -> Result<(), String> {
        for told in &self.told {
            let found = as_of(read, told.no, told.version);
            if found.as_ref() != Some(told) {
                return Err(format!("what was acknowledged is not there: {told:?}, but {found:?}"));
            }
        }
        self.check_entries(read)?;
        let listings = read.listings().unwrap();
        for (no, id) in &self.listed {
            let title = no.to_string();
            let made: Vec<_> = listings.iter().filter(|listing| listing.doc.title == title).collect();
            if made.len() != 1 || made[0].id != *id {
                return Err(format!("listing {id} of request {no} is there {} times", made.len()));
            }
        }
        let mut by_note: BTreeMap<usize, Vec<BookingNo>> = BTreeMap::new();
        let mut by_import: BTreeMap<&str, usize> = BTreeMap::new();
        let bookings = all(read);
        for booking in &bookings {
            if let Some(note) = &booking.note {
                by_note.entry(note.parse().unwrap()).or_default().push(booking.no);
            }
            if let Some(external) = &booking.details.imported_as {
                *by_import.entry(external).or_default() += 1;
            }
        }
        for request in requests {
            let found = by_note.get(&request.no).map_or(&[][..], Vec::as_slice);
            if found.len() > 1 {
                return Err(format!("request {} was carried out {} times", request.no, found.len()));
            }
            if self.refused.contains(&request.no) && !found.is_empty() {
                return Err(format!("request {} was refused, and carried out: {found:?}", request.no));
            }
            if let Some(no) = self.made.get(&request.no)
                && found != [*no]
            {
                return Err(format!("booking {} of request {} is not there", no.0, request.no));
            }
        }
        if let Some((external, times)) = by_import.iter().find(|(_, times)| **times > 1) {
            return Err(format!("{external} was carried out {times} times"));
        }
        match self.imported.values().find(|id| !bookings.iter().any(|booking| booking.id == **id)) {
            Some(id) => Err(format!("the import {id} is not there")),
            None => Ok(()),
        }
    }
}

/// For each pool that a creation asks for: how many units it wants, and how many nobody has at `now`, whoever swept.
/// None where the request is wrong in another way, and where somebody waits, to whom it may belong.
pub(crate) fn wanted_and_free(read: &dyn Read, request: &Request, now: Time) -> Option<Vec<(i64, i64)>> {
    let What::Create { listing, claim, .. } = &request.what else { return None };
    let listings = read.listings().unwrap();
    let listing = listings.iter().find(|known| known.id == *listing)?;
    let asked = claim.resolve(listing).ok()?;
    if read.list_numbers(listing.no).unwrap().waiting > 0 {
        return None;
    }
    let mut bookings = all(read);
    bookings.retain(|booking| booking.listing == listing.no);
    for booking in &mut bookings {
        settle(booking, listing, now);
    }
    let pools: BTreeMap<_, _> = read.pools(listing.no).unwrap().into_iter().collect();
    asked
        .into_iter()
        .map(|(pool, quantity)| {
            let taken: i64 = bookings
                .iter()
                .filter(|booking| booking.state.holds() || booking.state.sells())
                .flat_map(|booking| booking.lines.iter())
                .filter(|line| line.pool == pool)
                .map(|line| line.quantity)
                .sum();
            let found = pools.get(&pool)?;
            Some((quantity, found.capacity - found.blocked - taken))
        })
        .collect()
}

/// With this booking its customer had no more than its terms allow.
pub(crate) fn check_limit(read: &dyn Read, row: &Booking, now: Time) -> Result<(), String> {
    let listings = read.listings().unwrap();
    let listing = listings.iter().find(|listing| listing.no == row.listing).unwrap();
    let (Some(most), Some(who)) = (listing.policy_of(row.policy).max_per_customer, row.customer.identity())
    else {
        return Ok(());
    };
    let mut has = 0;
    for mut booking in all(read) {
        let theirs = booking.listing == row.listing && booking.customer.identity().as_ref() == Some(&who);
        if theirs && booking.no <= row.no {
            settle(&mut booking, listing, now);
            if booking.state.holds() || booking.state.sells() {
                has += listing.units_of(&booking.lines);
            }
        }
    }
    if has > most {
        Err(format!("{who} has more than {most} with booking {}: {has}", row.no.0))
    } else {
        Ok(())
    }
}

/// No pool has more taken than it has, counted from the bookings alone.
pub(crate) fn check_oversell(read: &dyn Read) -> Result<(), String> {
    let mut taken: BTreeMap<PoolRef, i64> = BTreeMap::new();
    for booking in all(read).iter().filter(|booking| booking.state.holds() || booking.state.sells()) {
        for line in booking.lines.iter() {
            *taken.entry(PoolRef { listing: booking.listing, pool: line.pool }).or_default() += line.quantity;
        }
    }
    for listing in read.listings().unwrap() {
        for (no, pool) in read.pools(listing.no).unwrap() {
            let taken = taken.remove(&PoolRef { listing: listing.no, pool: no }).unwrap_or_default();
            if taken > pool.capacity - pool.blocked {
                return Err(format!("{} is oversold: {taken} of {pool:?}", listing.pool_key(no)));
            }
        }
    }
    match taken.into_iter().find(|(_, units)| *units > 0) {
        Some((at, units)) => Err(format!("{units} units of a pool that does not exist: {at:?}")),
        None => Ok(()),
    }
}

/// Whether everybody whose waiting is over has been told so.
pub(crate) fn check_over(read: &dyn Read) -> Result<(), String> {
    for listing in read.listings().unwrap() {
        for entry in entries(read, listing.no).into_iter().filter(Entry::waits) {
            let over = |pool: PoolNo| listing.sale_ends_at(pool).is_some_and(|end| end <= read.now());
            let is_over = match &entry.want {
                Want::Lines(lines) => lines.iter().any(|line| over(line.pool)),
                Want::Any(_) => entry.until.is_some(),
            };
            if is_over || listing.doc.status != Status::Published {
                return Err(format!("time never comes for {entry:?}"));
            }
        }
    }
    Ok(())
}
