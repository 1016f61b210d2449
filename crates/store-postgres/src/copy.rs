//! Everything in a database, to be carried elsewhere; and an empty database that is filled from elsewhere, in one
//! transaction.
//!
//! Batches are not carried: they are made anew of the events, each of those whose numbers begin alike, and stand in the
//! log in the order of their numbers. So events keep their numbers.

use bytes::{BufMut, BytesMut};
use lastseat_store::StoreError;
use lastseat_store::copy::{CopyError, Kind, Row, SECRET_BYTES, Source, Table, Target as CopyTarget, Value};
use tokio_postgres::Row as PgRow;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::connection::{Connection, Purpose};
use crate::error::{OpenError, store_error};
use crate::migrate::{FirstStart, META_SECRET};
use crate::row::get;
use crate::sql;
use crate::store::PgStore;
use crate::target::Target;

/// What the connections of a copy are called in `pg_stat_activity`.
const COPYING: &str = "lastseat copy";
/// The names of connections of nodes, but for what their URL may say.
const NODES: &str = "lastseat";

/// Waits long for locks of others: nothing waits for a copy.
const SETTINGS: &str = "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0";
/// Nobody commits while the transaction lasts: every commit of a node adds a batch.
const BEGIN_SOURCE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE batches IN SHARE MODE";
const BEGIN_TARGET: &str = "BEGIN; LOCK TABLE batches IN EXCLUSIVE MODE";
const HAS_ROWS: &str = "SELECT EXISTS(SELECT 1 FROM batches) OR EXISTS(SELECT 1 FROM listings) OR EXISTS(SELECT 1 FROM bookings) \
    OR EXISTS(SELECT 1 FROM events) OR EXISTS(SELECT 1 FROM api_keys)";
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
    AND application_name IN ($1, $2)";
/// Which version of a listing is in force stands beside its inventory.
const INSERT_INVENTORY: &str = "INSERT INTO inventory (listing_no, listing_id, version, edition, waiting) \
    SELECT u.listing_no, l.id, u.version, l.version, u.waiting FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
    AS u (listing_no, version, waiting) \
    JOIN listings l ON l.no = u.listing_no";
/// What is told apart by numbers goes on above the highest.
const FINISH: &str = "INSERT INTO batches (no, id, node, listings, edited, keys, bookings, place) \
        SELECT no >> 16, gen_random_uuid(), 0, array_agg(DISTINCT listing_no), '{}', false, true, no >> 16 FROM events GROUP BY no >> 16; \
    UPDATE event_log SET place = (SELECT coalesce(max(place), 0) FROM batches); \
    INSERT INTO waitlist_waiting (listing_no, group_no, no, least, first, last, due_at, keeps) \
        SELECT listing_no, group_no, no, least, first, last, due_at, kept IS NOT NULL FROM waitlist WHERE state = 'waiting'; \
    SELECT setval('booking_numbers', (SELECT coalesce(max(no), 0) + 1 FROM bookings), false), \
        setval('listing_numbers', (SELECT coalesce(max(no), 0) + 1 FROM listings), false), \
        setval('batch_numbers', (SELECT coalesce(max(no), 0) + 1 FROM batches), false); \
    COMMIT";

/// A database that no node serves, and that none can begin to serve until this is dropped.
#[derive(Debug)]
pub struct Alone {
    _lock: FirstStart,
}

impl Target {
    /// The same, for a copy: its connections are not taken for those of a node.
    #[must_use]
    pub fn for_copy(self) -> Self {
        self.called(COPYING)
    }
}

impl PgStore {
    /// Makes sure that no node serves this database, which was opened [`Target::for_copy`]; `nodes` is as they name it.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if one does, or another copy is being made.
    pub fn alone(&self, nodes: &Target) -> Result<Alone, OpenError> {
        let name = nodes.application();
        let connection = self.connect(Purpose::Chore)?;
        let other = |error: StoreError| self.other(&error);
        let sessions = connection.ask(connection.client.query_one(SESSIONS, &[&NODES, &name]));
        if get::<i64>(&sessions.map_err(other)?, 0).map_err(other)? > 0 {
            return Err(OpenError::InUse(self.target().to_string()));
        }
        let lock = FirstStart::now(connection, self.target())?;
        Ok(Alone { _lock: lock.ok_or_else(|| OpenError::InUse(self.target().to_string()))? })
    }

    /// Everything that is there, as it is now. Nodes cannot commit until it is dropped.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn source(&self) -> Result<PgSource, OpenError> {
        Ok(PgSource { connection: self.begin(BEGIN_SOURCE)? })
    }

    /// Begins to fill the database. Nodes cannot commit until that has ended.
    ///
    /// # Errors
    /// [`OpenError::NotEmpty`] if there is something in it, others if it cannot be used.
    pub fn filling(&self) -> Result<PgTarget, OpenError> {
        let connection = self.begin(BEGIN_TARGET)?;
        let other = |error: StoreError| self.other(&error);
        let found = connection.ask(connection.client.query_one(HAS_ROWS, &[])).map_err(other)?;
        if get(&found, 0).map_err(other)? {
            return Err(OpenError::NotEmpty(self.target().to_string()));
        }
        Ok(PgTarget { connection })
    }

    fn begin(&self, how: &str) -> Result<Connection, OpenError> {
        let connection = self.connect(Purpose::Chore)?;
        let begun = connection
            .ask(connection.client.batch_execute(SETTINGS))
            .and_then(|()| connection.ask(connection.client.batch_execute(how)));
        begun.map_err(|error| self.other(&error))?;
        Ok(connection)
    }

    fn other(&self, error: &StoreError) -> OpenError {
        OpenError::Other { target: self.target().to_string(), why: error.to_string() }
    }
}

/// A snapshot of a whole database.
pub struct PgSource {
    connection: Connection,
}

impl std::fmt::Debug for PgSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgSource")
    }
}

impl PgSource {
    fn run(&self, sql: &str) -> Result<(), CopyError> {
        self.connection.ask(self.connection.client.batch_execute(sql)).map_err(CopyError::Source)
    }
}

impl Source for PgSource {
    fn secret(&mut self) -> Result<[u8; SECRET_BYTES], StoreError> {
        let row = self.connection.ask(self.connection.client.query_one(sql::META, &[&META_SECRET]))?;
        let secret: Vec<u8> = get(&row, 0)?;
        secret.try_into().map_err(|_| StoreError::Corrupt("the secret is not 32 bytes".to_owned()))
    }

    fn read(
        &mut self,
        table: &Table,
        page: &mut dyn FnMut(&[Row]) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        self.run(&format!("DECLARE carried NO SCROLL CURSOR FOR {}", table.select()))?;
        let client = &self.connection.client;
        let fetch = format!("FETCH FORWARD {} FROM carried", table.page);
        let fetch = self.connection.ask(client.prepare(&fetch)).map_err(CopyError::Source)?;
        loop {
            let found = self.connection.ask(client.query(&fetch, &[])).map_err(CopyError::Source)?;
            let rows: Result<Vec<Row>, _> = found.iter().map(|row| values(table, row)).collect();
            let rows = rows.map_err(CopyError::Source)?;
            if !rows.is_empty() {
                page(&rows)?;
            }
            if rows.len() < table.page as usize {
                return self.run("CLOSE carried");
            }
        }
    }
}

fn values(table: &Table, row: &PgRow) -> Result<Row, StoreError> {
    let value = |(index, kind)| {
        Ok(match kind {
            Kind::Int => get::<Option<i64>>(row, index)?.map(Value::Int),
            Kind::Text => get::<Option<String>>(row, index)?.map(Value::Text),
            Kind::Bytes => get::<Option<Vec<u8>>>(row, index)?.map(Value::Bytes),
            Kind::Id => get::<Option<Uuid>>(row, index)?.map(|id| Value::Bytes(id.as_bytes().to_vec())),
        }
        .unwrap_or(Value::Null))
    };
    table.columns.iter().map(|column| column.kind).enumerate().map(value).collect()
}

/// An empty database that is being filled.
pub struct PgTarget {
    connection: Connection,
}

impl std::fmt::Debug for PgTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgTarget")
    }
}

/// A value on its way. Its bytes are those of the column's type.
#[derive(Debug)]
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(number) => out.put_i64(*number),
            Value::Text(text) => out.put_slice(text.as_bytes()),
            Value::Bytes(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA, Type::UUID].contains(of)
    }

    to_sql_checked!();
}

const fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Id => Type::UUID,
    }
}

impl PgTarget {
    async fn copy_in(&self, table: &Table, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        let copy = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.column_names());
        let types: Vec<Type> = table.columns.iter().map(|column| type_of(column.kind)).collect();
        let writer = BinaryCopyInWriter::new(self.connection.client.copy_in(&copy).await?, &types);
        let mut writer = std::pin::pin!(writer);
        for row in rows {
            let bound: Vec<Bound<'_>> = row.iter().map(Bound).collect();
            writer.as_mut().write_raw(bound.iter().map(|value| value as &dyn ToSql)).await?;
        }
        writer.finish().await.map(drop)
    }

    async fn insert_inventory(&self, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        let column = |index: usize| -> Vec<i64> {
            let number = |row: &Row| if let Value::Int(number) = row[index] { number } else { 0 };
            rows.iter().map(number).collect()
        };
        self.connection
            .client
            .execute(INSERT_INVENTORY, &[&column(0), &column(1), &column(2)])
            .await
            .map(drop)
    }
}

impl CopyTarget for PgTarget {
    fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        // The one text that the embedded store can hold and PostgreSQL cannot.
        let has_nul =
            |row: &&Row| row.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0')));
        if let Some(row) = rows.iter().find(has_nul) {
            let row = table.name_of(row);
            return Err(StoreError::BadData(format!(
                "{row} has a text with a NUL in it, which PostgreSQL cannot hold"
            )));
        }
        let written = if table.name == "inventory" {
            self.connection.wait(self.insert_inventory(rows))?
        } else {
            self.connection.wait(self.copy_in(table, rows))?
        };
        written.map_err(|error| match store_error(error) {
            StoreError::BadData(why) => StoreError::BadData(format!("{}: {why}", table.name)),
            error => error,
        })
    }

    fn finish(self: Box<Self>, secret: &[u8; SECRET_BYTES]) -> Result<(), StoreError> {
        let client = &self.connection.client;
        let update = "UPDATE meta SET value = $2 WHERE key = $1";
        self.connection.ask(client.execute(update, &[&META_SECRET, &secret.as_slice()]))?;
        self.connection.ask(client.batch_execute(FINISH))?;
        // Nodes plan by it; without it they do so by what autovacuum finds out later.
        if let Err(error) = self.connection.ask(client.batch_execute("ANALYZE")) {
            tracing::warn!(%error, "the statistics of the new tables could not be made");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lastseat_scratch::Postgres;
    use lastseat_store::copy::TABLES;

    use super::*;
    use crate::store::OpenMode;

    /// What this store fills by itself, or has for itself alone.
    const OWN: [&str; 6] = ["meta", "batches", "event_log", "files", "lastseat_schema", "waitlist_waiting"];
    /// The columns of `inventory`, two of which it fills by itself.
    const INVENTORY: &str = "edition, listing_id, listing_no, version, waiting";

    fn database(server: &Postgres, name: &str) -> PgStore {
        let url = server.create_database(name).unwrap();
        PgStore::open(url.parse().unwrap(), OpenMode::Serve, 1).unwrap()
    }

    #[test]
    fn every_table_and_column_is_carried() {
        let server = Postgres::start().unwrap();
        drop(database(&server, "columns"));
        let columns = "SELECT table_name, string_agg(column_name::text, ', ' ORDER BY column_name) \
            FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name";
        for row in server.sql("columns", columns).unwrap() {
            let (name, found) = (row[0].clone().unwrap(), row[1].clone().unwrap());
            if OWN.contains(&name.as_str()) || (name.as_str(), found.as_str()) == ("inventory", INVENTORY) {
                continue;
            }
            let table = TABLES.iter().find(|table| table.name == name).expect(&name);
            let mut known: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            known.sort_unstable();
            assert_eq!(found, known.join(", "), "{name}");
        }
    }
    #[test]
    fn numbers_and_places_go_on_above_what_was_copied() {
        let server = Postgres::start().unwrap();
        let store = database(&server, "numbers");
        let events = TABLES.iter().find(|table| table.name == "events").unwrap();
        let event = |no: i64| {
            let text = |text: &str| Value::Text(text.to_owned());
            let int = Value::Int;
            vec![
                int(no),
                int(5),
                text("listing.created"),
                int(no % 3),
                Value::Null,
                int(1),
                int(1),
                text("s"),
                text("{}"),
            ]
        };
        let mut filling = Box::new(store.filling().unwrap());
        let numbers = [1, 2, 65_535, 65_536, (7 << 16) | 3];
        filling.write(events, &numbers.map(event)).unwrap();
        filling.finish(&[7; SECRET_BYTES]).unwrap();
        let read = lastseat_store::Store::reader(&store).unwrap();
        let found: Vec<(i64, i64)> =
            read.events(0, None, 100).unwrap().iter().map(|event| (event.place, event.no)).collect();
        assert_eq!(found, numbers.map(|no| (no, no)));
        assert_eq!(read.last_event().unwrap(), (7 << 16) | 3);
        let of_one: Vec<i64> = read
            .events(0, Some(lastseat_core::id::ListingNo(1)), 100)
            .unwrap()
            .iter()
            .map(|event| event.no)
            .collect();
        assert_eq!(
            of_one,
            [1, 65_536, (7 << 16) | 3].into_iter().filter(|no| no % 3 == 1).collect::<Vec<_>>()
        );
        let next =
            server.sql("numbers", "SELECT nextval('batch_numbers'), (SELECT place FROM event_log)").unwrap();
        assert_eq!(next[0], [Some("8".to_owned()), Some("7".to_owned())]);
        assert!(matches!(store.filling(), Err(OpenError::NotEmpty(_))));
    }
}
