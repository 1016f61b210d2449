//! The release function against a model of it that is as simple as can be: whenever anything happens, everybody is asked
//! anew, from the first on.

use std::sync::Arc;

use lastseat_core::command::{Actor, WaitFor};
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::pool::PoolNo;
use lastseat_core::waitlist::{EntryState, MAX_SKIPS};
use proptest::prelude::*;
use serde_json::json;

use crate::bench::{Bench, cancel, lines};
use crate::waits::Units;

/// The pools, in their order.
const POOLS: [&str; 2] = ["front", "back"];
/// Units of each at first, all of them taken.
const UNITS: i64 = 12;

#[derive(Clone, Debug)]
enum Op {
    /// Somebody wants to wait for so many of the first pool and of the second; for so many of any, if of none.
    Join(i64, i64, i64),
    /// Somebody who has ever waited leaves, or declines what was offered.
    Leave(u8),
    /// A booking of one unit is cancelled.
    Cancel(usize),
    /// Somebody who does not wait books so many, if that can be had.
    Book(usize, i64),
    /// There are so many more.
    Raise(i64, i64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..4i64, 0..4i64, 1..4i64).prop_map(|(front, back, any)| Op::Join(front, back, any)),
        3 => (0..4i64, 1..4i64).prop_map(|(quantity, any)| Op::Join(quantity, 0, any)),
        1 => any::<u8>().prop_map(Op::Leave),
        10 => (0..2usize).prop_map(Op::Cancel),
        8 => (0..2usize, 1..3i64).prop_map(|(pool, quantity)| Op::Book(pool, quantity)),
        1 => (0..4i64, 0..4i64).prop_map(|(front, back)| Op::Raise(front, back)),
    ]
}

/// Somebody who waits, or did.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Waiter {
    /// Of each pool; of none: of any.
    wants: [i64; 2],
    any: i64,
    state: EntryState,
    skipped: u32,
    got: [i64; 2],
    kept: [i64; 2],
}

impl Waiter {
    fn waits(&self) -> bool {
        self.state == EntryState::Waiting
    }

    /// What it would get of what is left.
    fn fits(&self, left: [i64; 2]) -> Option<[i64; 2]> {
        if self.wants != [0, 0] {
            return (self.wants[0] <= left[0] && self.wants[1] <= left[1]).then_some(self.wants);
        }
        match left {
            [front, _] if front >= self.any => Some([self.any, 0]),
            [_, back] if back >= self.any => Some([0, self.any]),
            [front, back] if front + back >= self.any => Some([front, self.any - front]),
            _ => None,
        }
    }

    /// Whether it is passed over by who gets these, and leaves so many: less than it needs of one of them.
    fn minds(&self, units: [i64; 2], left: [i64; 2]) -> bool {
        let any = self.wants == [0, 0];
        (0..2).any(|pool| units[pool] > 0 && (any || left[pool] < self.wants[pool]))
    }

    /// What is kept for it of what is left.
    fn keeps(&self, left: [i64; 2]) -> [i64; 2] {
        if self.wants != [0, 0] {
            return [0, 1].map(|pool| self.wants[pool].min(left[pool]));
        }
        let front = self.any.min(left[0]);
        [front, (self.any - front).min(left[1])]
    }
}

#[derive(Default)]
struct Model {
    free: [i64; 2],
    list: Vec<Waiter>,
}

impl Model {
    /// They are gone already. What is kept for those behind counts for nothing here.
    fn is_passed_over(&mut self, units: [i64; 2], before: usize) {
        let kept = |pool: usize| self.list[..before].iter().map(|waiter| waiter.kept[pool]).sum::<i64>();
        let left = [self.free[0] - kept(0), self.free[1] - kept(1)];
        let earlier = self.list[..before].iter_mut();
        for waiter in
            earlier.filter(|waiter| waiter.waits() && waiter.minds(units, left) && waiter.skipped < MAX_SKIPS)
        {
            waiter.skipped += 1;
        }
    }

    /// What can be had by whoever comes.
    fn available(&self) -> [i64; 2] {
        let kept = |pool: usize| self.list.iter().map(|waiter| waiter.kept[pool]).sum::<i64>();
        [self.free[0] - kept(0), self.free[1] - kept(1)]
    }

    fn release(&mut self) {
        while let Some((index, units)) = self.walk() {
            let waiter = &mut self.list[index];
            (waiter.state, waiter.got) = (EntryState::Offered, units);
            self.free = [self.free[0] - units[0], self.free[1] - units[1]];
            self.is_passed_over(units, index);
        }
    }

    /// The first who can be served. If there is none, something may be kept for some.
    fn walk(&mut self) -> Option<(usize, [i64; 2])> {
        let mut left = self.free;
        for (index, waiter) in self.list.iter_mut().enumerate() {
            waiter.kept = [0, 0];
            if !waiter.waits() {
                continue;
            }
            if let Some(units) = waiter.fits(left) {
                return Some((index, units));
            }
            if waiter.skipped == MAX_SKIPS {
                waiter.kept = waiter.keeps(left);
                left = [left[0] - waiter.kept[0], left[1] - waiter.kept[1]];
            }
        }
        None
    }
}

struct Run {
    bench: Bench,
    listing: ListingId,
    /// Bookings of one unit of each pool.
    singles: [Vec<BookingId>; 2],
    model: Model,
    /// Whether every command finds a world in which nobody is loaded who waits.
    forgets: bool,
}

impl Run {
    fn new() -> Self {
        let mut bench = Bench::default();
        let pool = |key: &str| json!({"key": key, "capacity": UNITS, "price": 100});
        let listing = bench.listing(json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "starts_at": "2026-11-23T10:00:00Z", "ends_at": "2026-11-23T12:00:00Z",
            "policy": {"payment": ["external"], "hold_seconds": 600}, "pools": POOLS.map(pool),
        }));
        let mut book = |pool: &str| (0..UNITS).map(|_| bench.book(listing, &[(pool, 1)]).id).collect();
        let singles = [book(POOLS[0]), book(POOLS[1])];
        Self { bench, listing, singles, model: Model::default(), forgets: false }
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Join(front, back, any) => self.join([front, back], any),
            Op::Leave(index) => self.leave(usize::from(index)),
            Op::Cancel(pool) => {
                let Some(id) = self.singles[pool].pop() else { return };
                self.bench.change(Actor::Owner, id, cancel()).unwrap();
                self.model.free[pool] += 1;
            }
            Op::Book(pool, quantity) => {
                let claim = lines(&[(POOLS[pool], quantity)]);
                let booked = self.bench.try_book(self.listing, claim, "somebody");
                assert_eq!(booked.is_ok(), quantity <= self.model.available()[pool], "{booked:?}");
                if let Ok(booking) = booked {
                    let mut units = [0, 0];
                    units[pool] = quantity;
                    self.model.free[pool] -= quantity;
                    self.model.is_passed_over(units, self.model.list.len());
                    self.singles[pool].extend((quantity == 1).then_some(booking.id));
                }
            }
            Op::Raise(front, back) => {
                let pool = |(key, more): (&str, i64)| json!({"key": key, "capacity": self.bench.pool(self.listing, key).capacity + more});
                let pools = [(POOLS[0], front), (POOLS[1], back)].map(pool);
                self.bench.put_pools(self.listing, json!(pools)).unwrap();
                self.model.free = [self.model.free[0] + front, self.model.free[1] + back];
            }
        }
        self.model.release();
        self.compare();
        if self.forgets {
            self.bench.forget_who_waits();
        }
    }

    fn join(&mut self, wants: [i64; 2], any: i64) {
        let asked: Vec<(&str, i64)> = POOLS.into_iter().zip(wants).filter(|(_, units)| *units > 0).collect();
        let want = if asked.is_empty() { WaitFor::Any(any) } else { WaitFor::Claim(lines(&asked)) };
        let command = self.bench.joining(self.listing, want, None);
        let waiter = Waiter { wants, any, state: EntryState::Waiting, skipped: 0, got: [0, 0], kept: [0, 0] };
        let fits = waiter.fits(self.model.available()).is_some();
        let joined = self.bench.run(&command);
        assert_eq!(joined.is_err(), fits, "{joined:?}");
        self.model.list.extend((!fits).then_some(waiter));
    }

    fn leave(&mut self, index: usize) {
        let no = self.bench.world.listing(self.listing).unwrap().no;
        let entries = self.bench.entries(no);
        if entries.is_empty() {
            return;
        }
        let index = index % entries.len();
        self.bench.world.load_entry(Arc::new(entries[index].clone()));
        let action = lastseat_core::command::Action::LeaveWaitlist { id: entries[index].id };
        self.bench.run(&lastseat_core::command::Command::new(Actor::Owner, action)).unwrap();
        let waiter = &mut self.model.list[index];
        let got = std::mem::take(&mut waiter.got);
        if waiter.waits() {
            waiter.state = EntryState::Left;
        }
        self.model.free = [self.model.free[0] + got[0], self.model.free[1] + got[1]];
    }

    fn compare(&self) {
        let no = self.bench.world.listing(self.listing).unwrap().no;
        let of = |units: &Units| [0, 1].map(|group| units.get(&PoolNo::new(group, 0)).copied().unwrap_or(0));
        let entries = self.bench.entries(no);
        assert_eq!(entries.len(), self.model.list.len());
        for (entry, waiter) in entries.iter().zip(&self.model.list) {
            assert_eq!((entry.state, entry.skipped), (waiter.state, waiter.skipped), "{entry:?}, {waiter:?}");
            assert_eq!(of(&entry.kept.iter().copied().collect()), waiter.kept, "{entry:?}, {waiter:?}");
            let offer = entry.booking.and_then(|no| self.bench.world.booking_at(no));
            let offer = offer.filter(|offer| offer.state.holds());
            let got: Units =
                offer.iter().flat_map(|offer| offer.lines.iter()).map(|l| (l.pool, l.quantity)).collect();
            assert_eq!(of(&got), waiter.got, "{entry:?}, {waiter:?}");
        }
        let free = [0, 1].map(|group| self.bench.free(no, PoolNo::new(group, 0)));
        assert_eq!(free, self.model.free);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_waits_is_served_as_if_everybody_were_asked_anew_each_time(
        ops in prop::collection::vec(op(), 1..120),
        chunk in 1..5u32,
        forgets in any::<bool>(),
    ) {
        let mut run = Run::new();
        (run.bench.chunk, run.forgets) = (chunk, forgets);
        for op in &ops {
            run.step(op);
        }
    }
}

#[test]
fn a_couple_among_singles_is_passed_over_ten_times_and_no_more() {
    let mut run = Run::new();
    run.step(&Op::Join(2, 0, 1));
    for round in 1..=11 {
        run.step(&Op::Cancel(0));
        run.step(&Op::Book(0, 1));
        assert_eq!(run.model.list[0].skipped, MAX_SKIPS.min(round));
    }
    assert_eq!(run.model.list[0].kept, [1, 0]);
    run.step(&Op::Cancel(0));
    assert_eq!(run.model.list[0].got, [2, 0]);
}

#[test]
fn whoever_waits_for_two_kinds_keeps_what_is_left_of_the_other_kind_too() {
    for (wants, any) in [([1, 2], 0), ([0, 0], 3)] {
        let mut run = Run::new();
        run.step(&Op::Join(wants[0], wants[1], any));
        run.step(&Op::Cancel(1));
        for _ in 1..=10 {
            run.step(&Op::Cancel(0));
            run.step(&Op::Book(0, 1));
        }
        assert_eq!((run.model.list[0].skipped, run.model.list[0].kept), (MAX_SKIPS, [0, 1]));
        run.step(&Op::Book(1, 1));
        assert_eq!(run.model.list[0].kept, [0, 1]);
    }
}
