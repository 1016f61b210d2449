//! The schema and its versions. Forward only, under a lock, all at once or not at all; a schema that a newer program
//! wrote is refused, and so is a database of another application.

use tokio_postgres::error::SqlState;

use crate::connection::Connection;
use crate::error::{OpenError, text};
use crate::target::Target;

/// The migrations in order; the version of a schema is how many of them it has. The numbers are those of the embedded
/// store.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_waitlist.sql"),
    include_str!("../migrations/0003_waitlist_keys.sql"),
    include_str!("../migrations/0004_who_waits.sql"),
];
/// The version of the schema that this program needs.
#[allow(clippy::cast_possible_truncation, reason = "few migrations")]
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;
/// Name of the instance's secret in `meta`.
pub(crate) const META_SECRET: &str = "secret";
/// Name of the event log's epoch in `meta`.
pub(crate) const META_EPOCH: &str = "epoch";
/// The lock under which the schema is changed ("LSEA", "seat").
const LOCK: i64 = 0x4c53_4541_7365_6174;
/// How long is waited for who may be about to let go: a session whose client is dead, say.
const PATIENCE: &str = "SET lock_timeout = '3s'";
/// The oldest PostgreSQL that is known to do, as `server_version_num`.
const MIN_SERVER: i32 = 150_000;

/// What the schema is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// There are no tables at all.
    Nothing,
    /// Lastseat's, at this version.
    Version(u32),
}

fn other(target: &Target) -> impl Fn(tokio_postgres::Error) -> OpenError + '_ {
    |error| match error.code() {
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => OpenError::ReadOnly(target.to_string()),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            OpenError::Refused { target: target.to_string(), why: text(&error) }
        }
        _ => OpenError::Other { target: target.to_string(), why: text(&error) },
    }
}

/// Waits for an answer, and says what its error means to whoever opens the database.
pub(crate) fn ask<T>(
    connection: &Connection,
    target: &Target,
    asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, OpenError> {
    let late = |error: lastseat_store::StoreError| OpenError::Other {
        target: target.to_string(),
        why: error.to_string(),
    };
    connection.wait(asked).map_err(late)?.map_err(other(target))
}

/// What there is, and that it can be used by this program.
pub(crate) fn look(connection: &Connection, target: &Target) -> Result<Found, OpenError> {
    let client = &connection.client;
    let server = ask(connection, target, client.query_one("SHOW server_version_num", &[]))?;
    let version: i32 = server.get::<_, String>(0).parse().unwrap_or(MIN_SERVER);
    if version < MIN_SERVER {
        let name = ask(connection, target, client.query_one("SHOW server_version", &[]))?;
        return Err(OpenError::OldServer(name.get(0)));
    }
    // One look at everything: another node may be making the tables.
    let tables = "SELECT coalesce(bool_or(c.relname = 'lastseat_schema'), false), count(*) FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm') \
        AND n.nspname = ANY(current_schemas(false))";
    let tables = ask(connection, target, client.query_one(tables, &[]))?;
    match (tables.get(0), tables.get::<_, i64>(1)) {
        (true, _) => {}
        (false, 0) => return Ok(Found::Nothing),
        (false, _) => return Err(OpenError::Foreign(target.to_string())),
    }
    let row = ask(connection, target, client.query_one("SELECT version FROM lastseat_schema", &[]))?;
    let found = u32::try_from(row.get::<_, i32>(0)).unwrap_or(u32::MAX);
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: SCHEMA_VERSION });
    }
    Ok(Found::Version(found))
}

/// Brings the schema up to date, one node at a time. How many migrations were run.
pub(crate) fn migrate(connection: &Connection, target: &Target) -> Result<u32, OpenError> {
    let client = &connection.client;
    let read_only = ask(connection, target, client.query_one("SELECT pg_is_in_recovery()", &[]))?;
    if read_only.get::<_, bool>(0) {
        return Err(OpenError::ReadOnly(target.to_string()));
    }
    if look(connection, target)? == Found::Version(SCHEMA_VERSION) {
        return Ok(0);
    }
    // Another node may be at it for long.
    ask(connection, target, client.batch_execute("SET lock_timeout = 0; BEGIN"))?;
    let run = || {
        ask(connection, target, client.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]))?;
        let from = match look(connection, target)? {
            Found::Nothing => 0,
            Found::Version(version) => version,
        };
        for migration in &MIGRATIONS[from as usize..] {
            ask(connection, target, client.batch_execute(migration))?;
        }
        let first = "CREATE TABLE lastseat_schema (version integer NOT NULL); INSERT INTO lastseat_schema VALUES (0); \
            INSERT INTO meta (key, value) VALUES ('secret', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), \
            ('epoch', substr(uuid_send(gen_random_uuid()), 1, 4))";
        if from == 0 {
            ask(connection, target, client.batch_execute(first))?;
        }
        let version = i32::try_from(SCHEMA_VERSION).expect("few migrations");
        ask(connection, target, client.execute("UPDATE lastseat_schema SET version = $1", &[&version]))?;
        ask(connection, target, client.batch_execute("COMMIT"))?;
        Ok(SCHEMA_VERSION - from)
    };
    run().inspect_err(|_| {
        // What is left undone ends with the connection.
        connection.spoil();
    })
}

/// The lock of a first start: one node at a time makes what there must be once, its first key say. Held until it is
/// dropped.
pub struct FirstStart {
    _connection: Connection,
}

impl std::fmt::Debug for FirstStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirstStart")
    }
}

impl FirstStart {
    /// Waits for the lock.
    pub(crate) fn wait(connection: Connection, target: &Target) -> Result<Self, OpenError> {
        ask(&connection, target, connection.client.batch_execute("SET lock_timeout = 0"))?;
        ask(&connection, target, connection.client.execute("SELECT pg_advisory_lock($1)", &[&(LOCK + 1)]))?;
        Ok(Self { _connection: connection })
    }

    /// Takes the lock if nobody has it, or who has it lets go of it at once.
    pub(crate) fn now(connection: Connection, target: &Target) -> Result<Option<Self>, OpenError> {
        ask(&connection, target, connection.client.batch_execute(PATIENCE))?;
        let lock = connection.client.execute("SELECT pg_advisory_lock($1)", &[&(LOCK + 1)]);
        let locked = connection
            .wait(lock)
            .map_err(|error| OpenError::Other { target: target.to_string(), why: error.to_string() })?;
        match locked {
            Ok(_) => Ok(Some(Self { _connection: connection })),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(None),
            Err(error) => Err(other(target)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use lastseat_core::customer::identity_digest;
    use lastseat_scratch::Postgres;
    use uuid::Uuid;

    use super::*;
    use crate::store::{OpenMode, PgStore};

    #[test]
    fn who_waited_with_an_older_schema_is_found() {
        let server = Postgres::start().unwrap();
        let url = server.create_database("older").unwrap();
        let identity = "e:\u{432}era@example.org";
        let older = "CREATE TABLE lastseat_schema (version integer NOT NULL); INSERT INTO lastseat_schema VALUES (2); \
            INSERT INTO meta (key, value) VALUES ('secret', decode(repeat('00', 32), 'hex')), ('epoch', '\\x00000000')";
        let waits = format!(
            "INSERT INTO waitlist (listing_no, no, id, state, group_no, first, last, least, want, customer, identity, \
                created_at, joined_behind, skipped, due_at, kept) \
            SELECT 1, no, gen_random_uuid(), state, 3, 4, 5, 2, '', '', identity, 0, 0, 0, due_at, kept \
            FROM (VALUES (1, 'waiting', '{identity}', 7, '[]'), (2, 'waiting', NULL, NULL, NULL), (3, 'left', NULL, NULL, NULL)) \
            AS v (no, state, identity, due_at, kept)"
        );
        for sql in MIGRATIONS[..2].iter().copied().chain([older, &waits]) {
            server.sql("older", sql).unwrap();
        }
        PgStore::open(url.parse().unwrap(), OpenMode::Serve, 1).unwrap();
        let found = server.sql("older", "SELECT customer_digest FROM waitlist ORDER BY no").unwrap();
        let digest = Uuid::from_bytes(identity_digest(identity)).to_string();
        assert_eq!(found, [[Some(digest)], [None], [None]]);
        let found = "SELECT concat_ws(' ', listing_no, group_no, no, least, first, last, due_at, keeps) \
            FROM waitlist_waiting ORDER BY no";
        let found = server.sql("older", found).unwrap();
        assert_eq!(found, [[Some("1 3 1 2 4 5 7 t".to_owned())], [Some("1 3 2 2 4 5 f".to_owned())]]);
    }
}
