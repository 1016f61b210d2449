//! One batch, one transaction, on the one connection that writes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{Answer, Changes, CustomerRef, CustomerUse, Remembered, World};
use lastseat_store::{CommitError, Lane, StoreError, Tx};
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Clock;
use crate::keys::Keys;
use crate::{row, sql, store_error, waitlist};

/// The connection that writes. It is the only one, so what it has read of listings stays true.
pub(crate) struct SqliteLane {
    connection: Connection,
    clock: Clock,
    listings: HashMap<ListingNo, Arc<Listing>>,
    listing_nos: HashMap<ListingId, ListingNo>,
    keys: Keys,
    /// None after a transaction that failed.
    next: Option<Next>,
}

/// The numbers that what is new gets.
#[derive(Clone, Copy)]
struct Next {
    booking: i64,
    listing: i64,
    event: i64,
}

impl Next {
    /// What is next when these changes are written.
    fn after(self, changes: &Changes) -> Self {
        let booking = changes.bookings.last_key_value().map_or(0, |(no, _)| no.0 + 1);
        let listing = changes.new_listings.iter().map(|(no, ..)| no.0 + 1).max().unwrap_or(0);
        let events = i64::try_from(changes.events.len()).expect("a batch is small");
        Self {
            booking: self.booking.max(booking),
            listing: self.listing.max(listing),
            event: self.event + events,
        }
    }
}

impl SqliteLane {
    pub(crate) fn new(connection: Connection, clock: Clock) -> Result<Self, StoreError> {
        let keys = Keys::load(&connection).map_err(store_error)?;
        let (listings, listing_nos) = (HashMap::new(), HashMap::new());
        Ok(Self { connection, clock, listings, listing_nos, keys, next: None })
    }

    fn next(&mut self) -> Result<Next, StoreError> {
        let next = match self.next {
            Some(next) => next,
            None => self
                .connection
                .prepare_cached(sql::NEXT_NUMBERS)
                .and_then(|mut statement| {
                    statement.query_row([], |row| {
                        Ok(Next { booking: row.get(0)?, listing: row.get(1)?, event: row.get(2)? })
                    })
                })
                .map_err(store_error)?,
        };
        self.next = Some(next);
        Ok(next)
    }
}

impl Lane for SqliteLane {
    fn begin(&mut self, _batch: u128, _names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        if !self.connection.is_autocommit() {
            // The transaction before failed in a way that left it open.
            self.connection.execute_batch("ROLLBACK").map_err(store_error)?;
        }
        run(&self.connection, "BEGIN IMMEDIATE")?;
        let now = self.clock.now();
        Ok(Box::new(SqliteTx { lane: self, now, wrote: false, done: false }))
    }

    fn was_committed(&mut self, _batch: u128) -> Result<bool, StoreError> {
        // A commit that SQLite reports as failed was rolled back; there is no connection to lose.
        Ok(false)
    }

    fn prune(&mut self, before: Time) -> Result<(), StoreError> {
        self.keys.prune(&self.connection, before.millis()).map_err(store_error)
    }
}

fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(store_error)?;
    Ok(())
}

pub(crate) struct SqliteTx<'a> {
    lane: &'a mut SqliteLane,
    now: Time,
    /// Whether listings that were read since may be of this transaction only.
    wrote: bool,
    done: bool,
}

impl SqliteTx<'_> {
    fn connection(&self) -> &Connection {
        &self.lane.connection
    }

    /// The numbers in the one column of a query.
    fn numbers_of(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<BookingNo>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql).map_err(store_error)?;
        let rows = statement.query_map(params, |row| row.get(0).map(BookingNo)).map_err(store_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    fn find_listing(
        &mut self,
        sql: &str,
        param: impl rusqlite::ToSql,
    ) -> Result<Option<Arc<Listing>>, StoreError> {
        let bare = self
            .connection()
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([param], row::bare_listing).optional())
            .map_err(store_error)?;
        let Some(bare) = bare else { return Ok(None) };
        let listing = Arc::new(row::listing(self.connection(), bare)?);
        self.lane.listings.insert(listing.no, Arc::clone(&listing));
        self.lane.listing_nos.insert(listing.id, listing.no);
        Ok(Some(listing))
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        if self.wrote && !self.done {
            self.lane.listings.clear();
            self.lane.listing_nos.clear();
            self.lane.keys.roll_back();
            self.lane.next = None;
        }
        if !self.done && !self.lane.connection.is_autocommit() {
            // If this fails the next `begin` tries again.
            let _ = run(&self.lane.connection, "ROLLBACK");
        }
    }
}

impl Tx for SqliteTx<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn numbers(&mut self, _bookings: usize, _listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        let next = self.lane.next()?;
        Ok((Numbers::from(next.booking), Numbers::from(next.listing)))
    }

    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError> {
        let found = self.numbers_of(sql::LAST_BOOKING, params![of.0])?;
        Ok(found.first().copied().unwrap_or(BookingNo(0)))
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        match self.lane.listing_nos.get(&id) {
            Some(&no) => self.listing_at(no),
            None => self.find_listing(sql::LISTING_BY_ID, id.to_bytes()),
        }
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        if let Some(listing) = self.lane.listings.get(&no) {
            return Ok(Some(Arc::clone(listing)));
        }
        self.find_listing(sql::LISTING_BY_NO, no.0)
    }

    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::BOOKING_BY_ID).map_err(store_error)?;
        let found = ids
            .iter()
            .filter_map(|id| statement.query_row([id.to_bytes()], row::booking).optional().transpose());
        found.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::BOOKING_BY_NO).map_err(store_error)?;
        let found =
            nos.iter().filter_map(|no| statement.query_row([no.0], row::booking).optional().transpose());
        found.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::POOL).map_err(store_error)?;
        of.iter()
            .map(|at| {
                statement
                    .query_row(params![at.listing.0, at.pool.packed()], |row| row::pool(row, 0))
                    .optional()
            })
            .collect::<rusqlite::Result<_>>()
            .map_err(store_error)
    }

    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        crate::read::pools(self.connection(), of)
    }

    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::CUSTOMER).map_err(store_error)?;
        of.iter()
            .map(|(listing, identity)| {
                let row = statement.query_row(params![listing.0, identity], |row| {
                    Ok(CustomerUse { units: row.get(0)?, open_holds: row.get(1)? })
                });
                row.optional().map(Option::unwrap_or_default)
            })
            .collect::<rusqlite::Result<_>>()
            .map_err(store_error)
    }

    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::REMEMBERED).map_err(store_error)?;
        let known = keys.iter().filter_map(|key| Some((*key, self.lane.keys.find(*key)?)));
        let found = known.map(|(key, no)| {
            statement.query_row([no], |row| {
                let (listing, entry) = (row::optional_listing_id(row, 3)?, row::optional_entry_id(row, 5)?);
                let answer = match (row.get::<_, Option<i64>>(1)?, listing, entry) {
                    (Some(no), ..) => Answer::Booking { no: BookingNo(no), version: row.get(2)? },
                    (None, Some(listing), _) => Answer::Listing(listing),
                    (None, None, Some(entry)) => match row.get::<_, Option<u32>>(2)? {
                        None => Answer::Entry(entry),
                        Some(_) => Answer::EntryThere(entry),
                    },
                    (None, None, None) => Answer::Key(row::key_id(row, 4)?),
                };
                Ok((key, Remembered { fingerprint: row.get(0)?, answer }))
            })
        });
        found.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    fn imported(&mut self, external_id: &str) -> Result<Option<BookingId>, StoreError> {
        self.connection()
            .prepare_cached(sql::IMPORTED)
            .and_then(|mut statement| {
                statement.query_row([external_id], |row| row::booking_id(row, 0)).optional()
            })
            .map_err(store_error)
    }

    fn has_key(&mut self, id: KeyId) -> Result<bool, StoreError> {
        self.connection()
            .prepare_cached(sql::HAS_KEY)
            .and_then(|mut statement| statement.exists([id.to_bytes()]))
            .map_err(store_error)
    }

    fn overdue_in(&mut self, pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::OVERDUE_IN).map_err(store_error)?;
        let mut found = Vec::new();
        for (at, units) in pools {
            let mut rows = statement
                .query(params![at.listing.0, at.pool.group, self.now.millis(), at.pool.position])
                .map_err(store_error)?;
            let mut gained = 0;
            while gained < *units {
                let Some(row) = rows.next().map_err(store_error)? else { break };
                found.push(BookingNo(row.get(0).map_err(store_error)?));
                gained += row.get::<_, i64>(1).map_err(store_error)?;
            }
        }
        Ok(found)
    }

    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        let mut found = Vec::new();
        for (listing, identity) in customers {
            found.extend(self.numbers_of(sql::OVERDUE_OF, params![listing.0, identity, self.now.millis()])?);
        }
        Ok(found)
    }

    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        self.numbers_of(sql::DUE, params![self.now.millis(), limit])
    }

    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        waitlist::list_numbers(self.connection(), of)
    }

    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        let found = ids.iter().filter_map(|id| waitlist::entry(self.connection(), *id).transpose());
        found.map(|entry| entry.map(Arc::new)).collect()
    }

    fn live_entries(&mut self, of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError> {
        waitlist::live_entries(self.connection(), of)
    }

    fn keepers(&mut self, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
        waitlist::keepers(self.connection(), of)
    }

    fn waiting(&mut self, of: ListingNo, ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError> {
        waitlist::waiting(self.connection(), of, ask)
    }

    fn ahead(&mut self, of: ListingNo, reach: Reach) -> Result<i64, StoreError> {
        waitlist::all_ahead(self.connection(), of, reach)
    }

    fn due_entries(&mut self, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
        waitlist::due(self.connection(), self.now, limit)
    }

    fn live_bookings(
        &mut self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError> {
        self.numbers_of(sql::LIVE_BOOKINGS, params![of.0, after.0, through.0, limit])
    }

    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError> {
        self.connection()
            .prepare_cached(sql::RENEWING)
            .and_then(|mut statement| {
                let row = statement.query_row([], |row| {
                    Ok((ListingNo(row.get(0)?), BookingNo(row.get(1)?), BookingNo(row.get(2)?)))
                });
                row.optional()
            })
            .map_err(store_error)
    }

    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(sql::SET_RENEWED)
            .and_then(|mut statement| statement.execute(params![of.0, through.map(|no| no.0)]))
            .map_err(store_error)?;
        Ok(())
    }

    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql::NEXT_RELEASE).map_err(store_error)?;
        let next = pools.iter().map(|at| {
            let params = params![at.listing.0, at.pool.group, self.now.millis(), at.pool.position];
            statement.query_row(params, |row| row::time(row, 0)).optional()
        });
        next.collect::<rusqlite::Result<_>>().map_err(store_error)
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        self.wrote = true;
        let next = self.lane.next()?;
        let SqliteLane { connection, keys, .. } = &mut *self.lane;
        crate::write::write(connection, keys, world, next.event)?;
        self.lane.next = Some(next.after(&world.changes));
        // What was written is what the next batch must see. If this transaction fails, it reads anew.
        for no in world.changes.listings.iter().chain(&world.changes.recount) {
            self.lane.listings.remove(no);
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        let result = run(&self.lane.connection, "COMMIT");
        self.done = result.is_ok();
        if self.done {
            self.lane.keys.commit();
        }
        result.map_err(CommitError::Aborted)
    }
}
