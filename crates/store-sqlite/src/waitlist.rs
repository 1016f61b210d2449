//! The rows of waitlists.

use std::sync::Arc;

use lastseat_core::customer::identity_digest;
use lastseat_core::id::{EntryNo, ListingNo, WaitlistId};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{CustomerRef, World};
use lastseat_store::columns::{self, EVERYTHING};
use lastseat_store::{MANY_POOLS, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::read::many;
use crate::write::json;
use crate::{row, sql, store_error};

/// Writes new and changed entries, and how many wait.
pub(crate) fn write(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    if world.has_changed_entries() {
        write_entries(connection, world)?;
    }
    // Of those too that have changed just now.
    for listing in &world.changes.recheck {
        connection.prepare_cached(sql::RECHECK_ENTRIES)?.execute(params![listing.0, world.now.millis()])?;
    }
    Ok(())
}

fn write_entries(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(sql::INSERT_ENTRY)?;
    let mut update = connection.prepare_cached(sql::UPDATE_ENTRY)?;
    for (old, new) in world.changed_entries() {
        let due_at = new.due_at.map(Time::millis);
        let kept = (!new.kept.is_empty()).then(|| json(&new.kept));
        let booking = new.booking.map(|no| no.0);
        let ended = new.ended.map(lastseat_core::waitlist::Ended::as_str);
        if old.is_some() {
            let state = new.state.as_str();
            update.execute(params![
                new.listing.0,
                new.no.0,
                state,
                due_at,
                new.skipped,
                kept,
                booking,
                ended
            ])?;
            continue;
        }
        let (group, first, last) = columns::reach(new.want.reach());
        insert.execute(params![
            new.listing.0,
            new.no.0,
            new.id.to_bytes(),
            new.state.as_str(),
            json(&new.want),
            json(&new.customer),
            new.created_at.millis(),
            new.created_by.map(|id| id.to_bytes()),
            new.until.map(Time::millis),
            due_at,
            new.joined_behind,
            new.skipped,
            kept,
            booking,
            ended,
            group,
            first,
            last,
            new.want.least(),
            new.customer.identity().map(|identity| identity_digest(&identity)),
            new.address,
        ])?;
    }
    for ((listing, group), by) in world.changed_counts() {
        let sql = if by > 0 { sql::ADD_TO_COUNT } else { sql::TAKE_FROM_COUNT };
        let group = group.map_or(EVERYTHING.0, i64::from);
        connection.prepare_cached(sql)?.execute(params![listing.0, group, by.abs()])?;
    }
    let mut set = connection.prepare_cached(sql::SET_WAITING)?;
    for listing in world.changed_lists() {
        set.execute(params![listing.0, world.list_numbers(listing).waiting])?;
    }
    Ok(())
}

fn count(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<i64, StoreError> {
    let found = connection.prepare_cached(sql).and_then(|mut s| s.query_row(params, |row| row.get(0)));
    found.map_err(store_error)
}

pub(crate) fn list_numbers(connection: &Connection, of: ListingNo) -> Result<ListNumbers, StoreError> {
    let found = connection.prepare_cached(sql::LIST_NUMBERS).and_then(|mut statement| {
        let row =
            statement.query_row([of.0], |row| Ok(ListNumbers { waiting: row.get(0)?, last: row.get(1)? }));
        row.optional()
    });
    Ok(found.map_err(store_error)?.unwrap_or_default())
}

pub(crate) fn entry(connection: &Connection, id: WaitlistId) -> Result<Option<Entry>, StoreError> {
    let found = connection
        .prepare_cached(sql::ENTRY_BY_ID)
        .and_then(|mut statement| statement.query_row([id.to_bytes()], row::entry).optional());
    found.map_err(store_error)
}

pub(crate) fn live_entries(
    connection: &Connection,
    of: &[CustomerRef],
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut found = Vec::new();
    let mut newest = connection.prepare_cached(sql::NEWEST_OF_CUSTOMER).map_err(store_error)?;
    for (listing, identity) in of {
        let params = params![listing.0, identity_digest(identity)];
        let one = newest.query_row(params, row::shared_entry).optional().map_err(store_error)?;
        found.extend(one.filter(|entry| entry.may_be_live()));
    }
    Ok(found)
}

pub(crate) fn keepers(connection: &Connection, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
    many(connection, sql::KEEPERS, [of.0], row::shared_entry)
}

/// The entries that wait and are asked for, in order.
pub(crate) fn waiting(
    connection: &Connection,
    of: ListingNo,
    ask: &Ask,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let most = ask.most.unwrap_or(i64::MAX);
    if ask.pools.len() > MANY_POOLS {
        return many(
            connection,
            sql::WAITING_FOR_ANYTHING,
            params![of.0, ask.after.0, most, ask.limit],
            row::shared_entry,
        );
    }
    let places = ask.pools.iter().map(|pool| (i64::from(pool.group), i64::from(pool.position)));
    let mut found: Vec<Arc<Entry>> = Vec::new();
    for (group, position) in places.chain([(EVERYTHING.0, EVERYTHING.1)]) {
        let params = params![of.0, group, ask.after.0, most, position, ask.limit];
        found.extend(many(connection, sql::WAITING, params, row::shared_entry)?);
    }
    // An entry stands in the list of each of its pools.
    found.sort_by_key(|entry| entry.no);
    found.dedup_by_key(|entry| entry.no);
    found.truncate(ask.limit as usize);
    Ok(found)
}

/// How many wait that meet this reach: from the counts, where they tell.
pub(crate) fn all_ahead(connection: &Connection, of: ListingNo, reach: Reach) -> Result<i64, StoreError> {
    let groups = match reach.group() {
        None => return Ok(list_numbers(connection, of)?.waiting),
        Some(_) if !reach.is_whole_group() => return ahead(connection, of, reach, EntryNo(i64::MAX)),
        Some(group) => [i64::from(group), EVERYTHING.0],
    };
    let mut sum = 0;
    for group in groups {
        sum += many(connection, sql::COUNT_OF_GROUP, params![of.0, group], |row| row.get(0))?
            .iter()
            .sum::<i64>();
    }
    Ok(sum)
}

/// How many are counted as waiting by group.
pub(crate) fn counts(connection: &Connection, of: ListingNo) -> Result<Vec<(Option<u32>, i64)>, StoreError> {
    many(connection, sql::COUNTS, [of.0], |row| Ok((u32::try_from(row.get::<_, i64>(0)?).ok(), row.get(1)?)))
}

/// How many wait that meet this reach and joined before.
pub(crate) fn ahead(
    connection: &Connection,
    of: ListingNo,
    reach: Reach,
    before: EntryNo,
) -> Result<i64, StoreError> {
    if reach == Reach::Everything {
        return count(connection, sql::ALL_AHEAD, params![of.0, before.0]);
    }
    let mut sum = 0;
    for (group, first, last) in [columns::reach(reach), EVERYTHING] {
        sum += count(connection, sql::AHEAD, params![of.0, group, before.0, first, last])?;
    }
    Ok(sum)
}

pub(crate) fn due(connection: &Connection, now: Time, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
    many(connection, sql::DUE_ENTRIES, params![now.millis(), limit], row::shared_entry)
}
