//! From rows to the core's types.

use std::collections::BTreeMap;
use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::Role;
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::{Group, Groups, Listing};
use lastseat_core::pool::Pool;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry, EntryState};
use lastseat_store::{ApiKey, StoreError, StoredEvent};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::unreadable;

pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(unreadable)
}

/// A column that holds a number that was not negative when it was written.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, StoreError> {
    let value: i64 = get(row, column)?;
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is out of range")))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("a column cannot be read: {error}")))
}

pub(crate) fn time(row: &Row, column: usize) -> Result<Time, StoreError> {
    get(row, column).map(Time::from_millis)
}

pub(crate) fn optional_time(row: &Row, column: usize) -> Result<Option<Time>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Time::from_millis))
}

pub(crate) fn state(row: &Row, column: usize) -> Result<State, StoreError> {
    let name: &str = get(row, column)?;
    State::parse(name).ok_or_else(|| StoreError::Corrupt(format!("{name} is no state")))
}

pub(crate) fn booking_id(row: &Row, column: usize) -> Result<BookingId, StoreError> {
    Ok(BookingId::from_bits(get::<Uuid>(row, column)?.as_u128()))
}

pub(crate) fn listing_id(row: &Row, column: usize) -> Result<ListingId, StoreError> {
    Ok(ListingId::from_bits(get::<Uuid>(row, column)?.as_u128()))
}

/// Reads the columns of [`crate::sql::BOOKING_COLUMNS`].
pub(crate) fn booking(row: &Row) -> Result<Booking, StoreError> {
    Ok(Booking {
        no: BookingNo(get(row, 0)?),
        id: booking_id(row, 1)?,
        listing: ListingNo(get(row, 2)?),
        policy: number(row, 3)?,
        version: number(row, 4)?,
        events: number(row, 5)?,
        state: state(row, 6)?,
        lines: json(get(row, 7)?)?,
        total: get(row, 8)?,
        paid: get(row, 9)?,
        refund_due: get(row, 10)?,
        refunded: get(row, 11)?,
        deadline: optional_time(row, 12)?,
        created_at: time(row, 13)?,
        customer: json(get(row, 14)?)?,
        address: get(row, 15)?,
        note: get(row, 16)?,
        reason: get(row, 17)?,
        decided_by: get(row, 18)?,
        decided_at: optional_time(row, 19)?,
        created_by: get::<Option<Uuid>>(row, 20)?.map(|id| KeyId::from_bits(id.as_u128())),
        details: get::<Option<&str>>(row, 21)?.map(json).transpose()?.unwrap_or_default(),
    })
}

pub(crate) fn bookings(rows: &[Row]) -> Result<Vec<Booking>, StoreError> {
    rows.iter().map(booking).collect()
}

pub(crate) fn booking_nos(rows: &[Row]) -> Result<Vec<BookingNo>, StoreError> {
    rows.iter().map(|row| get(row, 0).map(BookingNo)).collect()
}

/// Reads six columns from `first` on: capacity, blocked, held, confirmed, price, kept.
pub(crate) fn pool(row: &Row, first: usize) -> Result<Pool, StoreError> {
    Ok(Pool {
        capacity: get(row, first)?,
        blocked: get(row, first + 1)?,
        held: get(row, first + 2)?,
        confirmed: get(row, first + 3)?,
        price: get(row, first + 4)?,
        kept: get(row, first + 5)?,
    })
}

/// A column that holds one of few names.
fn named<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(name).ok_or_else(|| StoreError::Corrupt(format!("{name} is not known here")))
}

/// Reads the columns of an entry, `entry_columns!` in `sql.rs`.
pub(crate) fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        listing: ListingNo(get(row, 0)?),
        no: EntryNo(get(row, 1)?),
        id: WaitlistId::from_bits(get::<Uuid>(row, 2)?.as_u128()),
        state: named(get(row, 3)?, EntryState::parse)?,
        want: json(get(row, 4)?)?,
        customer: json(get(row, 5)?)?,
        created_at: time(row, 6)?,
        created_by: get::<Option<Uuid>>(row, 7)?.map(|id| KeyId::from_bits(id.as_u128())),
        until: optional_time(row, 8)?,
        due_at: optional_time(row, 9)?,
        joined_behind: get(row, 10)?,
        skipped: number(row, 11)?,
        kept: get::<Option<&str>>(row, 12)?.map(json).transpose()?.unwrap_or_default(),
        booking: get::<Option<i64>>(row, 13)?.map(BookingNo),
        ended: get::<Option<&str>>(row, 14)?.map(|name| named(name, Ended::parse)).transpose()?,
        address: get(row, 15)?,
    })
}

/// The same for a batch, which keeps it in one place.
pub(crate) fn shared_entry(row: &Row) -> Result<Arc<Entry>, StoreError> {
    entry(row).map(Arc::new)
}

pub(crate) fn entries(rows: &[Row]) -> Result<Vec<Entry>, StoreError> {
    rows.iter().map(entry).collect()
}

/// Puts listings together from their own rows and those of their groups, both in order.
pub(crate) fn listings(rows: &[Row], groups: &[Row]) -> Result<Vec<Listing>, StoreError> {
    let mut by_listing: BTreeMap<i64, Vec<Group>> = BTreeMap::new();
    for row in groups {
        by_listing.entry(get(row, 0)?).or_default().push(Group {
            key: get(row, 1)?,
            title: get(row, 2)?,
            capacity: get(row, 3)?,
            price: get(row, 4)?,
            seat: get::<Option<&str>>(row, 5)?.map(json).transpose()?,
        });
    }
    let listing = |row: &Row| {
        let no = get(row, 0)?;
        let groups = Arc::new(Groups::new(by_listing.remove(&no).unwrap_or_default()));
        let doc = json(get(row, 4)?)?;
        Ok(Listing::new(ListingNo(no), listing_id(row, 1)?, number(row, 2)?, time(row, 3)?, doc, groups))
    };
    rows.iter().map(listing).collect()
}

/// Reads an event: its place in the log, then its columns with its booking's id.
pub(crate) fn event(row: &Row) -> Result<StoredEvent, StoreError> {
    let kind: &str = get(row, 3)?;
    let no: Option<i64> = get(row, 5)?;
    let id: Option<Uuid> = get(row, 6)?;
    Ok(StoredEvent {
        place: get(row, 0)?,
        no: get(row, 1)?,
        at: time(row, 2)?,
        kind: EventKind::parse(kind).ok_or_else(|| StoreError::Corrupt(format!("{kind} is no event")))?,
        listing: ListingNo(get(row, 4)?),
        booking: no.map(BookingNo).zip(id.map(|id| BookingId::from_bits(id.as_u128()))),
        seq: number(row, 7)?,
        version: number(row, 8)?,
        actor: get(row, 9)?,
        data: get(row, 10)?,
    })
}

pub(crate) fn key(row: &Row) -> Result<ApiKey, StoreError> {
    let role: &str = get(row, 1)?;
    let hash: &[u8] = get(row, 3)?;
    Ok(ApiKey {
        id: KeyId::from_bits(get::<Uuid>(row, 0)?.as_u128()),
        role: Role::parse(role).ok_or_else(|| StoreError::Corrupt(format!("{role} is no role")))?,
        name: get(row, 2)?,
        hash: hash
            .try_into()
            .map_err(|_| StoreError::Corrupt("a key's digest is not 32 bytes".to_owned()))?,
        created_at: time(row, 4)?,
    })
}
