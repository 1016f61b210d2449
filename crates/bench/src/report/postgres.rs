//! A PostgreSQL to be measured on, with its defaults but for the number of connections; and the baseline "the same rows
//! by one statement": what an engine wrote is read back and written once more into a fresh database with the same schema,
//! one `UNNEST` statement per batch of a given size, with values at hand. No logic, no look-ups, no locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use lastseat_bench::disk::is_in_memory;
use lastseat_bench::embedded::Embedded;
use lastseat_engine::{Engine, EngineConfig, ids};
use lastseat_scratch::Postgres;
use lastseat_store_postgres::{OpenMode, PgStore};
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use crate::server::processor_time;

/// As the race laboratory's own.
const MAX_CONNECTIONS: &str = "300";

/// A server that has been at work for a while uses the files of its write-ahead log again; a fresh one has to make each
/// anew while everybody waits. This writes 600 MB into it, which the next checkpoint leaves behind to be used again.
const FILL_LOG: &str =
    "SELECT count(pg_logical_emit_message(false, '', repeat('x', 1000000))) FROM generate_series(1, 600)";

/// A running PostgreSQL.
pub(crate) struct Database {
    server: Postgres,
    made: AtomicU32,
}

impl Database {
    pub(crate) fn start() -> anyhow::Result<Self> {
        if is_in_memory(&std::env::temp_dir())? {
            bail!("the temporary directory is in memory; name one on a disk in TMPDIR");
        }
        let server = Postgres::builder().set("max_connections", MAX_CONNECTIONS).start()?;
        for _ in 0..2 {
            server.sql("postgres", FILL_LOG)?;
            server.sql("postgres", "CHECKPOINT")?;
        }
        Ok(Self { server, made: AtomicU32::new(0) })
    }

    /// The server itself.
    pub(crate) fn server(&self) -> &Postgres {
        &self.server
    }

    /// The name of an empty database.
    pub(crate) fn fresh(&self) -> anyhow::Result<String> {
        let name = format!("bench_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.server.create_database(&name)?;
        Ok(name)
    }

    /// The URL of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        self.server.url_of(name)
    }

    /// Drops a database: what is not needed any more need not be checkpointed.
    pub(crate) fn drop(&self, name: &str) -> anyhow::Result<()> {
        self.server.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"))?;
        Ok(())
    }

    /// Processor time of the server's processes so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let first = self.server.process_id();
        let others = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let ids = others.split_whitespace().map(str::to_owned).chain([first.to_string()]);
        // One may have ended meanwhile.
        Ok(ids.filter_map(|id| processor_time(&id).ok()).sum::<Duration>().as_secs_f64())
    }
}

/// A node on a database, in this process.
pub(crate) fn node(url: &str) -> anyhow::Result<Embedded> {
    let number = u64::try_from(ids::bits() >> 64).expect("half of the bits");
    let store = PgStore::open(url.parse()?, OpenMode::Serve, number)?;
    Ok(Embedded::on(Engine::start(Arc::new(store), EngineConfig::default())?))
}

/// Columns of a table as they go to the database, for one batch after the other.
type Column = Box<dyn Fn(std::ops::Range<usize>) -> Box<dyn ToSql + Sync + Send>>;

struct Table {
    rows: usize,
    columns: Vec<Column>,
}

fn column<T>(rows: &[Row], index: usize) -> Column
where
    T: for<'a> FromSql<'a> + ToSql + Clone + Sync + Send + 'static,
    Vec<T>: ToSql,
{
    let values: Vec<T> = rows.iter().map(|row| row.get(index)).collect();
    Box::new(move |range| Box::new(values[range].to_vec()))
}

async fn table(client: &Client, sql: &str) -> anyhow::Result<Table> {
    let rows = client.query(sql, &[]).await?;
    let first = rows.first().context("nothing was booked")?;
    let columns =
        first.columns().iter().enumerate().map(|(index, described)| match described.type_().name() {
            "int8" => column::<Option<i64>>(&rows, index),
            "uuid" => column::<Option<Uuid>>(&rows, index),
            _ => column::<Option<String>>(&rows, index),
        });
    Ok(Table { rows: rows.len(), columns: columns.collect() })
}

/// What an engine wrote for its bookings of one pool.
pub(crate) struct Rows {
    bookings: Table,
    holds: Table,
    events: Table,
    idempotency: Table,
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

const BOOKINGS: &str = "SELECT * FROM bookings ORDER BY no";
const HOLDS: &str = "SELECT * FROM holds ORDER BY booking_no";
const EVENTS: &str = "SELECT * FROM events WHERE booking_no IS NOT NULL ORDER BY booking_no";
const IDEMPOTENCY: &str = "SELECT * FROM idempotency ORDER BY booking_no";

/// One batch: the same rows, the counter, the listing's row and the batch's, in one statement.
const WRITE: &str = "WITH batch AS (INSERT INTO batches (no, id, node, listings, edited, keys, bookings) \
        VALUES ($1, $2, 1, ARRAY[1::bigint], '{}'::bigint[], false, false)), \
    moved AS (UPDATE inventory SET version = version + 1 WHERE listing_no = 1), \
    pool AS (UPDATE pools SET held = $3 WHERE listing_no = 1), \
    booking AS (INSERT INTO bookings SELECT * FROM unnest($4::bigint[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[], \
        $9::bigint[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], \
        $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::bigint[], $25::uuid[], \
        $26::text[], $27::text[])), \
    hold AS (INSERT INTO holds SELECT * FROM unnest($28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[], \
        $33::bigint[], $34::bigint[])), \
    event AS (INSERT INTO events SELECT * FROM unnest($35::bigint[], $36::bigint[], $37::text[], $38::bigint[], $39::bigint[], \
        $40::bigint[], $41::bigint[], $42::text[], $43::text[])) \
    INSERT INTO idempotency SELECT * FROM unnest($44::uuid[], $45::uuid[], $46::bigint[], $47::bigint[], $48::bigint[], \
        $49::uuid[], $50::uuid[], $51::uuid[])";

impl Rows {
    /// Reads them from the engine's database: one listing, one pool, each booking a hold made under an idempotency key.
    pub(crate) async fn read(url: &str) -> anyhow::Result<Self> {
        let client = connect(url).await?;
        let rows = Self {
            bookings: table(&client, BOOKINGS).await?,
            holds: table(&client, HOLDS).await?,
            events: table(&client, EVENTS).await?,
            idempotency: table(&client, IDEMPOTENCY).await?,
        };
        let same = [&rows.holds, &rows.events, &rows.idempotency].iter().all(|of| of.rows == rows.len());
        ensure!(same, "each booking must have a hold, an event and an idempotency key");
        Ok(rows)
    }

    /// How many bookings.
    pub(crate) fn len(&self) -> usize {
        self.bookings.rows
    }

    /// Writes them into a database that has the schema and nothing else, `per_batch` at a time, on one connection.
    /// Bookings per second.
    pub(crate) async fn write(&self, url: &str, per_batch: usize) -> anyhow::Result<f64> {
        drop(node(url)?);
        let client = connect(url).await?;
        let prepare = "INSERT INTO inventory VALUES (1, gen_random_uuid(), 1, 1); \
            INSERT INTO pools VALUES (1, 0, 100000000, 0, 0, 0, 2500); \
            SET jit = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
        client.batch_execute(prepare).await?;
        let write = client.prepare(WRITE).await?;
        let tables = [&self.bookings, &self.holds, &self.events, &self.idempotency];
        let batches: Vec<Vec<Box<dyn ToSql + Sync + Send>>> = (0..self.len())
            .step_by(per_batch.max(1))
            .map(|from| {
                let range = from..(from + per_batch).min(self.len());
                tables.iter().flat_map(|of| of.columns.iter().map(|column| column(range.clone()))).collect()
            })
            .collect();
        let begun = Instant::now();
        for (number, columns) in (1i64..).zip(&batches) {
            let held = number;
            let id = Uuid::from_u128(ids::bits());
            let mut params: Vec<&(dyn ToSql + Sync)> = vec![&number, &id, &held];
            params.extend(columns.iter().map(|column| &**column as &(dyn ToSql + Sync)));
            client.execute(&write, &params).await?;
        }
        let took: Duration = begun.elapsed();
        Ok(self.len() as f64 / took.as_secs_f64())
    }
}
