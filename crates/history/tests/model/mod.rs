//! Correct histories, made up: a sequential model of a few listings, asked by many clients at once. Requests
//! are decided in batches, at one instant each, and seen a little later; answers are lost, requests too;
//! clients try again with the same key; readers see what is committed, settled at their own instant, and
//! availability up to 200 ms late.

#![allow(dead_code, reason = "every test uses its own part of it")]

mod lane;
mod rules;

use lastseat_history::{Clock, Coverage, History, LastReading, Listing, Measure, Pool, Setting};

/// What the server's clock shows when the clients' shows 0, in milliseconds.
pub(crate) const OFFSET_MS: i64 = 1_000_000;

/// A small generator of numbers (splitmix64): the same seed, the same history.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `below`, which it never is.
    pub(crate) fn below(&mut self, below: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    /// True `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        usize::try_from(self.below(i64::try_from(of.len()).unwrap())).ok().and_then(|index| of.get(index))
    }
}

/// What kind of history to make.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) listings: usize,
    /// About how many operations per listing.
    pub(crate) operations: usize,
    /// Units per pool at the beginning.
    pub(crate) capacity: i64,
    /// How many customers there are per listing.
    pub(crate) customers: i64,
    /// Microseconds between batches, at most.
    pub(crate) pause_us: i64,
    /// Per cent of answers, and of requests, that are lost.
    pub(crate) lost: i64,
    /// Per cent of requests that change a capacity.
    pub(crate) resized: i64,
    /// How long availability is kept at most, in microseconds.
    pub(crate) kept_us: i64,
    /// How long a batch takes from its decisions to its commit, in microseconds, at most.
    pub(crate) commit_us: i64,
    /// How long holds live.
    pub(crate) hold_seconds: i64,
    /// By how much the server's clock steps back in the middle, in milliseconds.
    pub(crate) step_back_ms: i64,
    pub(crate) coverage: Coverage,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            listings: 3,
            operations: 250,
            capacity: 6,
            customers: 12,
            pause_us: 60_000,
            lost: 8,
            resized: 4,
            kept_us: 200_000,
            commit_us: 4_000,
            hold_seconds: 2,
            step_back_ms: 0,
            coverage: Coverage::All,
        }
    }
}

fn listing(no: usize, capacity: i64, hold_seconds: i64) -> Listing {
    let keys: &[&str] = match no % 3 {
        0 => &["standard"],
        1 => &["double/2026-12-24", "double/2026-12-25", "single/2026-12-24"],
        _ => &["floor", "balcony"],
    };
    Listing {
        id: format!("lst_{no}"),
        pools: keys.iter().map(|key| Pool { key: (*key).to_owned(), capacity, blocked: 0 }).collect(),
        max_per_customer: (!no.is_multiple_of(3)).then_some(4),
        max_open_holds: (no % 3 == 1).then_some(2),
        measure: if no % 3 == 1 { Measure::PerPosition } else { Measure::Sum },
        hold_seconds: Some(hold_seconds),
        hold_max_seconds: Some(5),
    }
}

/// A correct history.
pub(crate) fn history(shape: Shape) -> History {
    let clock =
        Clock { offset_low_ms: OFFSET_MS - 3, offset_high_ms: OFFSET_MS + 2, slack_ms: shape.step_back_ms };
    let listings: Vec<Listing> =
        (0..shape.listings).map(|no| listing(no, shape.capacity, shape.hold_seconds)).collect();
    let mut rng = Rng(shape.seed);
    let mut lanes: Vec<lane::Lane> =
        listings.iter().map(|listing| lane::Lane::new(listing.clone(), shape, rng.next())).collect();
    for lane in &mut lanes {
        lane.run(shape.operations);
    }
    let started_us = lanes.iter().map(|lane| lane.now_us).max().unwrap_or(0) + 1_000;
    let ended_us = started_us + 5_000;
    let mut history = History::new(Setting::new(clock, listings));
    if shape.kept_us == 0 {
        history.setting.availability_lag_ms = 0;
    }
    let mut last = LastReading {
        started_us,
        ended_us,
        coverage: shape.coverage,
        bookings: Vec::new(),
        pools: Vec::new(),
        lapses: Vec::new(),
    };
    for lane in lanes {
        lane.finish(started_us + 2_000, &mut history.operations, &mut last);
    }
    if shape.coverage == Coverage::Some {
        last.bookings.retain(|_| rng.chance(50));
        last.pools.clear();
    }
    history.last = Some(last);
    history.operations.sort_by_key(|op| op.started_us);
    for (id, op) in history.operations.iter_mut().enumerate() {
        op.id = id as u64;
    }
    history
}
