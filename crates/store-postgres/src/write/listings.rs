//! Listings with their groups, and the pools that they begin with.

use lastseat_core::listing::Group;
use lastseat_core::pool::PoolRef;
use lastseat_core::world::World;
use uuid::Uuid;

use super::{Param, Written, json, params};
use crate::sql;

/// `edition` is a random number, which new and edited listings get: counted on, it would be given twice where a standby
/// was promoted that had not everything.
pub(super) fn write(written: &mut Written, world: &World, edition: i64) {
    for no in world.changes.edited() {
        written.push(sql::NEXT_EDITION, params![no.0, edition]);
    }
    for (no, id, new) in &world.changes.new_listings {
        let listing = new.listing(*no, *id, world.now);
        let pools: Vec<_> = new
            .pools
            .iter()
            .map(|(pool, numbers)| (PoolRef { listing: *no, pool: *pool }, *numbers))
            .collect();
        let (no, id) = (no.0, Uuid::from_u128(id.bits()));
        let version = i64::try_from(listing.version).expect("versions count edits");
        written.push(
            sql::INSERT_LISTING,
            params![no, id, version, listing.created_at.millis(), json(&listing.doc)],
        );
        written.push(sql::INSERT_INVENTORY, params![no, id, edition]);
        if let Some(plan) = &new.plan {
            written.push(sql::INSERT_PLAN, params![no, plan.clone()]);
        }
        written.push(sql::UPSERT_GROUPS, groups(no, listing.groups.all()));
        written.push(sql::UPSERT_POOLS, super::pools(&pools));
    }
    for no in &world.changes.listings {
        let listing = &world.listings[no];
        let version = i64::try_from(listing.version).expect("versions count edits");
        let renew = listing.doc.renew_through.map(|no| no.0);
        written.push(sql::UPDATE_LISTING, params![no.0, version, json(&listing.doc), renew]);
        if world.changes.groups.contains(no) {
            written.push(sql::UPSERT_GROUPS, groups(no.0, listing.groups.all()));
        }
    }
}

fn groups(listing: i64, groups: &[Group]) -> Vec<Param> {
    params![
        listing,
        (0i64..).zip(groups).map(|(number, _)| number).collect::<Vec<_>>(),
        groups.iter().map(|group| group.key.clone()).collect::<Vec<_>>(),
        groups.iter().map(|group| group.title.clone()).collect::<Vec<_>>(),
        groups.iter().map(|group| group.capacity).collect::<Vec<_>>(),
        groups.iter().map(|group| group.price).collect::<Vec<_>>(),
        groups.iter().map(|group| group.seat.as_ref().map(json)).collect::<Vec<_>>(),
    ]
}
