//! A file with millions of bookings, quickly: a model of ten thousand, made by the engine itself, is copied as often as
//! needed, each copy a day older than the next. Numbers, ids and places in the log are made anew, everything else is as
//! the engine wrote it. Idempotency keys are those of the model: the others are long forgotten.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, ensure};
use lastseat_bench::embedded::{Embedded, booking, one_of};
use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, Command, ImportBooking};
use lastseat_core::customer::Customer;
use lastseat_engine::{EngineConfig, ids};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

use crate::figures::pool_key;

/// Bookings of each listing of a model. Of ten listings one is still to come.
pub(crate) const BOOKINGS_EACH: u64 = 20;
/// Capacity of each pool: enough for all copies.
const CAPACITY: i64 = 1_000_000;
/// How much older each copy is than the next.
const DAY_MS: u128 = 86_400_000;
/// While it is built nothing has to survive anything.
const FAST: &str = "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -1000000;";

type Row = Vec<Value>;

/// Makes a model in `dir`: bookings of past listings, completed, and of coming ones, confirmed.
pub(crate) async fn model(dir: &Path, listings: u64) -> anyhow::Result<()> {
    let embedded = Embedded::start(dir, EngineConfig::default())?;
    for number in 0..listings {
        let coming = number % 10 == 0;
        let starts_at = if coming { "2100-06-01T19:00:00Z" } else { "2024-06-01T19:00:00Z" };
        let form = json!({
            "kind": "places", "title": format!("Evening {number}"), "city": "Berlin", "timezone": "Europe/Berlin",
            "currency": "EUR", "starts_at": starts_at, "pools": [{"key": pool_key(0), "capacity": CAPACITY, "price": 2_500}],
        });
        let listing = embedded.listing(form).await?;
        for _ in 0..BOOKINGS_EACH {
            let command = if coming {
                booking(listing.id, one_of(&pool_key(0)))
            } else {
                let customer =
                    Customer { name: format!("Guest {:032x}", ids::bits()), ..Customer::default() };
                let import = ImportBooking {
                    id: ids::booking_id(),
                    listing: listing.id,
                    claim: one_of(&pool_key(0)),
                    customer,
                    state: State::Completed,
                    created_at: None,
                    paid: 2_500,
                    external_id: None,
                };
                Command::new(Actor::System, Action::ImportBooking(Box::new(import)))
            };
            embedded.engine.submit(command).await?;
        }
    }
    embedded.stop().await;
    Ok(())
}

/// Rows of a table, with the places of the columns that are made anew.
struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    fn read(connection: &Connection, sql: &str) -> anyhow::Result<Self> {
        let mut statement = connection.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let count = columns.len();
        let rows = statement
            .query_map([], |row| (0..count).map(|column| row.get(column)).collect())?
            .collect::<rusqlite::Result<Vec<Row>>>()?;
        Ok(Self { columns, rows })
    }

    fn column(&self, name: &str) -> anyhow::Result<usize> {
        self.columns.iter().position(|column| column == name).with_context(|| format!("no column {name}"))
    }

    fn insert(&self, table: &str) -> String {
        format!("INSERT INTO {table} VALUES ({})", vec!["?"; self.columns.len()].join(", "))
    }
}

/// Puts `copies` of the model in its place in the file.
pub(crate) fn multiply(file: &Path, copies: u64) -> anyhow::Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(FAST)?;
    let mut bookings = Table::read(&connection, "SELECT * FROM bookings ORDER BY no")?;
    let mut events = Table::read(
        &connection,
        "SELECT * FROM events WHERE booking_no IS NOT NULL ORDER BY booking_no, no",
    )?;
    let model = bookings.rows.len();
    let (no, id, places) = (bookings.column("no")?, bookings.column("id")?, bookings.column("event_nos")?);
    let (event_no, event_of) = (events.column("no")?, events.column("booking_no")?);
    let model_ids: Vec<u128> =
        bookings.rows.iter().map(|row| bits(&row[id])).collect::<anyhow::Result<_>>()?;
    let own_events = own_events(&bookings, no, &events, event_of)?;

    connection.execute_batch(
        "BEGIN; DELETE FROM bookings; DELETE FROM events WHERE booking_no IS NOT NULL; DELETE FROM holds;",
    )?;
    let mut next_event: i64 =
        connection.query_row("SELECT coalesce(max(no), 0) + 1 FROM events", [], |row| row.get(0))?;
    let mut next_booking: i64 = 1;
    {
        let mut insert_booking = connection.prepare(&bookings.insert("bookings"))?;
        let mut insert_event = connection.prepare(&events.insert("events"))?;
        for age in (0..u128::from(copies)).rev() {
            for (index, row) in bookings.rows.iter_mut().enumerate() {
                let mut at = String::new();
                for event in &mut events.rows[own_events[index].clone()] {
                    event[event_no] = Value::Integer(next_event);
                    event[event_of] = Value::Integer(next_booking);
                    at.push_str(&format!(",{next_event}"));
                    insert_event.execute(params_from_iter(event.iter()))?;
                    next_event += 1;
                }
                // A UUIDv7 begins with 48 bits of milliseconds.
                let older = model_ids[index] - ((age * DAY_MS) << 80);
                row[no] = Value::Integer(next_booking);
                row[id] = Value::Blob(older.to_be_bytes().to_vec());
                row[places] = Value::Text(at);
                insert_booking.execute(params_from_iter(row.iter()))?;
                next_booking += 1;
            }
        }
    }
    connection.execute("UPDATE pools SET confirmed = confirmed * ?1", [copies])?;
    connection
        .execute("UPDATE idempotency SET booking_no = booking_no + ?1", [(copies - 1) * model as u64])?;
    connection.execute_batch("COMMIT; ANALYZE")?;
    connection.close().map_err(|(_, error)| error)?;
    // What is written back later would disturb what is measured.
    File::open(file)?.sync_all()?;
    Ok(())
}

fn bits(value: &Value) -> anyhow::Result<u128> {
    match value {
        Value::Blob(bytes) => {
            Ok(u128::from_be_bytes(bytes.as_slice().try_into().context("ids have 16 bytes")?))
        }
        other => anyhow::bail!("{other:?} is no id"),
    }
}

/// Which rows of `events` belong to each booking.
fn own_events(
    bookings: &Table,
    no: usize,
    events: &Table,
    of: usize,
) -> anyhow::Result<Vec<std::ops::Range<usize>>> {
    let mut ranges = Vec::with_capacity(bookings.rows.len());
    let mut from = 0;
    for booking in &bookings.rows {
        let count = events.rows[from..].iter().take_while(|event| event[of] == booking[no]).count();
        ensure!(count > 0, "a booking has no event");
        ranges.push(from..from + count);
        from += count;
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastseat_store_sqlite::FILE_NAME;

    #[tokio::test(flavor = "multi_thread")]
    async fn copies_have_numbers_ids_and_events_of_their_own_and_counters_stay_true() {
        let dir = tempfile::tempdir().unwrap();
        model(dir.path(), 20).await.unwrap();
        let file = dir.path().join(FILE_NAME);
        multiply(&file, 3).unwrap();
        let connection = Connection::open(&file).unwrap();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let total = 3 * 20 * 20;
        assert_eq!(count("SELECT count(*) FROM bookings"), total);
        assert_eq!(count("SELECT sum(confirmed) FROM pools"), total);
        let older = "SELECT (SELECT max(id) FROM bookings WHERE no <= 400) < (SELECT min(id) FROM bookings WHERE no > 400)";
        assert_eq!(count(older), 1);
        assert_eq!(
            count(
                "SELECT count(*) FROM bookings b, json_each('[' || substr(b.event_nos, 2) || ']') place
                   JOIN events e ON e.no = place.value AND e.booking_no = b.no"
            ),
            count("SELECT count(*) FROM events WHERE booking_no IS NOT NULL")
        );
        drop(connection);
        // The engine goes on with it.
        let embedded = Embedded::start(dir.path(), EngineConfig::default()).unwrap();
        let listing = embedded.engine.listings()[0].clone();
        embedded.engine.submit(booking(listing.id, one_of(&pool_key(0)))).await.unwrap();
        let numbers = embedded.engine.numbers(listing.no).await.unwrap();
        assert_eq!(numbers.by_state.iter().map(|(_, bookings, _)| bookings).sum::<i64>(), 61);
    }
}
