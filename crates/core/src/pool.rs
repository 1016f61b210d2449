//! Pools: what is scarce. A pool has a capacity of equal units; bookings claim quantities from pools.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ListingNo;

/// The number of a pool inside its listing: which group (a resource, a seat, a kind of place) and which
/// position in it. The position is 0 for places and seats, the day since 1970-01-01 for nights, and the
/// minute since 1970-01-01T00:00Z for slots. Order is by group, then by position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolNo {
    /// Index into the listing's groups.
    pub group: u32,
    /// Position inside the group.
    pub position: u32,
}

impl PoolNo {
    /// The pool `position` of `group`.
    #[must_use]
    pub const fn new(group: u32, position: u32) -> Self {
        Self { group, position }
    }

    /// Both parts in one number that sorts the same way; what stores use as a key.
    #[must_use]
    pub fn packed(self) -> i64 {
        (i64::from(self.group) << 32) | i64::from(self.position)
    }

    /// The inverse of [`PoolNo::packed`]. `None` for a negative number or one with too large a group.
    #[must_use]
    pub fn unpacked(packed: i64) -> Option<Self> {
        let group = u32::try_from(packed >> 32).ok()?;
        let position = u32::try_from(packed & 0xffff_ffff).ok()?;
        Some(Self { group, position })
    }
}

impl fmt::Debug for PoolNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.group, self.position)
    }
}

/// A pool of one listing. The order (listing, then pool) is the order in which stores lock pools.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PoolRef {
    /// The listing.
    pub listing: ListingNo,
    /// The pool in it.
    pub pool: PoolNo,
}

/// The counters and the price of one pool.
///
/// Always `held + confirmed + blocked + kept <= capacity`, and none is negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pool {
    /// Units that exist.
    pub capacity: i64,
    /// Units that are withheld from sale.
    pub blocked: i64,
    /// Units of bookings in `held` and `in_review`, overdue ones included until they are swept.
    pub held: i64,
    /// Units of bookings in `confirmed` and `completed`.
    pub confirmed: i64,
    /// Price of one unit in minor units of the listing's currency.
    pub price: i64,
    /// Units that nobody has and that are kept for entries of the waitlist.
    #[serde(default)]
    pub kept: i64,
}

impl Pool {
    /// Units that could be sold, if nobody had them.
    #[must_use]
    pub const fn sellable(&self) -> i64 {
        self.capacity - self.blocked
    }

    /// Units that nobody has.
    #[must_use]
    pub const fn free(&self) -> i64 {
        self.sellable() - self.held - self.confirmed
    }

    /// Units that can be had: free ones that are not kept for somebody.
    #[must_use]
    pub const fn available(&self) -> i64 {
        self.free() - self.kept
    }

    /// Whether the counters are possible at all: the rule "no oversell".
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.capacity >= 0
            && self.blocked >= 0
            && self.held >= 0
            && self.confirmed >= 0
            && self.kept >= 0
            && self.available() >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_keeps_the_order(a in (0..0x7fff_ffffu32, any::<u32>()), b in (0..0x7fff_ffffu32, any::<u32>())) {
            let (a, b) = (PoolNo::new(a.0, a.1), PoolNo::new(b.0, b.1));
            prop_assert_eq!(a.cmp(&b), a.packed().cmp(&b.packed()));
            prop_assert_eq!(PoolNo::unpacked(a.packed()), Some(a));
        }
    }
}
