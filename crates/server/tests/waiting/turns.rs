//! Whose turn it was, by the event log: who got units got them before nobody who waited longer and had been content with
//! them. Told event by event, in other words than the product's: it asks everybody who waits, each time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::wares::{Units, Ware, Wish, units};

/// How often somebody may be passed over.
const MOST_SKIPS: i64 = 10;

/// One who waits.
struct Waiter {
    id: String,
    wish: Wish,
    skipped: i64,
    /// How often somebody else has got units that were wanted here, without a word in the log yet.
    passed: i64,
}

/// A booking as the events so far have it.
#[derive(Default)]
struct Row {
    state: String,
    lines: Units,
    offered_to: Option<String>,
}

impl Row {
    fn claims(&self) -> Units {
        let takes = matches!(&*self.state, "held" | "in_review" | "confirmed" | "completed");
        if takes { self.lines.clone() } else { Units::new() }
    }
}

/// What the log tells of one listing.
pub(super) struct Turns<'a> {
    wishes: &'a BTreeMap<String, Wish>,
    waiting: Vec<Waiter>,
    free: Units,
    bookings: BTreeMap<String, Row>,
    offered: BTreeSet<String>,
    lapsed: BTreeSet<String>,
    /// Events by their types.
    pub(super) counts: BTreeMap<String, usize>,
    /// What should not have happened.
    pub(super) wrong: Vec<String>,
}

impl<'a> Turns<'a> {
    /// Reads the events of a listing from the first on; `wishes` is what its entries wait for.
    pub(super) fn read(ware: &Ware, wishes: &'a BTreeMap<String, Wish>, events: &[Value]) -> Self {
        let mut turns = Self {
            wishes,
            waiting: Vec::new(),
            free: ware.capacity.clone(),
            bookings: BTreeMap::new(),
            offered: BTreeSet::new(),
            lapsed: BTreeSet::new(),
            counts: BTreeMap::new(),
            wrong: Vec::new(),
        };
        for event in events.iter().filter(|event| event["listing_id"] == *ware.id) {
            let kind = event["type"].as_str().unwrap();
            *turns.counts.entry(kind.to_owned()).or_default() += 1;
            let before = turns.wrong.len();
            match kind.split_once('.') {
                Some(("booking", _)) => turns.booking(event),
                Some(("waitlist", what)) => turns.entry(what, &event["data"]),
                _ => {}
            }
            for wrong in &mut turns.wrong[before..] {
                *wrong = format!("{}, {kind} {}: {wrong}", ware.title, event["at"].as_str().unwrap());
            }
        }
        turns
    }

    /// Who waits in the end, by the log.
    pub(super) fn waiting(&self) -> Vec<&str> {
        self.waiting.iter().map(|waiter| &*waiter.id).collect()
    }

    fn booking(&mut self, event: &Value) {
        let id = event["booking_id"].as_str().unwrap().to_owned();
        let (data, is_new) = (&event["data"], !self.bookings.contains_key(&id));
        let row = self.bookings.entry(id.clone()).or_default();
        let before = row.claims();
        if let Some(state) = data["state"].as_str() {
            state.clone_into(&mut row.state);
        }
        if data["lines"].is_array() {
            row.lines = units(&data["lines"]);
        }
        if let Some(entry) = data["waitlist_id"].as_str() {
            row.offered_to = Some(entry.to_owned());
        }
        let mut gained = row.claims();
        let offered_to = row.offered_to.clone().filter(|_| is_new);
        for (pool, units) in before {
            *gained.entry(pool).or_default() -= units;
        }
        let moved = gained.clone();
        gained.retain(|_, units| *units > 0);
        if !gained.is_empty() {
            self.gains(&id, &gained, offered_to.as_deref());
        }
        for (pool, units) in &moved {
            *self.free.get_mut(pool).unwrap() -= units;
        }
    }

    /// Somebody gets units: who was offered them, or somebody who did not wait.
    fn gains(&mut self, booking: &str, gained: &Units, offered_to: Option<&str>) {
        let place = offered_to.map(|id| self.waiting.iter().position(|waiter| waiter.id == id));
        let before = match place {
            Some(Some(place)) => place,
            Some(None) => return self.wrong.push(format!("{offered_to:?} is offered it and does not wait")),
            None => self.waiting.len(),
        };
        let whom = offered_to.unwrap_or("somebody who did not wait");
        let mut left = self.free.clone();
        for Waiter { id, wish, skipped, passed } in &self.waiting[..before] {
            if wish.is_met_by(&left) {
                let free = &self.free;
                self.wrong
                    .push(format!("{whom} gets {gained:?} of {free:?} before {id}, who wants {wish:?}"));
            }
            if *skipped + *passed >= MOST_SKIPS {
                wish.keeps(&mut left);
            }
        }
        if gained.iter().any(|(pool, units)| left[pool] < *units) {
            let free = &self.free;
            self.wrong
                .push(format!("{whom} gets {gained:?} by {booking}, while {left:?} of {free:?} is there"));
        }
        for (pool, units) in gained {
            *left.get_mut(pool).unwrap() -= units;
        }
        for Waiter { wish, skipped, passed, .. } in &mut self.waiting[..before] {
            if *skipped + *passed < MOST_SKIPS && wish.lacks(gained, &left) {
                *passed += 1;
            }
        }
    }

    fn entry(&mut self, what: &str, data: &Value) {
        let id = data["id"].as_str().unwrap();
        let place = self.waiting.iter().position(|waiter| waiter.id == id);
        match (what, place) {
            ("joined", None) => self.joined(id, data),
            ("skipped", Some(place)) => {
                let waiter = &mut self.waiting[place];
                waiter.passed -= 1;
                waiter.skipped += 1;
                let is_told = data["skipped"] == waiter.skipped && waiter.passed >= 0;
                if !is_told || waiter.skipped > MOST_SKIPS {
                    let (times, passed) = (waiter.skipped, waiter.passed);
                    waiter.passed = passed.max(0);
                    self.wrong.push(format!("skipped {times} times, and {passed} more passed it: {data}"));
                }
            }
            ("offered" | "left" | "closed", Some(place)) => {
                let waiter = self.waiting.remove(place);
                if waiter.passed != 0 {
                    self.wrong.push(format!("{id} was passed over {} times unnoticed", waiter.passed));
                }
                if what == "offered" {
                    let row = data["booking_id"].as_str().and_then(|booking| self.bookings.get(booking));
                    if row.and_then(|row| row.offered_to.as_deref()) != Some(id) {
                        self.wrong.push(format!("no booking names whom it was offered to: {data}"));
                    }
                    self.offered.insert(id.to_owned());
                }
            }
            ("taken" | "lapsed" | "left" | "closed", None) => {
                let was_offered = self.offered.remove(id);
                if what == "lapsed" {
                    self.lapsed.insert(id.to_owned());
                }
                // Money that comes late may take up what has lapsed.
                let is_late = what == "taken" && self.lapsed.remove(id);
                if !was_offered && !is_late {
                    self.wrong.push(format!("nothing was offered, or it has ended already: {data}"));
                }
            }
            _ => self.wrong.push(format!("it cannot be {what} now: {data}")),
        }
    }

    fn joined(&mut self, id: &str, data: &Value) {
        let Some(wish) = self.wishes.get(id).cloned() else {
            return self.wrong.push(format!("there is no such entry: {data}"));
        };
        let ahead = self.waiting.iter().filter(|waiter| waiter.wish.meets(&wish)).count();
        if data["ahead"] != ahead {
            self.wrong.push(format!("{ahead} wait before it for the same: {data}"));
        }
        self.waiting.push(Waiter { id: id.to_owned(), wish, skipped: 0, passed: 0 });
    }

    /// What is not in order in the end.
    pub(super) fn end(&mut self, waiting: &[&str]) {
        if self.waiting() != waiting {
            self.wrong.push(format!("{:?} wait by the log, and not {waiting:?}", self.waiting()));
        }
        for waiter in self.waiting.iter().filter(|waiter| waiter.passed != 0) {
            self.wrong.push(format!("{} was passed over {} times unnoticed", waiter.id, waiter.passed));
        }
        let joined = self.counts.get("waitlist.joined").copied().unwrap_or_default();
        if joined != self.wishes.len() {
            self.wrong
                .push(format!("the log tells of {joined} entries, and there are {}", self.wishes.len()));
        }
    }
}
