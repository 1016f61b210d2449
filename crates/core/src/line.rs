//! Lines: which pools a booking claims, how many units of each, and at what price.

use serde::{Deserialize, Serialize};

use crate::pool::PoolNo;

/// Most pools that one booking may claim.
pub const MAX_LINES: usize = 1_000;

/// A claim on one pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The pool.
    pub pool: PoolNo,
    /// Units claimed, at least 1.
    pub quantity: i64,
    /// Price of one unit in minor units when the claim was made.
    pub unit_price: i64,
}

/// The lines of one booking, sorted by pool, no pool twice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lines(Vec<Line>);

impl Lines {
    /// Lines from claims in any order. Claims on the same pool must have been summed before.
    #[must_use]
    pub fn new(mut lines: Vec<Line>) -> Self {
        lines.sort_unstable_by_key(|line| line.pool);
        debug_assert!(lines.windows(2).all(|pair| pair[0].pool < pair[1].pool), "a pool stands twice");
        Self(lines)
    }

    /// The lines in the order of their pools.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Line> + DoubleEndedIterator {
        self.0.iter()
    }

    /// How many pools are claimed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no pool is claimed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The price of all lines in minor units. Limits on prices and quantities keep it within `i64`.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.iter().map(|line| line.quantity * line.unit_price).sum()
    }

    /// Runs of neighbouring pools of one group with the same quantity: what a live hold occupies.
    /// A stay of 30 nights is one run.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for line in &self.0 {
            match runs.last_mut() {
                Some(run) if run.takes(line) => run.last = line.pool.position,
                _ => runs.push(Run {
                    group: line.pool.group,
                    first: line.pool.position,
                    last: line.pool.position,
                    quantity: line.quantity,
                }),
            }
        }
        runs
    }
}

/// A stretch of pools in one group, from `first` to `last` inclusive, of which a booking claims the same
/// quantity. Positions that are no pools of the listing may lie between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The group.
    pub group: u32,
    /// First position.
    pub first: u32,
    /// Last position.
    pub last: u32,
    /// Units of each pool.
    pub quantity: i64,
}

impl Run {
    /// Only neighbouring nights join: slots lie minutes apart, and each is a run of its own.
    fn takes(&self, line: &Line) -> bool {
        line.pool.group == self.group && line.pool.position == self.last + 1 && line.quantity == self.quantity
    }
}

/// How lines are written in rows and events: `[group, position, pools, quantity, unit_price]` for each
/// stretch of neighbouring positions with the same quantity and price.
type Stored = (u32, u32, u32, i64, i64);

impl Serialize for Lines {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut stored: Vec<Stored> = Vec::with_capacity(self.0.len().min(8));
        for line in &self.0 {
            match stored.last_mut() {
                Some((group, position, pools, quantity, price))
                    if *group == line.pool.group
                        && *position + *pools == line.pool.position
                        && *quantity == line.quantity
                        && *price == line.unit_price =>
                {
                    *pools += 1;
                }
                _ => stored.push((line.pool.group, line.pool.position, 1, line.quantity, line.unit_price)),
            }
        }
        stored.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let stored = Vec::<Stored>::deserialize(d)?;
        let mut lines = Vec::new();
        for (group, position, pools, quantity, unit_price) in stored {
            for offset in 0..pools {
                let position =
                    position.checked_add(offset).ok_or_else(|| serde::de::Error::custom("position"))?;
                lines.push(Line { pool: PoolNo::new(group, position), quantity, unit_price });
            }
        }
        Ok(Self::new(lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(position: u32, quantity: i64, unit_price: i64) -> Line {
        Line { pool: PoolNo::new(3, position), quantity, unit_price }
    }

    #[test]
    fn a_stay_of_thirty_nights_is_one_stretch() {
        let lines = Lines::new((100..130).map(|night| line(night, 2, 9900)).collect());
        let text = serde_json::to_string(&lines).unwrap();
        assert_eq!(text, "[[3,100,30,2,9900]]");
        assert_eq!(serde_json::from_str::<Lines>(&text).unwrap(), lines);
        assert_eq!(lines.runs(), [Run { group: 3, first: 100, last: 129, quantity: 2 }]);
        assert_eq!(lines.total(), 30 * 2 * 9900);
    }

    #[test]
    fn a_price_change_splits_the_text_but_not_the_run() {
        let lines = Lines::new(vec![line(2, 1, 20), line(1, 1, 10)]);
        assert_eq!(serde_json::to_string(&lines).unwrap(), "[[3,1,1,1,10],[3,2,1,1,20]]");
        assert_eq!(lines.runs().len(), 1);
    }
}
