//! A listing is made or edited.

use super::{Outcome, check_key, check_version, given_before, need_admin, need_key};
use crate::admission::ask_again;
use crate::command::Command;
use crate::event::EventKind;
use crate::id::ListingId;
use crate::listing::build::build;
use crate::listing::change::{Change, change};
use crate::listing::spec::ListingSpec;
use crate::listing::{Listing, ListingDoc, Status};
use crate::pool::PoolRef;
use crate::refusal::Refusal;
use crate::world::{Answer, World};
use std::sync::Arc;

pub(super) fn create(
    world: &mut World,
    command: &Command,
    id: ListingId,
    spec: &ListingSpec,
) -> Result<Outcome, Refusal> {
    need_admin(&command.actor)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let new = build(spec, world.now).map_err(Refusal::invalid)?;
    check_key(world, command.idempotency)?;
    let listing = world.add_listing(id, new);
    let data = serde_json::json!({ "title": listing.doc.title, "kind": listing.kind(), "status": listing.doc.status });
    world.listing_event(EventKind::ListingCreated, listing.no, &command.actor, data.to_string());
    world.remember(command.idempotency, Answer::Listing(id));
    Ok(Outcome::Listing(listing))
}

pub(super) fn patch(
    world: &mut World,
    command: &Command,
    id: ListingId,
    patch: &serde_json::Value,
) -> Result<Outcome, Refusal> {
    need_key(&command.actor)?;
    let old = world.listing(id).cloned().ok_or_else(|| Refusal::not_found("listing"))?;
    need_admin(&command.actor)?;
    let pools = world.pools_of(old.no);
    let Change { doc, groups, add, remove } =
        change(&old, patch, &pools, world.now).map_err(Refusal::invalid)?;
    check_version(command.if_match, old.version)?;
    if doc.shape != old.doc.shape && world.leaves_overdue(old.no) {
        // A slot stays for a hold that has lapsed and was not looked at.
        return Err(ask_again());
    }
    if doc == old.doc && groups.is_none() && add.is_empty() && remove.is_empty() {
        return Ok(Outcome::Listing(old));
    }
    let mut doc = doc;
    // What another edit of the same batch has begun goes on.
    doc.renew_through = old.doc.renew_through.filter(|_| world.changes.listings.contains(&old.no));
    let cancelled = doc.status == Status::Cancelled && old.doc.status != Status::Cancelled;
    if cancelled || doc.shape != old.doc.shape {
        doc.renew_through = Some(world.last_booking(old.no));
    }
    let recount = doc.counts_customers && !old.doc.counts_customers;
    let groups_changed = groups.is_some();
    let groups = groups.map_or_else(|| Arc::clone(&old.groups), Arc::new);
    let listing = Arc::new(Listing::new(old.no, old.id, old.version + 1, old.created_at, doc, groups));
    for (pool, numbers) in add {
        world.set_pool(PoolRef { listing: old.no, pool }, numbers);
    }
    for pool in remove {
        world.remove_pool(PoolRef { listing: old.no, pool });
    }
    world.set_listing(Arc::clone(&listing));
    if groups_changed {
        world.changes.groups.insert(old.no);
    }
    if recount {
        world.changes.recount.insert(old.no);
    }
    if world.list_numbers(old.no).waiting > 0 && matters(&old.doc, &listing.doc) {
        if recount {
            // What customers have is not known before it was counted: the next batch makes the offers.
            world.postpone_offers(old.no);
        }
        world.changes.recheck.insert(old.no);
        world.freed_all(old.no);
    }
    let kind = if cancelled { EventKind::ListingCancelled } else { EventKind::ListingUpdated };
    world.listing_event(kind, old.no, &command.actor, patch.to_string());
    Ok(Outcome::Listing(listing))
}

/// Whether an edit may matter to those who wait, and is more than new words.
fn matters(old: &ListingDoc, new: &ListingDoc) -> bool {
    let wordless = |doc: &ListingDoc| ListingDoc {
        title: String::new(),
        description: None,
        category: None,
        city: None,
        venue: None,
        ..doc.clone()
    };
    wordless(old) != wordless(new)
}
