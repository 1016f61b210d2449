//! Clients of one listing: what they ask, when it is decided and committed, and what of it they are told.

use std::collections::HashMap;

use lastseat_history::{
    Answer, Ask, Lapse, LastReading, Line, Listing, Operation, PoolCounters, PoolNumbers, State,
};

use super::rules::{Model, refused};
use super::{OFFSET_MS, Rng, Shape};

/// A request that is tried again.
struct Retry {
    at_us: i64,
    key: String,
    ask: Ask,
}

pub(crate) struct Lane {
    model: Model,
    rng: Rng,
    shape: Shape,
    pub(crate) now_us: i64,
    version: u64,
    keys: HashMap<String, (Ask, Answer)>,
    /// Bookings that clients know, and since when.
    known: Vec<(String, i64)>,
    retries: Vec<Retry>,
    cached: Option<(i64, Answer)>,
    operations: Vec<Operation>,
    lapses: Vec<Lapse>,
    next_key: u64,
    steps_at_us: i64,
    /// A hold that was just read as lapsed.
    contested: Option<String>,
}

impl Lane {
    pub(crate) fn new(listing: Listing, shape: Shape, seed: u64) -> Self {
        let is_free = listing.pools.len() == 2;
        Self {
            model: Model::new(listing, is_free),
            rng: Rng(seed),
            shape,
            now_us: 10_000,
            version: 1,
            keys: HashMap::new(),
            known: Vec::new(),
            retries: Vec::new(),
            cached: None,
            operations: Vec::new(),
            lapses: Vec::new(),
            next_key: 0,
            steps_at_us: i64::MAX,
            contested: None,
        }
    }

    /// The server's clock. It steps back when half of the operations are done.
    fn server_ms(&self, us: i64) -> i64 {
        let late = us >= self.steps_at_us;
        us.div_euclid(1000) + OFFSET_MS - if late { self.shape.step_back_ms } else { 0 }
    }

    pub(crate) fn run(&mut self, operations: usize) {
        while self.operations.len() < operations {
            if self.operations.len() >= operations / 2 {
                self.steps_at_us = self.steps_at_us.min(self.now_us);
            }
            let begin = self.now_us;
            let decided = begin + 1 + self.rng.below(self.shape.pause_us);
            let delay = if self.rng.chance(5) { 100_000 } else { self.shape.commit_us };
            let committed = decided + 1 + self.rng.below(delay);
            for _ in 0..self.rng.below(4) {
                let mut at = begin + self.rng.below(committed - begin);
                // Deadlines are where it gets interesting.
                let due = self.model.dues.first().map(|(due, _)| (due - self.server_ms(0)) * 1000);
                if let Some(due) = due.filter(|due| (begin..committed).contains(due) && self.rng.chance(70)) {
                    at = (due - 5_000 + self.rng.below(10_000)).clamp(begin, committed - 1);
                }
                self.read(at);
            }
            self.batch(decided, committed);
            self.now_us = committed;
        }
        self.now_us += 200_000;
    }

    fn batch(&mut self, decided: i64, committed: i64) {
        let now = self.server_ms(decided);
        self.model.changed = false;
        for (booking, version) in self.model.sweep(now) {
            self.lapses.push(Lapse { booking, version, at_ms: now });
        }
        for _ in 0..=self.rng.below(5) {
            let retry = self.retries.iter().position(|retry| retry.at_us <= decided);
            let (key, ask, since) = match retry.map(|index| self.retries.swap_remove(index)) {
                Some(retry) => (Some(retry.key), retry.ask, retry.at_us),
                None => {
                    let (ask, since) = self.ask(decided);
                    (self.new_key(), ask, since)
                }
            };
            self.submit(key, ask, since, (decided, committed));
        }
        self.version += u64::from(self.model.changed);
    }

    fn new_key(&mut self) -> Option<String> {
        if self.rng.chance(20) {
            return None;
        }
        // Now and then somebody takes a key that was used before.
        if !self.rng.chance(2) || self.next_key == 0 {
            self.next_key += 1;
        }
        Some(format!("{}-{}", self.model.listing.id, self.next_key))
    }

    fn submit(&mut self, key: Option<String>, ask: Ask, since: i64, (decided, committed): (i64, i64)) {
        let started_us = (decided - self.rng.below(30_000)).max(since);
        let lost = self.rng.chance(self.shape.lost);
        let arrives = !self.rng.chance(self.shape.lost);
        let answer = if arrives {
            self.decide(key.as_deref(), &ask, self.server_ms(decided))
        } else {
            Answer::Unknown
        };
        let mut ended_us = Some(committed + self.rng.below(20_000));
        let told = if lost || !arrives {
            // The client may give up before it happens.
            ended_us = (!self.rng.chance(10)).then(|| started_us + self.rng.below(60_000));
            if self.rng.chance(30) {
                Answer::Refused { code: "unavailable".into(), pools: Vec::new(), state: None }
            } else {
                Answer::Unknown
            }
        } else {
            answer
        };
        let told = if ended_us.is_none() { Answer::Unknown } else { told };
        if told.is_unknown()
            && self.rng.chance(60)
            && let Some(key) = &key
        {
            let at_us = ended_us.unwrap_or(committed) + self.rng.below(300_000);
            self.retries.push(Retry { at_us, key: key.clone(), ask: ask.clone() });
        }
        if let (Answer::Booking { booking, .. }, Ask::Create { .. }) = (&told, &ask) {
            self.known.push((booking.id.clone(), ended_us.unwrap_or(committed)));
        }
        self.operations.push(Operation { id: 0, started_us, ended_us, key, ask, answer: told });
    }

    fn decide(&mut self, key: Option<&str>, ask: &Ask, now: i64) -> Answer {
        // Keys of requests of different kinds do not meet.
        let scoped = key.map(|key| format!("{} {key}", ask.kind()));
        if let Some((before, answer)) = scoped.as_ref().and_then(|key| self.keys.get(key)) {
            if before != ask {
                return refused("idempotency_mismatch");
            }
            return match answer.clone() {
                Answer::Booking { booking, .. } => Answer::Booking { booking, replayed: true },
                answer => answer,
            };
        }
        let answer = self.model.decide(ask, now);
        if let (Some(key), false) = (scoped, answer.is_refusal()) {
            self.keys.insert(key, (ask.clone(), answer.clone()));
        }
        answer
    }

    fn lines(&mut self) -> Vec<Line> {
        let keys: Vec<String> = self.model.pools.keys().cloned().collect();
        let mut lines: Vec<Line> = Vec::new();
        for pool in keys {
            if lines.is_empty() || self.rng.chance(30) {
                lines.push(Line { pool, quantity: 1 + self.rng.below(2) });
            }
        }
        if self.rng.chance(50) {
            lines.reverse();
            lines.truncate(1);
        }
        lines
    }

    /// What somebody asks, and since when they can know enough to ask it.
    fn ask(&mut self, decided: i64) -> (Ask, i64) {
        let recent = self.known.len().saturating_sub(20);
        let known: Vec<(String, i64)> =
            self.known[recent..].iter().filter(|(_, since)| *since < decided).cloned().collect();
        // Somebody pays right before the deadline what others, before the commit, see lapsed.
        if let Some(booking) = self.contested.take() {
            let view = &self.model.bookings[self.model.by_id[&booking]].view;
            let since = self.known.iter().find(|(id, since)| *id == booking && *since < decided);
            if let (State::Held, Some((_, since))) = (view.state, since) {
                let reference = format!("{booking}-contested");
                return (Ask::Confirm { booking, reference, amount: view.total }, *since);
            }
        }
        let kind = self.rng.below(100);
        let target = self.rng.pick(&known).cloned();
        if kind < self.shape.resized {
            let keys: Vec<String> = self.model.pools.keys().cloned().collect();
            let key = self.rng.pick(&keys).unwrap().clone();
            let capacity = (self.shape.capacity - 2 + self.rng.below(5)).max(0);
            let pools = vec![PoolNumbers { key, capacity: capacity + 1, blocked: 1 }];
            return (Ask::SetPools { listing: self.model.listing.id.clone(), pools }, 0);
        }
        let (Some((mut booking, mut since)), true) = (target, kind >= 45) else {
            let customer = Some(format!("c{}", self.rng.below(self.shape.customers)));
            let lines = self.lines();
            return (Ask::Create { listing: self.model.listing.id.clone(), customer, lines }, 0);
        };
        if let Some(soon) = self.next_to_lapse()
            && let Some(found) = self.known.iter().find(|(id, since)| *id == soon && *since < decided)
        {
            (booking, since) = found.clone();
        }
        let view = &self.model.bookings[self.model.by_id[&booking]].view;
        let ask = match kind {
            45..70 => {
                let amount = view.total.max(1) + i64::from(self.rng.chance(5));
                let reference = format!("{booking}-{}", self.rng.below(3));
                Ask::Confirm { booking, reference, amount }
            }
            70..82 => Ask::Cancel { booking },
            82..90 => Ask::Extend { booking, seconds: 1 + self.rng.below(4) },
            _ => Ask::Reschedule { booking, lines: self.lines() },
        };
        (ask, since)
    }

    /// Now and then, the hold that lapses next: deadlines are where it gets interesting.
    fn next_to_lapse(&mut self) -> Option<String> {
        let (_, index) = self.model.dues.first().copied()?;
        self.rng.chance(30).then(|| self.model.bookings[index].view.id.clone())
    }

    /// A booking to read.
    fn target(&mut self, known: &[String]) -> Option<String> {
        let soon = self.next_to_lapse().filter(|soon| self.known.iter().any(|(id, _)| id == soon));
        soon.or_else(|| self.rng.pick(known).cloned())
    }

    fn read(&mut self, at: i64) {
        let takes = if self.rng.chance(20) { 80_000 } else { 5_000 };
        let (started_us, ended_us) = (at - self.rng.below(5_000), Some(at + self.rng.below(takes)));
        let now = self.server_ms(at);
        let known: Vec<String> = self.known.iter().rev().take(20).map(|(id, _)| id.clone()).collect();
        if let (true, Some(booking)) = (self.rng.chance(60), self.target(&known)) {
            let view = self.model.settled(self.model.by_id[&booking], now);
            if view.state == State::Expired {
                self.contested = Some(booking.clone());
            }
            let since = self.known.iter().rev().find(|(id, _)| *id == booking).map_or(0, |(_, since)| *since);
            if since > at {
                return;
            }
            let started_us = started_us.max(since);
            let answer = Answer::Booking { booking: view, replayed: false };
            self.operations.push(Operation {
                id: 0,
                started_us,
                ended_us,
                key: None,
                ask: Ask::Read { booking },
                answer,
            });
            return;
        }
        let usable = self.cached.take().filter(|(made, _)| *made <= at && at - made < self.shape.kept_us);
        // The clock may be read a little after the rows.
        let read_us = at + self.rng.below(ended_us.unwrap_or(at) - at);
        let now = self.server_ms(read_us);
        let cached = match usable.filter(|_| self.rng.chance(60)) {
            Some(cached) => cached,
            None => (
                read_us,
                Answer::Availability {
                    version: self.version,
                    as_of_ms: now,
                    pools: self.model.readings(now),
                },
            ),
        };
        let ask = Ask::Availability { listing: self.model.listing.id.clone() };
        self.operations.push(Operation {
            id: 0,
            started_us,
            ended_us,
            key: None,
            ask,
            answer: cached.1.clone(),
        });
        self.cached = Some(cached);
    }

    /// Adds what was recorded, and what there is in the end.
    pub(crate) fn finish(self, at: i64, operations: &mut Vec<Operation>, last: &mut LastReading) {
        let now = self.server_ms(at);
        last.bookings.extend((0..self.model.bookings.len()).map(|index| self.model.settled(index, now)));
        for reading in self.model.readings(now) {
            let listing = self.model.listing.id.clone();
            let (held, confirmed) = (reading.held, reading.confirmed);
            last.pools.push(PoolCounters { listing, key: reading.key, held, confirmed });
        }
        last.lapses.extend(self.lapses);
        operations.extend(self.operations);
    }
}
