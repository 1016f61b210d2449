//! Questions on snapshots.

use std::cell::RefCell;

use lastseat_core::booking::Booking;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::secret::InstanceSecret;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::CustomerUse;
use lastseat_store::columns;
use lastseat_store::read::Money;
use lastseat_store::{ApiKey, BookingFilter, Hold, ListingNumbers, Read, StoreError, StoredEvent, Which};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::connection::Connection;
use crate::migrate::{META_EPOCH, META_SECRET};
use crate::page::Page;
use crate::row::{self, get};
use crate::sql;
use crate::store::PgStore;

/// Bookings that are looked through at once for a customer.
const CUSTOMER_PAGE: i64 = 500;

/// A reader's connection with an open transaction. It goes back to the store when it is dropped.
pub(crate) struct PgRead<'a> {
    store: &'a PgStore,
    connection: RefCell<Option<Connection>>,
    now: Time,
    /// The page of all bookings that was read last.
    page: RefCell<Page>,
}

impl<'a> PgRead<'a> {
    /// Begins a snapshot.
    pub(crate) fn new(store: &'a PgStore, mut connection: Connection) -> Result<Self, StoreError> {
        let clock = connection.statement(sql::CLOCK)?;
        let asked = async {
            let begin = connection.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            let clock = connection.client.query_one(&clock, &[]);
            tokio::join!(biased; begin, clock)
        };
        let (begun, clock) = connection.wait(asked)?;
        connection.check(begun)?;
        let now = store.shared().known.saw(get(&connection.check(clock)?, 0)?);
        Ok(Self { store, connection: RefCell::new(Some(connection)), now, page: RefCell::default() })
    }

    fn with<T>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        question(self.connection.borrow_mut().as_mut().expect("taken on drop only"))
    }

    fn rows(&self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        self.with(|connection| {
            let statement = connection.statement(sql)?;
            connection.ask(connection.client.query(&statement, params))
        })
    }

    fn first<T>(
        &self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
        read: impl FnOnce(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows(sql, params)?.first().map(read).transpose()
    }

    fn meta(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Corrupt(format!("the {key} of this instance is missing"));
        self.first(sql::META, &[&key], |row| get(row, 0))?.ok_or_else(missing)
    }

    /// One page of bookings that fit but for their customer.
    fn page(&self, filter: &BookingFilter, limit: i64) -> Result<Vec<Booking>, StoreError> {
        let (text, values) = bookings_query(filter, self.now, limit);
        let params: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        self.with(|connection| row::bookings(&connection.ask(connection.client.query(&text, &params))?))
    }
}

impl Drop for PgRead<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.is_open()
            && connection.ask(connection.client.batch_execute("COMMIT")).is_ok()
        {
            self.store.idle(connection);
        }
    }
}

/// Pools with their numbers, in order.
pub(crate) fn pools(rows: &[Row]) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
    let pool = |row: &Row| {
        let packed = get(row, 0)?;
        let no =
            PoolNo::unpacked(packed).ok_or_else(|| StoreError::Corrupt(format!("{packed} is no pool")))?;
        Ok((no, row::pool(row, 1)?))
    };
    rows.iter().map(pool).collect()
}

/// How many wait, and the last number; nothing where there is no row.
pub(crate) fn list_numbers(rows: &[Row]) -> Result<ListNumbers, StoreError> {
    let Some(row) = rows.first() else { return Ok(ListNumbers::default()) };
    Ok(ListNumbers { waiting: get(row, 0)?, last: get(row, 1)? })
}

impl Read for PgRead<'_> {
    fn now(&self) -> Time {
        self.now
    }

    fn secret(&self) -> Result<InstanceSecret, StoreError> {
        let bytes: Result<[u8; 32], _> = self.meta(META_SECRET)?.try_into();
        bytes
            .map(InstanceSecret::new)
            .map_err(|_| StoreError::Corrupt("the secret is not 32 bytes".to_owned()))
    }

    fn epoch(&self) -> Result<u64, StoreError> {
        let bytes: Result<[u8; 4], _> = self.meta(META_EPOCH)?.try_into();
        let bytes = bytes.map_err(|_| StoreError::Corrupt("the epoch is not 4 bytes".to_owned()))?;
        Ok(u64::from(u32::from_be_bytes(bytes)))
    }

    fn listings(&self) -> Result<Vec<Listing>, StoreError> {
        row::listings(&self.rows(sql::LISTINGS, &[])?, &self.rows(sql::GROUPS, &[])?)
    }

    fn plan(&self, of: ListingNo) -> Result<Option<String>, StoreError> {
        self.first(sql::PLAN, &[&of.0], |row| get(row, 0))
    }

    fn booking(&self, id: BookingId) -> Result<Option<Booking>, StoreError> {
        if let Some(found) = self.with(|connection| self.page.borrow_mut().booking(id, connection))? {
            return Ok(Some(found));
        }
        self.first(sql::BOOKING_BY_ID, &[&Uuid::from_u128(id.bits())], row::booking)
    }

    fn booking_at(&self, no: BookingNo) -> Result<Option<Booking>, StoreError> {
        self.first(sql::BOOKING_BY_NO, &[&no.0], row::booking)
    }

    fn bookings(&self, filter: &BookingFilter, limit: u32) -> Result<Vec<Booking>, StoreError> {
        let Some(text) = &filter.customer else { return self.page(filter, limit.into()) };
        let text = text.to_lowercase();
        let mut filter = filter.clone();
        let mut found = Vec::new();
        loop {
            let page = self.page(&filter, CUSTOMER_PAGE)?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.no);
            found.extend(page.into_iter().filter(|booking| booking.customer.mentions(&text)));
            if found.len() >= limit as usize {
                break;
            }
        }
        found.truncate(limit as usize);
        Ok(found)
    }

    fn booking_events(&self, of: BookingNo) -> Result<Vec<StoredEvent>, StoreError> {
        if self.page.borrow().has(of) {
            return self.with(|connection| self.page.borrow_mut().events(of, connection));
        }
        self.rows(sql::EVENTS_OF_BOOKING, &[&of.0])?.iter().map(row::event).collect()
    }

    fn events(&self, after: i64, of: Option<ListingNo>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = i64::from(limit);
        let rows = match of {
            None => self.rows(sql::EVENTS, &[&after, &limit])?,
            Some(listing) => self.rows(sql::EVENTS_OF_LISTING, &[&after, &limit, &listing.0])?,
        };
        rows.iter().map(row::event).collect()
    }

    fn last_event(&self) -> Result<i64, StoreError> {
        Ok(self.first(sql::LAST_EVENT, &[], |row| get(row, 0))?.unwrap_or(0))
    }

    fn unplaced(&self) -> Result<Vec<StoredEvent>, StoreError> {
        self.rows(sql::UNPLACED, &[])?.iter().map(row::event).collect()
    }

    fn pools(&self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        pools(&self.rows(sql::POOLS_OF, &[&of.0])?)
    }

    fn holds(&self, of: ListingNo) -> Result<Vec<Hold>, StoreError> {
        let hold = |row: &Row| {
            Ok(Hold {
                group: row::number(row, 0)?,
                first: row::number(row, 1)?,
                last: row::number(row, 2)?,
                quantity: get(row, 3)?,
                due_at: row::time(row, 4)?,
            })
        };
        self.rows(sql::HOLDS, &[&of.0])?.iter().map(hold).collect()
    }

    fn inventory_version(&self, of: ListingNo) -> Result<u64, StoreError> {
        Ok(self.first(sql::INVENTORY, &[&of.0], |row| row::number(row, 0))?.unwrap_or(0))
    }

    fn numbers(&self, of: ListingNo) -> Result<ListingNumbers, StoreError> {
        let sums = |row: &Row| {
            let money = Money {
                total: get(row, 2)?,
                paid: get(row, 3)?,
                refund_due: get(row, 4)?,
                refunded: get(row, 5)?,
            };
            Ok((row::state(row, 0)?, get(row, 1)?, money))
        };
        let by_state = self.rows(sql::NUMBERS, &[&of.0])?.iter().map(sums).collect::<Result<_, _>>()?;
        Ok(ListingNumbers { by_state })
    }

    fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.rows(sql::KEYS, &[])?.iter().map(row::key).collect()
    }

    fn entry(&self, id: WaitlistId) -> Result<Option<Entry>, StoreError> {
        self.first(sql::ENTRY_BY_ID, &[&Uuid::from_u128(id.bits())], row::entry)
    }

    fn entries(
        &self,
        of: ListingNo,
        which: Which,
        after: EntryNo,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = if which == Which::All { sql::ENTRIES_AFTER } else { sql::WAITING_AFTER };
        row::entries(&self.rows(sql, &[&of.0, &after.0, &i64::from(limit)])?)
    }

    fn ahead(&self, of: ListingNo, reach: Reach, before: EntryNo) -> Result<i64, StoreError> {
        let (group, first, last) = columns::reach(reach);
        let rows = match reach {
            Reach::Everything => self.rows(sql::ALL_AHEAD, &[&of.0, &before.0])?,
            Reach::Group { .. } => self.rows(sql::AHEAD, &[&of.0, &before.0, &group, &first, &last])?,
        };
        rows.first().map_or(Ok(0), |row| get(row, 0))
    }

    fn waiting_counts(&self, of: ListingNo) -> Result<Vec<(Option<u32>, i64)>, StoreError> {
        let rows = self.rows(sql::COUNTS, &[&of.0])?;
        rows.iter().map(|row| Ok((u32::try_from(get::<i64>(row, 0)?).ok(), get(row, 1)?))).collect()
    }

    fn list_numbers(&self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        list_numbers(&self.rows(sql::LIST_NUMBERS, &[&of.0])?)
    }

    fn next_due(&self) -> Result<Option<Time>, StoreError> {
        Ok(self.first(sql::NEXT_DUE, &[], |row| row::optional_time(row, 0))?.flatten())
    }

    fn is_renewing(&self) -> Result<bool, StoreError> {
        Ok(!self.rows(sql::IS_RENEWING, &[])?.is_empty())
    }

    fn all_bookings(&self, after: BookingNo, limit: u32) -> Result<Vec<Booking>, StoreError> {
        let bookings = row::bookings(&self.rows(sql::BOOKINGS_AFTER, &[&after.0, &i64::from(limit)])?)?;
        *self.page.borrow_mut() = Page::of(&bookings);
        Ok(bookings)
    }

    fn stored_due_at(&self, of: BookingNo) -> Result<Option<Time>, StoreError> {
        if self.page.borrow().has(of) {
            return self.with(|connection| self.page.borrow_mut().due_at(of, connection));
        }
        Ok(self.first(sql::BOOKING_DUE_AT, &[&of.0], |row| row::optional_time(row, 0))?.flatten())
    }

    fn customers(&self, of: ListingNo) -> Result<Vec<(String, CustomerUse)>, StoreError> {
        let has =
            |row: &Row| Ok((get(row, 0)?, CustomerUse { units: get(row, 1)?, open_holds: get(row, 2)? }));
        self.rows(sql::CUSTOMERS_OF, &[&of.0])?.iter().map(has).collect()
    }

    fn lost_bookings(&self, after: i64, through: i64, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        row::booking_nos(&self.rows(sql::LOST_BOOKINGS, &[&after, &through, &i64::from(limit)])?)
    }

    fn broken_keys(&self, limit: u32) -> Result<(u64, Vec<String>), StoreError> {
        let count = self.first(sql::KEY_COUNT, &[], |row| row::number(row, 0))?.unwrap_or(0);
        // None stands twice: the primary key sees to that.
        let broken = self.rows(sql::KEYS_WITHOUT_ANSWER, &[&i64::from(limit)])?;
        Ok((count, broken.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?))
    }
}

/// The query behind a filter, with its values. Only what the filter names becomes part of it.
fn bookings_query(filter: &BookingFilter, now: Time, limit: i64) -> (String, Vec<Box<dyn ToSql + Sync>>) {
    let mut conditions = Vec::new();
    let mut values: Vec<Box<dyn ToSql + Sync>> = Vec::new();
    let mut bind = |value: Box<dyn ToSql + Sync>, as_type: &str| {
        values.push(value);
        format!("${}::{as_type}", values.len())
    };
    if let Some(listing) = filter.listing {
        conditions.push(format!("listing_no = {}", bind(Box::new(listing.0), "bigint")));
    }
    let names = |states: &[lastseat_core::booking::State]| {
        let names: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
    };
    let mut states = Vec::new();
    if !filter.states.is_empty() {
        states.push(format!("state IN ({})", names(&filter.states)));
    }
    if !filter.overdue.is_empty() {
        let now = bind(Box::new(now.millis()), "bigint");
        states.push(format!("(due_at <= {now} AND state IN ({}))", names(&filter.overdue)));
    }
    if !states.is_empty() {
        conditions.push(format!("({})", states.join(" OR ")));
    }
    if let Some(key) = filter.created_by {
        conditions.push(format!("created_by = {}", bind(Box::new(Uuid::from_u128(key.bits())), "uuid")));
    }
    if let Some(before) = filter.before {
        conditions.push(format!("no < {}", bind(Box::new(before.0), "bigint")));
    }
    let condition = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    let limit = bind(Box::new(limit), "bigint");
    let columns = sql::BOOKING_COLUMNS;
    (format!("SELECT {columns} FROM bookings WHERE {condition} ORDER BY no DESC LIMIT {limit}"), values)
}
