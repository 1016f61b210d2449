//! Writing what a batch changed.

use lastseat_core::booking::Booking;
use lastseat_core::event::EventData;
use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::listing::{Group, Listing};
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::world::{Answer, CustomerUse, World, counted};
use lastseat_store::StoreError;
use lastseat_store::columns::ENTRY_THERE;
use rusqlite::{CachedStatement, Connection, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::keys::Keys;
use crate::{row, sql, store_error};

/// Name of the instance's secret in `meta`.
pub(crate) const META_SECRET: &str = "secret";
/// Name of the event log's epoch in `meta`.
pub(crate) const META_EPOCH: &str = "epoch";

/// Makes the secret and the epoch of a new file, from SQLite's own generator, which the system seeds.
pub(crate) fn first_start(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?1, randomblob(32)), (?2, randomblob(4)) ON CONFLICT DO NOTHING",
        [META_SECRET, META_EPOCH],
    )?;
    Ok(())
}

/// Writes what changed; `first_event` is the place of the first new event in the log.
pub(crate) fn write(
    connection: &Connection,
    keys: &mut Keys,
    world: &World,
    first_event: i64,
) -> Result<(), StoreError> {
    let changes = &world.changes;
    for (no, id, new) in &changes.new_listings {
        let listing = new.listing(*no, *id, world.now);
        insert_listing(connection, &listing, &new.pools, new.plan.as_deref()).map_err(store_error)?;
    }
    update_listings(connection, world).map_err(store_error)?;
    write_bookings(connection, world, first_event).map_err(store_error)?;
    write_pools(connection, world).map_err(store_error)?;
    crate::waitlist::write(connection, world).map_err(store_error)?;
    write_customers(connection, world).map_err(store_error)?;
    write_events(connection, world, first_event).map_err(store_error)?;
    write_remembered(connection, keys, world)?;
    for listing in &changes.recount {
        recount(connection, world, *listing)?;
    }
    for key in &changes.new_keys {
        let params = params![key.id.to_bytes(), key.role.as_str(), key.name, key.hash, world.now.millis()];
        connection
            .prepare_cached(sql::INSERT_KEY)
            .and_then(|mut s| s.execute(params))
            .map_err(store_error)?;
    }
    for id in &changes.revoked_keys {
        let params = params![id.to_bytes(), world.now.millis()];
        connection
            .prepare_cached(sql::REVOKE_KEY)
            .and_then(|mut s| s.execute(params))
            .map_err(store_error)?;
    }
    Ok(())
}

/// JSON of the core's types, which cannot fail to be written.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("rows have text keys and plain values")
}

fn insert_listing(
    connection: &Connection,
    listing: &Listing,
    pools: &[(PoolNo, Pool)],
    plan: Option<&str>,
) -> rusqlite::Result<()> {
    connection.prepare_cached(sql::INSERT_LISTING)?.execute(params![
        listing.no.0,
        listing.id.to_bytes(),
        listing.version,
        listing.created_at.millis(),
        json(&listing.doc)
    ])?;
    if let Some(plan) = plan {
        connection.prepare_cached(sql::INSERT_PLAN)?.execute(params![listing.no.0, plan])?;
    }
    write_groups(connection, listing.no, listing.groups.all())?;
    let mut insert = connection.prepare_cached(sql::UPSERT_POOL)?;
    for (no, pool) in pools {
        write_pool(&mut insert, listing.no, *no, pool)?;
    }
    connection.prepare_cached(sql::BUMP_INVENTORY)?.execute([listing.no.0])?;
    Ok(())
}

fn write_groups(connection: &Connection, listing: ListingNo, groups: &[Group]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(sql::UPSERT_GROUP)?;
    for (number, group) in (0i64..).zip(groups) {
        let seat = group.seat.as_ref().map(json);
        insert.execute(params![
            listing.0,
            number,
            group.key,
            group.title,
            group.capacity,
            group.price,
            seat
        ])?;
    }
    Ok(())
}

fn update_listings(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    for no in &world.changes.listings {
        let listing = &world.listings[no];
        let renew = listing.doc.renew_through.map(|no| no.0);
        connection.prepare_cached(sql::UPDATE_LISTING)?.execute(params![
            no.0,
            listing.version,
            json(&listing.doc),
            renew
        ])?;
        if world.changes.groups.contains(no) {
            write_groups(connection, *no, listing.groups.all())?;
        }
    }
    Ok(())
}

/// Where the new events of each booking stand in the log, as they are appended to its row.
fn event_places(world: &World, first: i64) -> HashMap<BookingNo, String> {
    let mut places: HashMap<BookingNo, String> = HashMap::with_capacity(world.changes.bookings.len());
    for (place, event) in (first..).zip(&world.changes.events) {
        if let Some(no) = event.booking {
            // Writing to a string cannot fail.
            let _ = write!(places.entry(no).or_default(), ",{place}");
        }
    }
    places
}

fn write_bookings(connection: &Connection, world: &World, first_event: i64) -> rusqlite::Result<()> {
    if world.changes.bookings.is_empty() {
        return Ok(());
    }
    let places = event_places(world, first_event);
    let mut insert = connection.prepare_cached(sql::INSERT_BOOKING)?;
    let mut update = connection.prepare_cached(sql::UPDATE_BOOKING)?;
    let mut holds = Holds::new(connection)?;
    for (no, old) in &world.changes.bookings {
        let new = world.booking_at(*no).expect("a changed booking is in the world");
        let listing = world.listing_of(new);
        let due = due_at(new, &listing).map(Time::millis);
        let details = (!new.details.is_empty()).then(|| json(&new.details));
        let places = places.get(no).map_or("", String::as_str);
        match old {
            None => {
                insert.execute(params![
                    new.no.0,
                    new.id.to_bytes(),
                    new.listing.0,
                    new.policy,
                    new.version,
                    new.events,
                    new.state.as_str(),
                    json(&new.lines),
                    new.total,
                    new.paid,
                    new.refund_due,
                    new.refunded,
                    new.deadline.map(Time::millis),
                    due,
                    new.created_at.millis(),
                    json(&new.customer),
                    new.address,
                    new.note,
                    new.reason,
                    new.decided_by,
                    new.decided_at.map(Time::millis),
                    new.created_by.map(lastseat_core::id::KeyId::to_bytes),
                    details,
                    places,
                ])?;
                if let Some(external_id) = &new.details.imported_as {
                    connection.prepare_cached(sql::INSERT_IMPORT)?.execute(params![external_id, new.no.0])?;
                }
            }
            Some(_) => {
                update.execute(params![
                    new.no.0,
                    new.version,
                    new.events,
                    new.state.as_str(),
                    json(&new.lines),
                    new.total,
                    new.paid,
                    new.refund_due,
                    new.refunded,
                    new.deadline.map(Time::millis),
                    due,
                    new.reason,
                    new.decided_by,
                    new.decided_at.map(Time::millis),
                    details,
                    places,
                ])?;
            }
        }
        holds.replace(old.as_ref(), new, &listing)?;
    }
    Ok(())
}

/// Keeps the rows of live holds in step with their bookings.
struct Holds<'a> {
    insert: CachedStatement<'a>,
    delete: CachedStatement<'a>,
    insert_customer: CachedStatement<'a>,
    delete_customer: CachedStatement<'a>,
}

impl<'a> Holds<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: connection.prepare_cached(sql::INSERT_HOLD)?,
            delete: connection.prepare_cached(sql::DELETE_HOLD)?,
            insert_customer: connection.prepare_cached(sql::INSERT_CUSTOMER_HOLD)?,
            delete_customer: connection.prepare_cached(sql::DELETE_CUSTOMER_HOLD)?,
        })
    }

    fn replace(&mut self, old: Option<&Booking>, new: &Booking, listing: &Listing) -> rusqlite::Result<()> {
        if let Some(old) = old
            && deadline(old) == deadline(new)
            && (deadline(new).is_none() || old.lines == new.lines)
        {
            return Ok(());
        }
        if let Some((old, due)) = old.and_then(|old| deadline(old).map(|due| (old, due))) {
            for run in old.lines.runs() {
                self.delete.execute(params![old.listing.0, run.group, due, old.no.0, run.first])?;
            }
            for ((scope, identity), _) in counted(old, listing) {
                self.delete_customer.execute(params![scope.0, identity, due, old.no.0])?;
            }
        }
        if let Some(due) = deadline(new) {
            for run in new.lines.runs() {
                let (listing, no) = (new.listing.0, new.no.0);
                self.insert.execute(params![
                    listing,
                    run.group,
                    due,
                    no,
                    run.first,
                    run.last,
                    run.quantity
                ])?;
            }
            for ((scope, identity), _) in counted(new, listing) {
                self.insert_customer.execute(params![scope.0, identity, due, new.no.0])?;
            }
        }
        Ok(())
    }
}

/// The deadline of a booking that holds capacity.
fn deadline(booking: &Booking) -> Option<i64> {
    booking.deadline.filter(|_| booking.state.holds()).map(Time::millis)
}

fn write_pool(
    statement: &mut CachedStatement<'_>,
    listing: ListingNo,
    no: PoolNo,
    pool: &Pool,
) -> rusqlite::Result<usize> {
    let Pool { capacity, blocked, held, confirmed, price, kept } = pool;
    statement.execute(params![listing.0, no.packed(), capacity, blocked, held, confirmed, price, kept])
}

fn write_pools(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    let changes = &world.changes;
    let mut update = connection.prepare_cached(sql::UPDATE_POOL)?;
    for at in &changes.pools {
        let Some(pool) = world.pool(*at) else { continue };
        if write_pool(&mut update, at.listing, at.pool, &pool)? == 0 {
            write_pool(&mut connection.prepare_cached(sql::UPSERT_POOL)?, at.listing, at.pool, &pool)?;
        }
    }
    for at in &changes.removed_pools {
        connection.prepare_cached(sql::DELETE_POOL)?.execute(params![at.listing.0, at.pool.packed()])?;
    }
    let touched: BTreeSet<ListingNo> = changes
        .pools
        .iter()
        .chain(&changes.removed_pools)
        .map(|at| at.listing)
        .chain(changes.listings.iter().copied())
        .collect();
    let mut bump = connection.prepare_cached(sql::BUMP_INVENTORY)?;
    for listing in touched {
        bump.execute([listing.0])?;
    }
    Ok(())
}

fn write_customers(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    if world.changes.customers.is_empty() {
        return Ok(());
    }
    let mut upsert = connection.prepare_cached(sql::UPSERT_CUSTOMER)?;
    for of in &world.changes.customers {
        let CustomerUse { units, open_holds } = world.customer(of);
        upsert.execute(params![of.0.0, of.1, units, open_holds])?;
    }
    Ok(())
}

fn write_events(connection: &Connection, world: &World, first: i64) -> rusqlite::Result<()> {
    if world.changes.events.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(sql::INSERT_EVENT)?;
    for (no, event) in (first..).zip(&world.changes.events) {
        let text;
        let data = match &event.data {
            EventData::Booking(patch) => {
                text = json(patch);
                &text
            }
            EventData::Listing(text) => text,
        };
        insert.execute(params![
            no,
            event.at.millis(),
            event.kind.as_str(),
            event.listing.0,
            event.booking.map(|no| no.0),
            event.seq,
            event.version,
            event.actor,
            data
        ])?;
    }
    Ok(())
}

fn write_remembered(connection: &Connection, keys: &mut Keys, world: &World) -> Result<(), StoreError> {
    if world.changes.remembered.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(sql::REMEMBER).map_err(store_error)?;
    for (key, what) in &world.changes.remembered {
        let twice = || StoreError::BadData("an idempotency key stands already".to_owned());
        let no = keys.add(*key).ok_or_else(twice)?;
        let (booking, version, listing, api_key, entry) = match &what.answer {
            Answer::Booking { no, version } => (Some(no.0), Some(*version), None, None, None),
            Answer::Listing(id) => (None, None, Some(id.to_bytes()), None, None),
            Answer::Key(id) => (None, None, None, Some(id.to_bytes()), None),
            Answer::Entry(id) => (None, None, None, None, Some(id.to_bytes())),
            Answer::EntryThere(id) => (None, Some(ENTRY_THERE), None, None, Some(id.to_bytes())),
        };
        let at = world.now.millis();
        insert
            .execute(params![no, key.0, what.fingerprint, at, booking, version, listing, api_key, entry])
            .map_err(store_error)?;
    }
    Ok(())
}

/// Counts the customers of a listing anew, from its bookings: when a limit is set for the first time.
fn recount(connection: &Connection, world: &World, no: ListingNo) -> Result<(), StoreError> {
    let listing = &world.listings[&no];
    let mut has: BTreeMap<String, CustomerUse> = BTreeMap::new();
    let mut count = || -> rusqlite::Result<()> {
        connection.prepare_cached(sql::FORGET_CUSTOMERS)?.execute([no.0])?;
        connection.prepare_cached(sql::FORGET_CUSTOMER_HOLDS)?.execute([no.0])?;
        let mut select = connection.prepare_cached(sql::BOOKINGS_THAT_COUNT)?;
        let mut insert = connection.prepare_cached(sql::INSERT_CUSTOMER_HOLD)?;
        let mut rows = select.query([no.0])?;
        while let Some(found) = rows.next()? {
            let booking = row::booking(found)?;
            for ((scope, identity), units) in counted(&booking, listing) {
                if scope != no {
                    continue;
                }
                if let Some(due) = deadline(&booking) {
                    insert.execute(params![no.0, identity, due, booking.no.0])?;
                }
                let has = has.entry(identity).or_default();
                has.units += units;
                has.open_holds += i64::from(booking.state.holds());
            }
        }
        let mut upsert = connection.prepare_cached(sql::UPSERT_CUSTOMER)?;
        for (identity, CustomerUse { units, open_holds }) in &has {
            upsert.execute(params![no.0, identity, units, open_holds])?;
        }
        Ok(())
    };
    count().map_err(store_error)
}
