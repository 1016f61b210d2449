//! From rows to the core's types.

use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::{Group, Groups, Listing};
use lastseat_core::pool::Pool;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry, EntryState};
use lastseat_store::StoreError;
use rusqlite::types::{FromSql, FromSqlError};
use rusqlite::{Connection, Row};

use crate::{sql, store_error};

/// A column that holds JSON.
fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// A column that holds a number that was not negative when it was written.
fn number<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let value: i64 = row.get(column)?;
    T::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// 16 bytes as 128 bits.
struct Bits(u128);

impl FromSql for Bits {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        let bytes: [u8; 16] = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

pub(crate) fn booking_id(row: &Row<'_>, column: usize) -> rusqlite::Result<BookingId> {
    Ok(BookingId::from_bits(row.get::<_, Bits>(column)?.0))
}

pub(crate) fn optional_booking_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<BookingId>> {
    Ok(row.get::<_, Option<Bits>>(column)?.map(|bits| BookingId::from_bits(bits.0)))
}

pub(crate) fn listing_id(row: &Row<'_>, column: usize) -> rusqlite::Result<ListingId> {
    Ok(ListingId::from_bits(row.get::<_, Bits>(column)?.0))
}

pub(crate) fn optional_listing_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ListingId>> {
    Ok(row.get::<_, Option<Bits>>(column)?.map(|bits| ListingId::from_bits(bits.0)))
}

pub(crate) fn key_id(row: &Row<'_>, column: usize) -> rusqlite::Result<KeyId> {
    Ok(KeyId::from_bits(row.get::<_, Bits>(column)?.0))
}

pub(crate) fn optional_key_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<KeyId>> {
    Ok(row.get::<_, Option<Bits>>(column)?.map(|bits| KeyId::from_bits(bits.0)))
}

pub(crate) fn optional_entry_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<WaitlistId>> {
    Ok(row.get::<_, Option<Bits>>(column)?.map(|bits| WaitlistId::from_bits(bits.0)))
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    row.get(column).map(Time::from_millis)
}

pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time::from_millis))
}

/// A column that holds one of few names.
fn named<T>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let name = row.get_ref(column)?.as_str()?;
    parse(name).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(column, name.to_owned(), rusqlite::types::Type::Text)
    })
}

pub(crate) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    named(row, column, State::parse)
}

/// What a column holds, if it holds anything.
fn optional<T>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&Row<'_>, usize) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    read(row, column).map(Some)
}

/// Reads the columns of an entry, `entry_columns!` in `sql.rs`.
pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        listing: ListingNo(row.get(0)?),
        no: EntryNo(row.get(1)?),
        id: WaitlistId::from_bits(row.get::<_, Bits>(2)?.0),
        state: named(row, 3, EntryState::parse)?,
        want: json(row, 4)?,
        customer: json(row, 5)?,
        created_at: time(row, 6)?,
        created_by: optional_key_id(row, 7)?,
        until: optional_time(row, 8)?,
        due_at: optional_time(row, 9)?,
        joined_behind: row.get(10)?,
        skipped: number(row, 11)?,
        kept: optional(row, 12, json)?.unwrap_or_default(),
        booking: row.get::<_, Option<i64>>(13)?.map(BookingNo),
        ended: optional(row, 14, |row, column| named(row, column, Ended::parse))?,
        address: row.get(15)?,
    })
}

/// The same for a batch, which keeps it in one place.
pub(crate) fn shared_entry(row: &Row<'_>) -> rusqlite::Result<Arc<Entry>> {
    entry(row).map(Arc::new)
}

/// Reads the columns of [`sql::BOOKING_COLUMNS`].
pub(crate) fn booking(row: &Row<'_>) -> rusqlite::Result<Booking> {
    Ok(Booking {
        no: BookingNo(row.get(0)?),
        id: booking_id(row, 1)?,
        listing: ListingNo(row.get(2)?),
        policy: number(row, 3)?,
        version: number(row, 4)?,
        events: number(row, 5)?,
        state: state(row, 6)?,
        lines: json(row, 7)?,
        total: row.get(8)?,
        paid: row.get(9)?,
        refund_due: row.get(10)?,
        refunded: row.get(11)?,
        deadline: optional_time(row, 12)?,
        created_at: time(row, 13)?,
        customer: json(row, 14)?,
        address: row.get(15)?,
        note: row.get(16)?,
        reason: row.get(17)?,
        decided_by: row.get(18)?,
        decided_at: optional_time(row, 19)?,
        created_by: optional_key_id(row, 20)?,
        details: optional(row, 21, json)?.unwrap_or_default(),
    })
}

/// Reads six columns from `first` on: capacity, blocked, held, confirmed, price, kept.
pub(crate) fn pool(row: &Row<'_>, first: usize) -> rusqlite::Result<Pool> {
    Ok(Pool {
        capacity: row.get(first)?,
        blocked: row.get(first + 1)?,
        held: row.get(first + 2)?,
        confirmed: row.get(first + 3)?,
        price: row.get(first + 4)?,
        kept: row.get(first + 5)?,
    })
}

/// A listing without its groups.
pub(crate) type BareListing = (ListingNo, ListingId, u64, Time, lastseat_core::listing::ListingDoc);

pub(crate) fn bare_listing(row: &Row<'_>) -> rusqlite::Result<BareListing> {
    Ok((ListingNo(row.get(0)?), listing_id(row, 1)?, number(row, 2)?, time(row, 3)?, json(row, 4)?))
}

/// Reads the groups of a listing and puts it together.
pub(crate) fn listing(connection: &Connection, bare: BareListing) -> Result<Listing, StoreError> {
    let (no, id, version, created_at, doc) = bare;
    let mut statement = connection.prepare_cached(sql::GROUPS).map_err(store_error)?;
    let groups = statement
        .query_map([no.0], |row| {
            Ok(Group {
                key: row.get(0)?,
                title: row.get(1)?,
                capacity: row.get(2)?,
                price: row.get(3)?,
                seat: optional(row, 4, json)?,
            })
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<Group>>>)
        .map_err(store_error)?;
    Ok(Listing::new(no, id, version, created_at, doc, Arc::new(Groups::new(groups))))
}
