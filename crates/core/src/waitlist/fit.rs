//! Whether what can be had is enough for an entry, and which units it would get.

use super::Want;
use crate::listing::Listing;
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::time::Time;
use crate::world::World;

/// The units that an entry would get now; none where there is not enough for it. For [`Want::Any`] of places and seats
/// all pools of the listing have to be loaded; of nights and slots only loaded pools are looked at.
#[must_use]
pub fn fit(world: &World, listing: &Listing, want: &Want) -> Option<Vec<(PoolNo, i64)>> {
    match want {
        Want::Lines(lines) => {
            let enough = lines.iter().all(|line| {
                let pool = world.pool(PoolRef { listing: listing.no, pool: line.pool });
                pool.is_some_and(|pool| pool.available() >= line.quantity)
            });
            enough.then(|| lines.iter().map(|line| (line.pool, line.quantity)).collect())
        }
        Want::Any(quantity) => {
            any(listing, &world.pools_of(listing.no), *quantity, Pool::available, world.now)
        }
    }
}

/// Whether an entry could ever fit: whether what it wants exists, if a pool `has` so much at most.
#[must_use]
pub fn exists(world: &World, listing: &Listing, want: &Want, has: impl Fn(&Pool) -> i64) -> bool {
    match want {
        Want::Lines(lines) => lines.iter().all(|line| {
            let pool = world.pool(PoolRef { listing: listing.no, pool: line.pool });
            pool.is_some_and(|pool| has(&pool) >= line.quantity)
        }),
        Want::Any(quantity) => {
            let pools = world.pools_of(listing.no);
            any(listing, &pools, *quantity, has, world.now).is_some()
        }
    }
}

/// What has to be on sale, and within the customer's limits, for an entry that cannot be had now.
pub(crate) fn needed(world: &World, listing: &Listing, want: &Want) -> Vec<(PoolNo, i64)> {
    match want {
        Want::Lines(lines) => lines.iter().map(|line| (line.pool, line.quantity)).collect(),
        Want::Any(quantity) => {
            let pools = world.pools_of(listing.no);
            let on_sale = pools.iter().find(|(no, _)| listing.on_sale(*no, world.now));
            on_sale.or(pools.first()).map(|(no, _)| (*no, *quantity)).into_iter().collect()
        }
    }
}

/// `quantity` units of any pools on sale, of which `has` says how many units each can give. Of dated listings they come
/// from one pool: a night, a slot. Of others from one pool if one has enough, else from neighbours, else from the first.
fn any(
    listing: &Listing,
    pools: &[(PoolNo, Pool)],
    quantity: i64,
    has: impl Fn(&Pool) -> i64,
    now: Time,
) -> Option<Vec<(PoolNo, i64)>> {
    // When the sale of a pool ends takes longer to find out than what it has.
    let gives = |least: i64| {
        let enough =
            pools.iter().map(|(no, pool)| (*no, has(pool))).filter(move |(_, units)| *units >= least);
        enough.filter(|(no, _)| !listing.sale_is_over(*no, now))
    };
    if let Some((no, _)) = gives(quantity).next() {
        return Some(vec![(no, quantity)]);
    }
    if listing.kind().is_dated() {
        return None;
    }
    let free: Vec<(PoolNo, i64)> = gives(1).collect();
    let beside = |a: &(PoolNo, i64), b: &(PoolNo, i64)| {
        a.0.group + 1 == b.0.group && row(listing, a.0) == row(listing, b.0)
    };
    let together = free.chunk_by(beside).find_map(|side| gather(side, quantity));
    together.or_else(|| gather(&free, quantity))
}

/// The row that a seat is in, with its zone; none for what is no seat.
fn row(listing: &Listing, pool: PoolNo) -> Option<(&str, &str)> {
    let seat = listing.groups.get(pool.group)?.seat.as_ref()?;
    Some((seat.zone.as_str(), seat.row.as_str()))
}

/// Units from the first pools on, if there are enough.
fn gather(free: &[(PoolNo, i64)], quantity: i64) -> Option<Vec<(PoolNo, i64)>> {
    let mut missing = quantity;
    let mut taken = Vec::new();
    for (no, units) in free {
        let take = missing.min(*units);
        taken.push((*no, take));
        missing -= take;
        if missing == 0 {
            return Some(taken);
        }
    }
    None
}
