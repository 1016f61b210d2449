//! Entries of waitlists.

use std::collections::BTreeSet;

use lastseat_core::customer::identity_digest;
use lastseat_core::id::ListingNo;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry};
use lastseat_core::world::World;
use lastseat_store::columns::{self, EVERYTHING};
use uuid::Uuid;

use super::{Written, json, params};
use crate::sql;

/// Writes new and changed entries, and how many wait.
pub(super) fn write(written: &mut Written, world: &World) {
    if world.has_changed_entries() {
        write_entries(written, world);
    }
    // Of those too that have changed just now.
    for listing in &world.changes.recheck {
        written.push(sql::RECHECK_ENTRIES, params![listing.0, world.now.millis()]);
    }
}

fn write_entries(written: &mut Written, world: &World) {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (old, entry) in world.changed_entries() {
        if old.is_some() { changed.push(entry) } else { new.push(entry) }
    }
    let listings: BTreeSet<ListingNo> = new.iter().chain(&changed).map(|entry| entry.listing).collect();
    if !changed.is_empty() {
        update(written, &changed);
    }
    if !new.is_empty() {
        insert(written, &new);
    }
    let counts = world.changed_counts();
    for (sql, more) in [(sql::ADD_TO_COUNTS, true), (sql::TAKE_FROM_COUNTS, false)] {
        let some: Vec<_> = counts.iter().filter(|(_, by)| (**by > 0) == more).collect();
        if !some.is_empty() {
            let of: Vec<i64> = some.iter().map(|((listing, _), _)| listing.0).collect();
            let groups: Vec<i64> =
                some.iter().map(|((_, group), _)| group.map_or(EVERYTHING.0, i64::from)).collect();
            let by: Vec<i64> = some.iter().map(|(_, by)| by.abs()).collect();
            written.push(sql, params![of, groups, by]);
        }
    }
    let waiting: Vec<i64> = listings.iter().map(|no| world.list_numbers(*no).waiting).collect();
    let listings: Vec<i64> = listings.into_iter().map(|no| no.0).collect();
    written.push(sql::SET_WAITING, params![listings, waiting]);
}

fn column<T>(rows: &[&Entry], of: impl Fn(&Entry) -> T) -> Vec<T> {
    rows.iter().map(|entry| of(entry)).collect()
}

fn kept(entry: &Entry) -> Option<String> {
    (!entry.kept.is_empty()).then(|| json(&entry.kept))
}

fn digest(entry: &Entry) -> Option<Uuid> {
    entry.customer.identity().map(|identity| Uuid::from_bytes(identity_digest(&identity)))
}

fn update(written: &mut Written, rows: &[&Entry]) {
    let params = params![
        column(rows, |entry| entry.listing.0),
        column(rows, |entry| entry.no.0),
        column(rows, |entry| entry.state.as_str()),
        column(rows, |entry| entry.due_at.map(Time::millis)),
        column(rows, |entry| i64::from(entry.skipped)),
        column(rows, kept),
        column(rows, |entry| entry.booking.map(|no| no.0)),
        column(rows, |entry| entry.ended.map(Ended::as_str)),
    ];
    written.push(sql::UPDATE_ENTRIES, params);
}

fn insert(written: &mut Written, rows: &[&Entry]) {
    let reach = |of: fn((i64, i64, i64)) -> i64| column(rows, |entry| of(columns::reach(entry.want.reach())));
    let params = params![
        column(rows, |entry| entry.listing.0),
        column(rows, |entry| entry.no.0),
        column(rows, |entry| Uuid::from_u128(entry.id.bits())),
        column(rows, |entry| entry.state.as_str()),
        column(rows, |entry| json(&entry.want)),
        column(rows, |entry| json(&entry.customer)),
        column(rows, |entry| entry.created_at.millis()),
        column(rows, |entry| entry.created_by.map(|id| Uuid::from_u128(id.bits()))),
        column(rows, |entry| entry.until.map(Time::millis)),
        column(rows, |entry| entry.due_at.map(Time::millis)),
        column(rows, |entry| entry.joined_behind),
        column(rows, |entry| i64::from(entry.skipped)),
        column(rows, kept),
        column(rows, |entry| entry.booking.map(|no| no.0)),
        column(rows, |entry| entry.ended.map(Ended::as_str)),
        reach(|(group, ..)| group),
        reach(|(_, first, _)| first),
        reach(|(.., last)| last),
        column(rows, |entry| entry.want.least()),
        column(rows, digest),
        column(rows, |entry| entry.address.clone()),
    ];
    written.push(sql::INSERT_ENTRIES, params);
}
