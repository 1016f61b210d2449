//! Bounds over time: for every instant, the least and the most that can be held, sold, taken and free. Asked
//! whether at *one* instant of a window all the numbers that a client was told lie within the bounds of that
//! instant.

use super::prepare::{NEVER, Window};

/// Units in live holds (for a customer: live holds).
pub(crate) const HELD: usize = 0;
/// Units sold.
pub(crate) const SOLD: usize = 1;
/// Units held or sold; tighter than the sum of the two while a hold is being confirmed. For decisions only: a reader
/// that comes after a deadline does not count a hold whose confirmation is not committed yet.
pub(crate) const TAKEN: usize = 2;
/// Units there are to hold and sell: capacity less blocked (for a customer: the limit).
pub(crate) const ROOM: usize = 3;
/// `ROOM` less `TAKEN`.
pub(crate) const FREE: usize = 4;
const QUANTITIES: usize = 5;

/// A value that is asked for: from, to. None: any.
pub(crate) type Wants = [Option<(i64, i64)>; QUANTITIES];

/// Which bound a mark moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Side {
    /// The least that a reader can have seen.
    Least,
    /// The most that a reader can have seen.
    Most,
    /// What certainly was taken all at once, by the order in which things were decided.
    Decided,
}

/// Collects changes of bounds.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    changes: Vec<(i64, usize, Side, i64)>,
}

impl Marks {
    /// Adds `amount` to a bound from `lo` to `hi`, both included. Nothing if that is empty.
    pub(crate) fn add(&mut self, quantity: usize, side: Side, (lo, hi): (i64, i64), amount: i64) {
        if lo <= hi {
            self.changes.push((lo, quantity, side, amount));
            self.changes.push((hi + 1, quantity, side, -amount));
        }
    }

    /// The bounds. O(n log n).
    pub(crate) fn track(mut self) -> Track {
        self.changes.sort_unstable_by_key(|(at, ..)| *at);
        let mut track = Track { times: vec![NEVER], bounds: vec![Bounds::default()], tree: Vec::new() };
        let mut now = Bounds::default();
        for (at, quantity, side, amount) in self.changes {
            match side {
                Side::Least => now.least[quantity] += amount,
                Side::Most => now.most[quantity] += amount,
                Side::Decided => now.decided[usize::from(quantity != HELD)] += amount,
            }
            now.least[FREE] = now.least[ROOM] - now.most[TAKEN];
            now.most[FREE] = now.most[ROOM] - now.least[TAKEN];
            if *track.times.last().unwrap_or(&NEVER) != at {
                track.times.push(at);
                track.bounds.push(now);
            }
            if let Some(bounds) = track.bounds.last_mut() {
                *bounds = now;
            }
        }
        track.grow_tree();
        track
    }
}

/// The bounds from one instant to the next change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) least: [i64; QUANTITIES],
    pub(crate) most: [i64; QUANTITIES],
    /// Decided and certain: what is held, then all that is taken.
    pub(crate) decided: [i64; 2],
}

impl Bounds {
    fn fit(&self, wants: &Wants) -> bool {
        (0..QUANTITIES).all(|q| wants[q].is_none_or(|(from, to)| self.least[q] <= to && self.most[q] >= from))
    }

    fn covering(&self, other: &Self) -> Self {
        let mut both = *self;
        for q in 0..QUANTITIES {
            both.least[q] = both.least[q].min(other.least[q]);
            both.most[q] = both.most[q].max(other.most[q]);
        }
        both
    }
}

/// Bounds over time.
#[derive(Debug)]
pub(crate) struct Track {
    times: Vec<i64>,
    bounds: Vec<Bounds>,
    /// For every inner node of a binary tree over `bounds`, what covers all below it.
    tree: Vec<Bounds>,
}

impl Track {
    fn grow_tree(&mut self) {
        let leaves = self.bounds.len().next_power_of_two();
        let pad = self.bounds.last().copied().unwrap_or_default();
        self.tree = vec![pad; 2 * leaves];
        self.tree[leaves..leaves + self.bounds.len()].copy_from_slice(&self.bounds);
        for node in (1..leaves).rev() {
            self.tree[node] = self.tree[2 * node].covering(&self.tree[2 * node + 1]);
        }
    }

    /// The stretches that touch the window: indices, from and up to but without.
    fn stretches(&self, window: Window) -> (usize, usize) {
        let from = self.times.partition_point(|at| *at <= window.lo).saturating_sub(1);
        (from, self.times.partition_point(|at| *at <= window.hi).max(from + 1))
    }

    /// Whether at one instant of the window all that is asked lies within the bounds. Subtrees in which it
    /// cannot are passed over: O(log n) as a rule, O(n) at worst.
    pub(crate) fn has(&self, window: Window, wants: &Wants) -> bool {
        let range = self.stretches(window);
        self.search(1, (0, self.tree.len() / 2), range, wants)
    }

    fn search(&self, node: usize, (lo, hi): (usize, usize), range: (usize, usize), wants: &Wants) -> bool {
        if hi <= range.0 || range.1 <= lo || !self.tree[node].fit(wants) {
            return false;
        }
        if hi - lo == 1 {
            return true;
        }
        let middle = usize::midpoint(lo, hi);
        self.search(2 * node, (lo, middle), range, wants)
            || self.search(2 * node + 1, (middle, hi), range, wants)
    }

    /// The least and the most of a quantity in the window, for people.
    pub(crate) fn extent(&self, window: Window, quantity: usize) -> (i64, i64) {
        let (from, until) = self.stretches(window);
        let within = &self.bounds[from..until];
        let least = within.iter().map(|bounds| bounds.least[quantity]).min().unwrap_or(0);
        (least, within.iter().map(|bounds| bounds.most[quantity]).max().unwrap_or(0))
    }

    /// Each stretch with its begin.
    pub(crate) fn all(&self) -> impl Iterator<Item = (i64, &Bounds)> {
        self.times.iter().copied().zip(&self.bounds)
    }
}
