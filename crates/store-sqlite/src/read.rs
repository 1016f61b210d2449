//! Questions on snapshots.

use lastseat_core::booking::Booking;
use lastseat_core::command::Role;
use lastseat_core::customer::Customer;
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::secret::InstanceSecret;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::CustomerUse;
use lastseat_store::read::Money;
use lastseat_store::{ApiKey, BookingFilter, Hold, ListingNumbers, Read, StoreError, StoredEvent, Which};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::open::SqliteStore;
use crate::write::{META_EPOCH, META_SECRET};
use crate::{row, sql, store_error, waitlist};

/// A reader's connection with an open transaction. It goes back to the store when it is dropped.
pub(crate) struct SqliteRead<'a> {
    store: &'a SqliteStore,
    connection: Option<Connection>,
    now: Time,
}

impl<'a> SqliteRead<'a> {
    pub(crate) fn new(store: &'a SqliteStore, connection: Connection, now: Time) -> Self {
        Self { store, connection: Some(connection), now }
    }

    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("taken on drop only")
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let found =
            self.connection().prepare_cached(sql).and_then(|mut s| s.query_row(params, read).optional());
        found.map_err(store_error)
    }

    fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        many(self.connection(), sql, params, read)
    }
}

impl Drop for SqliteRead<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("COMMIT").is_ok()
        {
            self.store.idle(connection);
        }
    }
}

pub(crate) fn many<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map(params, read).map_err(store_error)?;
    rows.collect::<rusqlite::Result<_>>().map_err(store_error)
}

/// All pools of a listing, in order.
pub(crate) fn pools(connection: &Connection, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
    many(connection, sql::POOLS_BETWEEN, params![of.0, i64::MIN, i64::MAX], |row| {
        let packed = row.get(0)?;
        let no = PoolNo::unpacked(packed).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, packed))?;
        Ok((no, row::pool(row, 1)?))
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let kind: String = row.get(2)?;
    let kind = EventKind::parse(&kind)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(2, kind, rusqlite::types::Type::Text))?;
    let no: Option<i64> = row.get(4)?;
    Ok(StoredEvent {
        place: row.get(0)?,
        no: row.get(0)?,
        at: row::time(row, 1)?,
        kind,
        listing: ListingNo(row.get(3)?),
        booking: no.map(BookingNo).zip(row::optional_booking_id(row, 5)?),
        seq: row.get(6)?,
        version: row.get(7)?,
        actor: row.get(8)?,
        data: row.get(9)?,
    })
}

impl Read for SqliteRead<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn secret(&self) -> Result<InstanceSecret, StoreError> {
        let bytes: Option<[u8; 32]> = self.one(sql::META, [META_SECRET], |row| row.get(0))?;
        let missing = || StoreError::Corrupt("the instance's secret is missing".to_owned());
        bytes.map(InstanceSecret::new).ok_or_else(missing)
    }

    fn epoch(&self) -> Result<u64, StoreError> {
        let bytes: Option<[u8; 4]> = self.one(sql::META, [META_EPOCH], |row| row.get(0))?;
        let missing = || StoreError::Corrupt("the event log's epoch is missing".to_owned());
        bytes.map(|bytes| u64::from(u32::from_be_bytes(bytes))).ok_or_else(missing)
    }

    fn listings(&self) -> Result<Vec<Listing>, StoreError> {
        let bare = self.many(sql::LISTINGS, [], row::bare_listing)?;
        bare.into_iter().map(|bare| row::listing(self.connection(), bare)).collect()
    }

    fn plan(&self, of: ListingNo) -> Result<Option<String>, StoreError> {
        self.one(sql::PLAN, [of.0], |row| row.get(0))
    }

    fn booking(&self, id: BookingId) -> Result<Option<Booking>, StoreError> {
        self.one(sql::BOOKING_BY_ID, [id.to_bytes()], row::booking)
    }

    fn booking_at(&self, no: BookingNo) -> Result<Option<Booking>, StoreError> {
        self.one(sql::BOOKING_BY_NO, [no.0], row::booking)
    }

    fn bookings(&self, filter: &BookingFilter, limit: u32) -> Result<Vec<Booking>, StoreError> {
        let (text, values) = bookings_query(filter, self.now, limit);
        self.many(&text, rusqlite::params_from_iter(values), row::booking)
    }

    fn booking_events(&self, of: BookingNo) -> Result<Vec<StoredEvent>, StoreError> {
        self.many(sql::EVENTS_OF_BOOKING, [of.0], event)
    }

    fn events(&self, after: i64, of: Option<ListingNo>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        match of {
            None => self.many(sql::EVENTS, params![after, limit], event),
            Some(listing) => self.many(sql::EVENTS_OF_LISTING, params![after, limit, listing.0], event),
        }
    }

    fn last_event(&self) -> Result<i64, StoreError> {
        Ok(self.one(sql::LAST_EVENT, [], |row| row.get(0))?.unwrap_or(0))
    }

    fn pools(&self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        pools(self.connection(), of)
    }

    fn holds(&self, of: ListingNo) -> Result<Vec<Hold>, StoreError> {
        self.many(sql::HOLDS, [of.0], |row| {
            Ok(Hold {
                group: row.get(0)?,
                first: row.get(1)?,
                last: row.get(2)?,
                quantity: row.get(3)?,
                due_at: row::time(row, 4)?,
            })
        })
    }

    fn inventory_version(&self, of: ListingNo) -> Result<u64, StoreError> {
        Ok(self.one(sql::INVENTORY, [of.0], |row| row.get(0))?.unwrap_or(0))
    }

    fn numbers(&self, of: ListingNo) -> Result<ListingNumbers, StoreError> {
        let by_state = self.many(sql::NUMBERS, [of.0], |row| {
            let money = Money {
                total: row.get(2)?,
                paid: row.get(3)?,
                refund_due: row.get(4)?,
                refunded: row.get(5)?,
            };
            Ok((row::state(row, 0)?, row.get(1)?, money))
        })?;
        Ok(ListingNumbers { by_state })
    }

    fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.many(sql::KEYS, [], |row| {
            let role: String = row.get(1)?;
            let role = Role::parse(&role)
                .ok_or_else(|| rusqlite::Error::InvalidColumnType(1, role, rusqlite::types::Type::Text))?;
            Ok(ApiKey {
                id: row::key_id(row, 0)?,
                role,
                name: row.get(2)?,
                hash: row.get(3)?,
                created_at: row::time(row, 4)?,
            })
        })
    }

    fn entry(&self, id: WaitlistId) -> Result<Option<Entry>, StoreError> {
        waitlist::entry(self.connection(), id)
    }

    fn entries(
        &self,
        of: ListingNo,
        which: Which,
        after: EntryNo,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = if which == Which::All { sql::ENTRIES_AFTER } else { sql::WAITING_AFTER };
        self.many(sql, params![of.0, after.0, limit], row::entry)
    }

    fn ahead(&self, of: ListingNo, reach: Reach, before: EntryNo) -> Result<i64, StoreError> {
        waitlist::ahead(self.connection(), of, reach, before)
    }

    fn waiting_counts(&self, of: ListingNo) -> Result<Vec<(Option<u32>, i64)>, StoreError> {
        waitlist::counts(self.connection(), of)
    }

    fn list_numbers(&self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        waitlist::list_numbers(self.connection(), of)
    }

    fn next_due(&self) -> Result<Option<Time>, StoreError> {
        Ok(self.one(sql::NEXT_DUE, [], |row| row::optional_time(row, 0))?.flatten())
    }

    fn is_renewing(&self) -> Result<bool, StoreError> {
        Ok(self.one(sql::RENEWING, [], |_| Ok(()))?.is_some())
    }

    fn all_bookings(&self, after: BookingNo, limit: u32) -> Result<Vec<Booking>, StoreError> {
        self.many(sql::BOOKINGS_AFTER, params![after.0, limit], row::booking)
    }

    fn stored_due_at(&self, of: BookingNo) -> Result<Option<Time>, StoreError> {
        Ok(self.one(sql::BOOKING_DUE_AT, [of.0], |row| row::optional_time(row, 0))?.flatten())
    }

    fn customers(&self, of: ListingNo) -> Result<Vec<(String, CustomerUse)>, StoreError> {
        self.many(sql::CUSTOMERS, [of.0], |row| {
            Ok((row.get(0)?, CustomerUse { units: row.get(1)?, open_holds: row.get(2)? }))
        })
    }

    fn lost_bookings(&self, after: i64, through: i64, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        self.many(sql::LOST_BOOKINGS, params![after, through, limit], |row| row.get(0).map(BookingNo))
    }

    fn broken_keys(&self, limit: u32) -> Result<(u64, Vec<String>), StoreError> {
        let count: Vec<u64> = self.many(sql::KEY_COUNT, [], |row| row.get(0))?;
        let mut broken = self.many(sql::REPEATED_KEYS, [limit], |row| row.get(0))?;
        broken.extend(self.many(sql::KEYS_WITHOUT_ANSWER, [limit], |row| row.get(0))?);
        broken.truncate(limit as usize);
        Ok((count.into_iter().sum(), broken))
    }
}

/// Name of the SQL function behind [`Customer::mentions`]: SQLite's own `lower` knows ASCII only.
const MENTIONS: &str = "mentions";

/// Teaches a reader's connection to look for customers.
pub(crate) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(MENTIONS, 2, flags, |context| {
        let customer: Result<Customer, _> = serde_json::from_str(context.get_raw(0).as_str()?);
        let customer = customer.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))?;
        Ok(customer.mentions(context.get_raw(1).as_str()?))
    })
}

/// The query behind a filter, with its values. Only what the filter names becomes part of it.
fn bookings_query(filter: &BookingFilter, now: Time, limit: u32) -> (String, Vec<Value>) {
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    if let Some(listing) = filter.listing {
        conditions.push(format!("listing_no = {}", bind(listing.0.into())));
    }
    let mut states = Vec::new();
    if !filter.states.is_empty() {
        let names: Vec<_> =
            filter.states.iter().map(|state| bind(state.as_str().to_owned().into())).collect();
        states.push(format!("state IN ({})", names.join(", ")));
    }
    if !filter.overdue.is_empty() {
        let names: Vec<_> =
            filter.overdue.iter().map(|state| bind(state.as_str().to_owned().into())).collect();
        states.push(format!("(due_at <= {} AND state IN ({}))", bind(now.millis().into()), names.join(", ")));
    }
    if !states.is_empty() {
        conditions.push(format!("({})", states.join(" OR ")));
    }
    if let Some(text) = &filter.customer {
        conditions.push(format!("{MENTIONS}(customer, {})", bind(text.to_lowercase().into())));
    }
    if let Some(key) = filter.created_by {
        conditions.push(format!("created_by = {}", bind(key.to_bytes().to_vec().into())));
    }
    if let Some(before) = filter.before {
        conditions.push(format!("no < {}", bind(before.0.into())));
    }
    let condition = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
    let limit = bind(i64::from(limit).into());
    let columns = sql::BOOKING_COLUMNS;
    (format!("SELECT {columns} FROM bookings WHERE {condition} ORDER BY no DESC LIMIT {limit}"), values)
}
