//! Entries of waitlists.

use lastseat_core::customer::identity_digest;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry};
use lastseat_core::world::World;
use lastseat_store::columns::{self, EVERYTHING};
use uuid::Uuid;

use super::{Param, Written, json, optional, params};
use crate::sql;

/// Writes new and changed entries, and how many wait.
pub(super) fn write(written: &mut Written, world: &World) {
    if world.has_changed_entries() {
        write_entries(written, world);
    }
    // Of those too that have changed just now.
    for listing in &world.changes.recheck {
        for sql in [sql::RECHECK_ENTRIES, sql::RECHECK_WAITING] {
            written.push(sql, params![listing.0, world.now.millis()]);
        }
    }
}

fn write_entries(written: &mut Written, world: &World) {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let (mut begins, mut goes_on, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (old, entry) in world.changed_entries() {
        let rows = if old.is_some() { &mut changed } else { &mut new };
        rows.push(entry);
        let found_by = |entry: &Entry| (entry.due_at, entry.kept.is_empty());
        match old.filter(|old| old.waits()) {
            None if entry.waits() => begins.push(entry),
            None => {}
            Some(_) if !entry.waits() => ends.push(entry),
            Some(old) if found_by(old) != found_by(entry) => goes_on.push(entry),
            Some(_) => {}
        }
    }
    for (sql, rows, columns) in [
        (sql::INSERT_ENTRIES, &new, new_columns as fn(&[&Entry]) -> Vec<Param>),
        (sql::UPDATE_ENTRIES, &changed, changed_columns),
        (sql::INSERT_WAITING, &begins, begins_columns),
        (sql::UPDATE_WAITING, &goes_on, goes_on_columns),
        (sql::DELETE_WAITING, &ends, waiting_key),
    ] {
        if !rows.is_empty() {
            written.push(sql, columns(rows));
        }
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
    let listings = world.changed_lists();
    let waiting: Vec<i64> = listings.iter().map(|no| world.list_numbers(*no).waiting).collect();
    let listings: Vec<i64> = listings.into_iter().map(|no| no.0).collect();
    written.push(sql::SET_WAITING, params![listings, waiting]);
}

fn column<T>(rows: &[&Entry], of: impl Fn(&Entry) -> T) -> Vec<T> {
    rows.iter().map(|entry| of(entry)).collect()
}

/// One that may have no values.
fn some<T>(rows: &[&Entry], of: impl Fn(&Entry) -> Option<T>) -> Vec<Option<T>> {
    optional(rows.iter().map(|entry| of(entry)))
}

/// One of the columns that say which pools an entry has to do with.
fn reach(rows: &[&Entry], of: fn((i64, i64, i64)) -> i64) -> Vec<i64> {
    column(rows, |entry| of(columns::reach(entry.want.reach())))
}

fn kept(entry: &Entry) -> Option<String> {
    (!entry.kept.is_empty()).then(|| json(&entry.kept))
}

fn digest(entry: &Entry) -> Option<Uuid> {
    entry.customer.identity().map(|identity| Uuid::from_bytes(identity_digest(&identity)))
}

/// The 8 columns of changed entries.
fn changed_columns(rows: &[&Entry]) -> Vec<Param> {
    params![
        column(rows, |entry| entry.listing.0),
        column(rows, |entry| entry.no.0),
        column(rows, |entry| entry.state.as_str()),
        some(rows, |entry| entry.due_at.map(Time::millis)),
        column(rows, |entry| i64::from(entry.skipped)),
        some(rows, kept),
        some(rows, |entry| entry.booking.map(|no| no.0)),
        some(rows, |entry| entry.ended.map(Ended::as_str)),
    ]
}

/// The 21 columns of new entries.
fn new_columns(rows: &[&Entry]) -> Vec<Param> {
    params![
        column(rows, |entry| entry.listing.0),
        column(rows, |entry| entry.no.0),
        column(rows, |entry| Uuid::from_u128(entry.id.bits())),
        column(rows, |entry| entry.state.as_str()),
        column(rows, |entry| json(&entry.want)),
        column(rows, |entry| json(&entry.customer)),
        column(rows, |entry| entry.created_at.millis()),
        some(rows, |entry| entry.created_by.map(|id| Uuid::from_u128(id.bits()))),
        some(rows, |entry| entry.until.map(Time::millis)),
        some(rows, |entry| entry.due_at.map(Time::millis)),
        column(rows, |entry| entry.joined_behind),
        column(rows, |entry| i64::from(entry.skipped)),
        some(rows, kept),
        some(rows, |entry| entry.booking.map(|no| no.0)),
        some(rows, |entry| entry.ended.map(Ended::as_str)),
        reach(rows, |(group, ..)| group),
        reach(rows, |(_, first, _)| first),
        reach(rows, |(.., last)| last),
        column(rows, |entry| entry.want.least()),
        some(rows, digest),
        some(rows, |entry| entry.address.clone()),
    ]
}

/// Where those stand who wait: listing, group and number.
fn waiting_key(rows: &[&Entry]) -> Vec<Param> {
    params![
        column(rows, |entry| entry.listing.0),
        reach(rows, |(group, ..)| group),
        column(rows, |entry| entry.no.0)
    ]
}

/// The same, with what changes while they wait.
fn goes_on_columns(rows: &[&Entry]) -> Vec<Param> {
    let mut columns = waiting_key(rows);
    columns.extend(params![
        some(rows, |entry| entry.due_at.map(Time::millis)),
        column(rows, |entry| !entry.kept.is_empty()),
    ]);
    columns
}

/// The same, with which pools they are found by.
fn begins_columns(rows: &[&Entry]) -> Vec<Param> {
    let mut columns = goes_on_columns(rows);
    columns.extend(params![
        reach(rows, |(_, first, _)| first),
        reach(rows, |(.., last)| last),
        column(rows, |entry| entry.want.least()),
    ]);
    columns
}
