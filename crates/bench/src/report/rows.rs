//! The baseline "the same rows by bare rusqlite": what an engine wrote is read back from its file and written once more
//! into a fresh file with the same schema and the same settings, in transactions of a given size, by prepared
//! statements with values at hand. No logic, no threads, no look-ups.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lastseat_bench::latency::micros;
use lastseat_store_sqlite::{OpenMode, SqliteStore};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Statement, params_from_iter};

/// The settings of the store's own writer.
const SETTINGS: &str =
    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -65536;
    PRAGMA foreign_keys = ON;";
/// As the store writes a pool's counters.
const UPDATE_POOL: &str =
    "UPDATE pools SET capacity = ?3, blocked = ?4, held = ?5, confirmed = ?6, price = ?7, kept = ?8
    WHERE listing_no = ?1 AND pool_no = ?2";
/// As the store counts changes of a listing's pools.
const BUMP_INVENTORY: &str = "INSERT INTO inventory (listing_no, version) VALUES (?1, 1)
    ON CONFLICT DO UPDATE SET version = version + 1";

/// Where `held` stands in a pool's row.
const HELD: usize = 4;

type Row = Vec<Value>;

/// The rows of one table, one per booking, in the order of the bookings' numbers.
struct Table {
    name: &'static str,
    columns: usize,
    rows: Vec<Row>,
}

/// What an engine wrote for its bookings of one pool.
pub(crate) struct Rows {
    bookings: Table,
    holds: Table,
    events: Table,
    idempotency: Table,
    /// The pool's row as it is in the end.
    pool: Row,
}

/// How long writing them took.
pub(crate) struct Written {
    /// Of each transaction, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// Of all.
    pub(crate) took: Duration,
}

impl Rows {
    /// Reads them from the engine's file: one listing, one pool, and each booking a hold made under an idempotency key.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let table = |name: &'static str, order: &str| -> anyhow::Result<Table> {
            let filter = if name == "events" { "WHERE booking_no IS NOT NULL" } else { "" };
            let sql = format!("SELECT * FROM {name} {filter} ORDER BY {order}");
            let mut statement = connection.prepare(&sql)?;
            let columns = statement.column_count();
            let rows = statement
                .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?
                .collect::<rusqlite::Result<Vec<Row>>>()?;
            Ok(Table { name, columns, rows })
        };
        let rows = Self {
            bookings: table("bookings", "no")?,
            holds: table("holds", "booking_no")?,
            events: table("events", "booking_no")?,
            idempotency: table("idempotency", "booking_no")?,
            pool: table("pools", "pool_no")?.rows.pop().context("the file has no pool")?,
        };
        let count = rows.len();
        let same =
            [&rows.holds, &rows.events, &rows.idempotency].iter().all(|table| table.rows.len() == count);
        ensure!(count > 0 && same, "each booking must have a hold, an event and an idempotency key");
        Ok(rows)
    }

    /// How many bookings.
    pub(crate) fn len(&self) -> usize {
        self.bookings.rows.len()
    }

    /// Writes the first `count` bookings into a fresh file in `dir`, `per_transaction` at a time.
    pub(crate) fn write(&self, dir: &Path, count: usize, per_transaction: usize) -> anyhow::Result<Written> {
        let store = SqliteStore::open(dir, OpenMode::Serve)?;
        let path = store.path().to_owned();
        drop(store);
        let connection = Connection::open(path)?;
        connection.execute_batch(SETTINGS)?;
        insert(&connection, "pools", self.pool.len())?.execute(params_from_iter(&self.pool))?;
        let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
        let mut commit = connection.prepare("COMMIT")?;
        let mut bookings = self.bookings.prepare(&connection)?;
        let mut holds = self.holds.prepare(&connection)?;
        let mut events = self.events.prepare(&connection)?;
        let mut idempotency = self.idempotency.prepare(&connection)?;
        let mut pool = connection.prepare(UPDATE_POOL)?;
        let mut inventory = connection.prepare(BUMP_INVENTORY)?;
        let mut counters = self.pool.clone();
        let mut latencies = Vec::with_capacity(count / per_transaction + 1);
        let start = Instant::now();
        let count = count.min(self.len());
        for from in (0..count).step_by(per_transaction) {
            let batch = from..(from + per_transaction).min(count);
            let begun = Instant::now();
            begin.execute([])?;
            for number in batch.clone() {
                bookings.execute(params_from_iter(&self.bookings.rows[number]))?;
                holds.execute(params_from_iter(&self.holds.rows[number]))?;
            }
            // A counter that does not move would not be written at all.
            counters[HELD] = Value::Integer(i64::try_from(batch.end)?);
            pool.execute(params_from_iter(&counters))?;
            inventory.execute([&self.pool[0]])?;
            for number in batch.clone() {
                events.execute(params_from_iter(&self.events.rows[number]))?;
            }
            for number in batch {
                idempotency.execute(params_from_iter(&self.idempotency.rows[number]))?;
            }
            commit.execute([])?;
            latencies.push(micros(begun.elapsed()));
        }
        Ok(Written { latencies, took: start.elapsed() })
    }
}

impl Table {
    fn prepare<'c>(&self, connection: &'c Connection) -> rusqlite::Result<Statement<'c>> {
        insert(connection, self.name, self.columns)
    }
}

fn insert<'c>(connection: &'c Connection, table: &str, columns: usize) -> rusqlite::Result<Statement<'c>> {
    let marks = vec!["?"; columns].join(", ");
    connection.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))
}

impl Written {
    /// Bookings per second, of `count` bookings.
    pub(crate) fn per_second(&self, count: usize) -> f64 {
        count as f64 / self.took.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastseat_bench::embedded::{Embedded, one_of};
    use lastseat_engine::EngineConfig;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_written_again_is_what_the_engine_wrote() {
        let (dir, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let embedded = Embedded::start(dir.path(), EngineConfig::default()).unwrap();
        let listing = embedded.listing(crate::figures::places(1, 1_000)).await.unwrap();
        let key = listing.groups.all()[0].key.clone();
        embedded.book_all(listing.id, 7, 30, move |_| one_of(&key)).await.unwrap();
        let path = embedded.path().to_owned();
        embedded.stop().await;
        let rows = Rows::read(&path).unwrap();
        let written = rows.write(again.path(), 30, 8).unwrap();
        assert_eq!((rows.len(), written.latencies.len()), (30, 4));
        let dump = |path: &Path, table: &str| -> Vec<Row> {
            let connection = Connection::open(path).unwrap();
            let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
            rows.unwrap().map(Result::unwrap).collect()
        };
        let copy = again.path().join(lastseat_store_sqlite::FILE_NAME);
        for table in ["bookings", "holds", "idempotency", "pools"] {
            assert_eq!(dump(&path, table), dump(&copy, table), "{table}");
        }
    }
}
