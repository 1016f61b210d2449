//! The connection of a lane: begins transactions, settles what became of them, forgets old keys.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use lastseat_core::decide::names::Names;
use lastseat_core::id::ListingNo;
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::PoolRef;
use lastseat_core::time::Time;
use lastseat_store::{Lane, StoreError, Tx};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};
use uuid::Uuid;

use crate::connection::{Connection, Purpose};
use crate::known::Known;
use crate::row::{self, get};
use crate::sql;
use crate::store::Shared;
use crate::tx::{Loaded, PgTx};

/// Numbers that were taken and not used go to the next batch; after this long they are let go, so that the order of
/// numbers stays about that of time.
const SPARE_LIFE: Duration = Duration::from_secs(5);
/// For how many more batches of the same size numbers for bookings are taken with those of one.
const BATCHES_AHEAD: usize = 4;
/// Numbers for bookings that are taken with those that are needed.
const FEW_AHEAD: usize = 32;
/// Idempotency keys that are forgotten at once.
const FORGET_AT_ONCE: i64 = 2_000;
/// How long forgetting may take each time.
const FORGET_TIME: Duration = Duration::from_millis(100);
/// How long to wait before it is asked again what became of a transaction.
const SETTLE_PAUSE: Duration = Duration::from_millis(250);

/// Numbers that are taken and not used yet.
#[derive(Default)]
pub(crate) struct Spare {
    pub(crate) bookings: Numbers,
    pub(crate) listings: Numbers,
    taken: Option<Instant>,
}

impl Spare {
    fn is_fresh(&self) -> bool {
        self.taken.is_some_and(|taken| taken.elapsed() <= SPARE_LIFE)
    }

    /// How many numbers to take with a batch of so many new bookings, `used` of which have theirs: none as long as there
    /// are some for this batch and another.
    pub(crate) fn to_take(&self, bookings: usize, used: usize) -> i64 {
        let enough = self.is_fresh() && self.bookings.len() >= (used + bookings) as u64;
        let take = if enough { 0 } else { bookings * (1 + BATCHES_AHEAD) + FEW_AHEAD };
        i64::try_from(take).expect("a batch is small")
    }

    /// Whether there are numbers for so many bookings.
    pub(crate) fn has(&self, bookings: usize) -> bool {
        self.is_fresh() && self.bookings.len() >= bookings as u64
    }
}

pub(crate) struct PgLane {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    pub(crate) known: Known,
    pub(crate) spare: Spare,
}

impl PgLane {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, connection: None, known: Known::default(), spare: Spare::default() }
    }

    /// The connection of the transaction that runs.
    pub(crate) fn connection(&self) -> Result<&Connection, StoreError> {
        let gone = || StoreError::Unavailable("the connection to the database was lost".to_owned());
        self.connection.as_ref().filter(|connection| connection.is_open()).ok_or_else(gone)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Lets go of the connection: whatever transaction it had ends with it.
    pub(crate) fn disconnect(&mut self) {
        self.connection = None;
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        if self.connection.as_ref().is_some_and(Connection::is_open) {
            return Ok(());
        }
        self.connection = None;
        let opened = Connection::open_own(&self.shared.target, Purpose::Lane);
        let mut connection = opened.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        connection.prepare(sql::LANE)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Locks what is named, then reads under these locks what can be known to be needed: one exchange.
    fn lock_and_load(&mut self, names: &Names) -> Result<Loaded, StoreError> {
        if !self.spare.is_fresh() {
            self.spare = Spare { taken: Some(Instant::now()), ..Spare::default() };
        }
        let new_bookings = self.spare.to_take(names.new_bookings, 0);
        let new_listings = missing(names.new_listings, &self.spare.listings);
        let listings: Vec<Uuid> = names.listings.iter().map(|id| Uuid::from_u128(id.bits())).collect();
        let bookings: Vec<Uuid> = names.bookings.iter().map(|id| Uuid::from_u128(id.bits())).collect();
        let entries: Vec<Uuid> = names.entries.iter().map(|id| Uuid::from_u128(id.bits())).collect();
        let addresses: Vec<&str> = names.addresses.iter().map(String::as_str).collect();
        let keys: Vec<Uuid> = names.idempotency.iter().map(|key| Uuid::from_bytes(key.0)).collect();
        let ahead: Vec<PoolRef> =
            names.listings.iter().flat_map(|id| self.known.wanted(*id)).copied().collect();
        let (ahead_listings, ahead_pools) = split(&ahead);
        let about_now = self.shared.known.now().millis();
        let (due_limit, renews) = (i64::from(names.due), names.renew > 0);

        let connection = self.connection()?;
        let begin = connection.client.batch_execute("BEGIN");
        let locked = async {
            if bookings.is_empty() && addresses.is_empty() && entries.is_empty() {
                ask(connection, !listings.is_empty(), sql::LOCK_LISTINGS, &[&listings]).await
            } else {
                let named: Params<'_, 5> = [&listings, &bookings, &addresses, &about_now, &entries];
                ask(connection, true, sql::LOCK_NAMED, &named).await
            }
        };
        let of_due: Params<'_, 2> = [&about_now, &due_limit];
        let due = ask(connection, due_limit > 0, sql::LOCK_DUE, &of_due);
        let renewing = ask(connection, renews, sql::LOCK_RENEWING, &[]);
        let begun_batch = ask(connection, true, sql::BEGIN_BATCH, &[]);
        let of_found: Params<'_, 1> = [&bookings];
        let found = ask(connection, !bookings.is_empty(), sql::BOOKINGS_BY_ID, &of_found);
        let of_pools: Params<'_, 2> = [&ahead_listings, &ahead_pools];
        let pools = ask(connection, !ahead.is_empty(), sql::POOLS, &of_pools);
        let of_keys: Params<'_, 1> = [&keys];
        let remembered = ask(connection, !keys.is_empty(), sql::REMEMBERED, &of_keys);
        let of_bookings: Params<'_, 1> = [&new_bookings];
        let take_bookings = ask(connection, new_bookings > 0, sql::TAKE_BOOKING_NUMBERS, &of_bookings);
        let of_listings: Params<'_, 1> = [&new_listings];
        let take_listings = ask(connection, new_listings > 0, sql::TAKE_LISTING_NUMBERS, &of_listings);
        let asked = async {
            tokio::join!(
                biased;
                begin,
                locked,
                due,
                renewing,
                begun_batch,
                found,
                pools,
                remembered,
                take_bookings,
                take_listings
            )
        };
        let (begun, locked, due, renewing, batch, found, pools, remembered, bookings, listings) =
            connection.wait(asked)?;
        connection.check(begun)?;
        let mut locked = connection.check(locked)?;
        locked.extend(connection.check(due)?);
        locked.extend(connection.check(renewing)?);
        let (batch, found) = (connection.check(batch)?, connection.check(found)?);
        let (pools, remembered) = (connection.check(pools)?, connection.check(remembered)?);
        let numbers = |rows: Result<Vec<Row>, tokio_postgres::Error>| -> Result<Vec<i64>, StoreError> {
            connection.check(rows)?.iter().map(|row| get(row, 0)).collect()
        };
        let (bookings, listings) = (numbers(bookings)?, numbers(listings)?);
        self.spare.bookings.extend(bookings);
        self.spare.listings.extend(listings);
        let batch = batch.first().ok_or_else(|| StoreError::Corrupt("there is no clock".to_owned()))?;
        let pools = pools.iter().map(optional_pool).collect::<Result<Vec<_>, _>>()?;
        Ok(Loaded {
            now: self.shared.known.saw(get(batch, 0)?),
            batch_no: get(batch, 1)?,
            listings: self.current(&locked)?,
            waiting: self.waiting(&locked)?,
            bookings: row::bookings(&found)?,
            pools: ahead.into_iter().zip(pools).collect(),
            remembered: remembered.iter().map(crate::tx::remembered).collect::<Result<_, _>>()?,
        })
    }

    /// The listings of locked rows, read anew where another node has edited them.
    fn current(&mut self, locked: &[Row]) -> Result<BTreeMap<ListingNo, Arc<Listing>>, StoreError> {
        let mut current = BTreeMap::new();
        let mut stale = BTreeMap::new();
        for row in locked {
            let (no, edition) = (ListingNo(get(row, 0)?), get(row, 2)?);
            match self.known.edition(no, edition) {
                Some(listing) => drop(current.insert(no, Arc::clone(listing))),
                None => drop(stale.insert(no, edition)),
            }
        }
        if !stale.is_empty() {
            let nos: Vec<i64> = stale.keys().map(|no| no.0).collect();
            for listing in self.read_listings(&nos)? {
                self.known.put_listing(stale[&listing.no], Arc::clone(&listing));
                current.insert(listing.no, listing);
            }
        }
        Ok(current)
    }

    /// How many wait in the listings of locked rows.
    fn waiting(&mut self, locked: &[Row]) -> Result<BTreeMap<ListingNo, i64>, StoreError> {
        let mut all = BTreeMap::new();
        for row in locked {
            let (no, waiting) = (ListingNo(get(row, 0)?), get(row, 3)?);
            self.known.put_waiting(no, waiting);
            all.insert(no, waiting);
        }
        Ok(all)
    }

    pub(crate) fn read_listings(&self, nos: &[i64]) -> Result<Vec<Arc<Listing>>, StoreError> {
        let connection = self.connection()?;
        let of: Params<'_, 1> = [&nos];
        let rows = ask(connection, true, sql::LISTINGS_BY_NO, &of);
        let groups = ask(connection, true, sql::GROUPS_OF, &of);
        let (rows, groups) = connection.wait(async { tokio::join!(biased; rows, groups) })?;
        let (rows, groups) = (connection.check(rows)?, connection.check(groups)?);
        Ok(row::listings(&rows, &groups)?.into_iter().map(Arc::new).collect())
    }

    /// Ends a transaction without a trace. A connection on which that does not succeed is let go.
    pub(crate) fn roll_back(&mut self) {
        let Ok(connection) = self.connection() else { return };
        if connection.ask(connection.client.batch_execute("ROLLBACK")).is_err() {
            self.disconnect();
        }
    }

    fn settle(&self, batch: u128) -> Result<bool, StoreError> {
        let opened = Connection::open_own(&self.shared.target, Purpose::Chore);
        let mut connection = opened.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (claim, is_batch) =
            (connection.statement(sql::CLAIM_BATCH)?, connection.statement(sql::IS_BATCH)?);
        let claimed = |id: Uuid| connection.ask(connection.client.execute(&claim, &[&id]));
        let id = Uuid::from_u128(batch);
        let committed = match claimed(id)? {
            1 => false,
            // It may have been claimed when this was asked before.
            _ => get(&connection.ask(connection.client.query_one(&is_batch, &[&id]))?, 0)?,
        };
        if committed {
            // Where a standby is waited for, a commit of our own comes back only after everything before it is there.
            let marker = connection.ask(connection.client.query_one("SELECT gen_random_uuid()", &[]))?;
            claimed(get(&marker, 0)?)?;
        }
        if connection.take_unreplicated() {
            return Err(StoreError::Unavailable("the standby has not confirmed the commit".to_owned()));
        }
        Ok(committed)
    }
}

impl Lane for PgLane {
    fn prepare(&mut self) {
        if let Err(error) = self.connect() {
            tracing::warn!(%error, "the lane has no connection yet; it is tried again with the first batch");
        }
    }

    fn begin_optimistic(&mut self, batch: u128, names: &Names) -> Option<Box<dyn Tx + '_>> {
        Some(Box::new(self.suppose(batch, names)?))
    }

    fn begin(&mut self, batch: u128, names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        // A connection may have been closed while nothing was asked: then a new one is tried, once.
        let had_connection = self.connection.is_some();
        self.connect()?;
        let loaded = match self.lock_and_load(names) {
            Err(StoreError::Unavailable(_)) if had_connection && self.connection().is_err() => {
                self.connect()?;
                self.lock_and_load(names)
            }
            loaded => loaded,
        };
        match loaded {
            Ok(loaded) => Ok(Box::new(PgTx::new(self, batch, names, loaded))),
            Err(error) => {
                // Its answers may still be on their way.
                if matches!(error, StoreError::Unavailable(_)) {
                    self.disconnect();
                } else {
                    self.roll_back();
                }
                Err(error)
            }
        }
    }

    fn was_committed(&mut self, batch: u128) -> Result<bool, StoreError> {
        self.settle(batch).inspect_err(|_| std::thread::sleep(SETTLE_PAUSE))
    }

    fn prune(&mut self, before: Time) -> Result<(), StoreError> {
        self.connect()?;
        let connection = self.connection()?;
        let begun = Instant::now();
        let forget = connection.prepared(sql::FORGET);
        let (before, limit) = (before.millis(), FORGET_AT_ONCE);
        while begun.elapsed() < FORGET_TIME {
            let gone = connection.ask(connection.client.execute(forget, &[&before, &limit]))?;
            if gone < FORGET_AT_ONCE.unsigned_abs() {
                break;
            }
        }
        Ok(())
    }
}

/// Values for a statement.
type Params<'a, const N: usize> = [&'a (dyn ToSql + Sync); N];

/// Asks a prepared statement, if it is wanted; else there are no rows.
pub(crate) async fn ask(
    connection: &Connection,
    wanted: bool,
    sql: &'static str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if wanted { connection.client.query(connection.prepared(sql), params).await } else { Ok(Vec::new()) }
}

/// Asks a prepared statement, and makes of each row what is wanted while the server finds the next.
pub(crate) async fn read<T>(
    client: &Client,
    statement: &Statement,
    params: &[&(dyn ToSql + Sync)],
    of: fn(&Row) -> Result<T, StoreError>,
) -> Result<Result<Vec<T>, StoreError>, tokio_postgres::Error> {
    let mut rows = pin!(client.query_raw(statement, params.iter().copied()).await?);
    let mut all = Vec::new();
    while let Some(row) = rows.try_next().await? {
        match of(&row) {
            Ok(one) => all.push(one),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(all))
}

/// How many numbers have to be taken so that there are as many as wanted.
pub(crate) fn missing(wanted: usize, spare: &Numbers) -> i64 {
    i64::try_from((wanted as u64).saturating_sub(spare.len())).expect("a batch is small")
}

/// Listings and pools as two columns.
pub(crate) fn split(pools: &[PoolRef]) -> (Vec<i64>, Vec<i64>) {
    pools.iter().map(|at| (at.listing.0, at.pool.packed())).unzip()
}

/// A pool of an outer join.
pub(crate) fn optional_pool(row: &Row) -> Result<Option<lastseat_core::pool::Pool>, StoreError> {
    if get::<Option<i64>>(row, 0)?.is_none() {
        return Ok(None);
    }
    row::pool(row, 0).map(Some)
}
