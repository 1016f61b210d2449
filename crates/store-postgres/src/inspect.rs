//! What there is to know of a database server before one relies on it. Nothing is changed.

use std::time::{Duration, Instant};

use crate::connection::{Connection, Purpose};
use crate::error::OpenError;
use crate::migrate::{self, Found};
use crate::target::Target;

/// Exchanges that are timed.
const EXCHANGES: usize = 21;
/// Synced writes that are timed.
const WRITES: usize = 11;

const SETTINGS: &str = "SELECT current_setting('server_version'), current_setting('fsync') = 'on', \
    current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'), \
    current_setting('max_connections')::bigint, (SELECT count(*) FROM pg_stat_activity), pg_is_in_recovery(), \
    current_setting('synchronous_standby_names') <> '', \
    coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::bigint FROM pg_stat_activity \
        WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()), 0), \
    pg_database_size(current_database()), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// A commit that is synced and leaves nothing behind but a note in the log.
const SYNCED: &str = "SELECT pg_logical_emit_message(true, 'lastseat', 'doctor')";

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// PostgreSQL's version.
    pub version: String,
    /// The version of the schema; none where there are no tables yet.
    pub schema: Option<u32>,
    /// Whether commits are written to the disk at all.
    pub fsync: bool,
    /// Whether a page that was half written when the power failed can be mended.
    pub full_page_writes: bool,
    /// `synchronous_commit` as sessions begin with it.
    pub synchronous_commit: String,
    /// Connections that there may be, and that there are.
    pub connections: (i64, i64),
    /// Whether it is a standby.
    pub standby: bool,
    /// Whether commits wait for a standby.
    pub synchronous: bool,
    /// How long the oldest transaction that holds a snapshot has been open, in seconds.
    pub oldest_snapshot_seconds: i64,
    /// Size of the database, in bytes.
    pub bytes: i64,
    /// The database's clock, in milliseconds since 1970.
    pub clock_millis: i64,
    /// Half of the exchanges took no longer.
    pub exchange: Duration,
    /// Half of the synced commits took no longer; none on a standby.
    pub synced_write: Option<Duration>,
}

/// Looks at a database. It waits for it, on a thread of its own.
///
/// # Errors
/// If it cannot be reached or is of no use: with a sentence that says what to do.
pub fn inspect(target: &Target) -> Result<Inspection, OpenError> {
    std::thread::scope(|scope| {
        let looked = scope.spawn(|| look(target)).join();
        looked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn look(target: &Target) -> Result<Inspection, OpenError> {
    let connection = Connection::open_own(target, Purpose::Chore)?;
    let schema = match migrate::look(&connection, target)? {
        Found::Nothing => None,
        Found::Version(version) => Some(version),
    };
    let row = migrate::ask(&connection, target, connection.client.query_one(SETTINGS, &[]))?;
    let standby: bool = row.get(6);
    let timed = |sql: &'static str, times: usize| -> Result<Duration, OpenError> {
        let statement = migrate::ask(&connection, target, connection.client.prepare(sql))?;
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            let begun = Instant::now();
            migrate::ask(&connection, target, connection.client.query(&statement, &[]))?;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        Ok(took[times / 2])
    };
    Ok(Inspection {
        version: row.get(0),
        schema,
        fsync: row.get(1),
        full_page_writes: row.get(2),
        synchronous_commit: row.get(3),
        connections: (row.get(4), row.get(5)),
        standby,
        synchronous: row.get(7),
        oldest_snapshot_seconds: row.get(8),
        bytes: row.get(9),
        clock_millis: row.get(10),
        exchange: timed("SELECT 1", EXCHANGES)?,
        synced_write: if standby { None } else { Some(timed(SYNCED, WRITES)?) },
    })
}
