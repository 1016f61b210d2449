//! Everything that a store of rows holds, as plain values: how it is carried from one such store to another.
//!
//! [`TABLES`] says what there is. What two stores keep for themselves (indexes, sequences, batches, the epoch of the
//! event log) is no part of it. The number of an event is the same on both sides, and so are its public id and the
//! lists of events that bookings carry; where a log is kept by places, it is given the order of the numbers, in which
//! the events of one listing stand as they happened.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use thiserror::Error;

use crate::error::StoreError;

/// Bytes of an instance's secret.
pub const SECRET_BYTES: usize = 32;
/// Rows that are carried at once.
const PAGE: u32 = 1_000;
/// The same for rows with whole documents in them.
const PAGE_OF_DOCUMENTS: u32 = 20;
/// The same for seating plans, of up to 32 MiB each.
const PAGE_OF_PLANS: u32 = 1;

/// A value of a column.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// None.
    Null,
    /// A number, or an instant in milliseconds.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes, or an id of 16 bytes.
    Bytes(Vec<u8>),
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A number.
    Int,
    /// Text.
    Text,
    /// Bytes of any length.
    Bytes,
    /// 16 bytes.
    Id,
}

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table as every store of rows has it; one may have further columns, which it fills by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order in which rows have their values.
    pub columns: &'static [Column],
    /// By which columns it is read.
    pub order: &'static str,
    /// Most rows at once.
    pub page: u32,
}

impl Table {
    /// The names of its columns, separated by commas.
    #[must_use]
    pub fn column_names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// The question for all its rows.
    #[must_use]
    pub fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.column_names(), self.name, self.order)
    }

    /// A row for people: the table and the first columns that are numbers or short texts.
    #[must_use]
    pub fn name_of(&self, row: &[Value]) -> String {
        let key = self.order.split(", ").count();
        let values = row.iter().take(key).map(|value| match value {
            Value::Null => "null".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => format!("{text:?}"),
            Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        });
        format!("{} {}", self.name, values.collect::<Vec<_>>().join(", "))
    }
}

macro_rules! table {
    ($name:ident by $order:literal at $page:expr; $($column:ident $kind:ident),*) => {
        Table {
            name: stringify!($name),
            columns: &[$(Column { name: stringify!($column), kind: Kind::$kind }),*],
            order: $order,
            page: $page,
        }
    };
}

/// What there is, what is referred to before what refers to it.
pub const TABLES: &[Table] = &[
    table!(listings by "no" at PAGE_OF_DOCUMENTS;
        no Int, id Id, version Int, created_at Int, doc Text, renew_through Int, renewed Int),
    table!(plans by "listing_no" at PAGE_OF_PLANS; listing_no Int, plan Text),
    table!(groups by "listing_no, group_no" at PAGE;
        listing_no Int, group_no Int, key Text, title Text, capacity Int, price Int, seat Text),
    table!(inventory by "listing_no" at PAGE; listing_no Int, version Int, waiting Int),
    table!(pools by "listing_no, pool_no" at PAGE;
        listing_no Int, pool_no Int, capacity Int, blocked Int, held Int, confirmed Int, price Int,
        kept Int),
    table!(bookings by "no" at PAGE;
        no Int, id Id, listing_no Int, policy_no Int, version Int, events Int, state Text, lines Text, total Int,
        paid Int, refund_due Int, refunded Int, deadline Int, due_at Int, created_at Int, customer Text, address Text,
        note Text, reason Text, decided_by Text, decided_at Int, created_by Id, details Text, event_nos Text),
    table!(holds by "listing_no, group_no, due_at, booking_no, first" at PAGE;
        listing_no Int, group_no Int, due_at Int, booking_no Int, first Int, last Int, quantity Int),
    table!(customers by "listing_no, identity" at PAGE; listing_no Int, identity Text, units Int, open_holds Int),
    table!(customer_holds by "listing_no, identity, due_at, booking_no" at PAGE;
        listing_no Int, identity Text, due_at Int, booking_no Int),
    table!(waitlist by "listing_no, no" at PAGE;
        listing_no Int, no Int, id Id, state Text, group_no Int, first Int, last Int, least Int, want Text, customer Text,
        customer_digest Id, created_at Int, created_by Id, until Int, due_at Int, joined_behind Int, skipped Int, kept Text,
        booking_no Int, ended Text, address Text),
    table!(waitlist_counts by "listing_no, group_no" at PAGE; listing_no Int, group_no Int, waiting Int),
    table!(events by "no" at PAGE;
        no Int, at Int, kind Text, listing_no Int, booking_no Int, seq Int, version Int, actor Text, data Text),
    // The oldest are forgotten first, so they must stand first where they stand in the order of writing.
    table!(idempotency by "at" at PAGE;
        at Int, key Id, fingerprint Id, booking_no Int, version Int, listing_id Id, key_id Id,
        entry_id Id),
    table!(imports by "external_id" at PAGE; external_id Text, booking_no Int),
    table!(api_keys by "id" at PAGE; id Id, role Text, name Text, hash Bytes, created_at Int, revoked_at Int),
];

/// The values of a row, in the order of the columns.
pub type Row = Vec<Value>;

/// Why a copy was not made. Nothing of it is there then.
#[derive(Debug, Error)]
pub enum CopyError {
    /// What is there cannot be read.
    #[error("cannot read what is to be copied: {0}")]
    Source(#[source] StoreError),
    /// What was read cannot be written.
    #[error("cannot write the copy: {0}")]
    Target(#[source] StoreError),
}

/// What a store holds, as it is at one instant.
pub trait Source {
    /// The secret of the instance.
    ///
    /// # Errors
    /// If it cannot be read.
    fn secret(&mut self) -> Result<[u8; SECRET_BYTES], StoreError>;

    /// Gives all rows of a table to `page`, at most [`Table::page`] at a time.
    ///
    /// # Errors
    /// [`CopyError::Source`] if they cannot be read, and what `page` fails with.
    fn read(
        &mut self,
        table: &Table,
        page: &mut dyn FnMut(&[Row]) -> Result<(), CopyError>,
    ) -> Result<(), CopyError>;
}

/// An empty store that is being filled. Unless it is finished, it stays empty.
pub trait Target {
    /// Writes rows of a table; tables come in the order of [`TABLES`].
    ///
    /// # Errors
    /// If they cannot be written; [`StoreError::BadData`] names the row.
    fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError>;

    /// Makes everything durable and visible, all at once.
    ///
    /// # Errors
    /// If that fails.
    fn finish(self: Box<Self>, secret: &[u8; SECRET_BYTES]) -> Result<(), StoreError>;
}

/// What a store holds, in few numbers. Two stores that hold the same have the same tally, in whatever order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    secret: Option<[u8; SECRET_BYTES]>,
    /// Per table: rows, and the sum of their hashes.
    tables: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    fn add(&mut self, table: &Table, rows: &[Row]) {
        let (count, sum) = self.tables.entry(table.name).or_default();
        for row in rows {
            let mut hasher = DefaultHasher::new();
            row.hash(&mut hasher);
            *count += 1;
            *sum = sum.wrapping_add(hasher.finish());
        }
    }

    /// How many rows a table has.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |(rows, _)| *rows)
    }

    /// Whether there is nothing at all, but for a secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.values().all(|(rows, _)| *rows == 0)
    }

    /// The names of what is not the same in `other`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let of = |tally: &Self, name: &str| tally.tables.get(name).copied().unwrap_or_default();
        let secret = (self.secret != other.secret).then_some("secret");
        let tables = TABLES.iter().map(|table| table.name).filter(|name| of(self, name) != of(other, name));
        secret.into_iter().chain(tables).collect()
    }
}

/// Carries everything from one store to another, all at once or not at all, and gives what was carried. `progress` is
/// told the table and how many of its rows have been carried, at every page.
///
/// # Errors
/// If one cannot be read or the other not be written.
pub fn copy(
    from: &mut dyn Source,
    mut to: Box<dyn Target + '_>,
    progress: &mut dyn FnMut(&Table, u64),
) -> Result<Tally, CopyError> {
    let secret = from.secret().map_err(CopyError::Source)?;
    let mut tally = Tally { secret: Some(secret), ..Tally::default() };
    for table in TABLES {
        from.read(table, &mut |rows| {
            tally.add(table, rows);
            to.write(table, rows).map_err(CopyError::Target)?;
            progress(table, tally.rows(table.name));
            Ok(())
        })?;
    }
    to.finish(&secret).map_err(CopyError::Target)?;
    Ok(tally)
}

/// What a store holds.
///
/// # Errors
/// If it cannot be read.
pub fn tally(of: &mut dyn Source) -> Result<Tally, CopyError> {
    let secret = of.secret().map_err(CopyError::Source)?;
    let mut tally = Tally { secret: Some(secret), ..Tally::default() };
    for table in TABLES {
        of.read(table, &mut |rows| {
            tally.add(table, rows);
            Ok(())
        })?;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).unwrap()
    }

    #[test]
    fn the_same_rows_in_another_order_have_the_same_tally_and_one_that_is_changed_has_not() {
        let row = |no: i64, text: &str| vec![Value::Int(no), Value::Text(text.to_owned())];
        let of = |rows: &[Row]| {
            let mut tally = Tally::default();
            tally.add(table("plans"), rows);
            tally
        };
        let one = of(&[row(1, "a"), row(2, "b")]);
        assert_eq!(one.differences(&of(&[row(2, "b"), row(1, "a")])), Vec::<&str>::new());
        assert_eq!(one.differences(&of(&[row(1, "b"), row(2, "a")])), ["plans"]);
        assert_eq!(one.differences(&of(&[row(1, "a")])), ["plans"]);
        assert_eq!((one.rows("plans"), one.rows("events"), one.is_empty()), (2, 0, false));
    }

    #[test]
    fn a_row_is_called_by_the_columns_of_its_key() {
        let row = [Value::Int(7), Value::Text("e:a@b".to_owned()), Value::Int(5), Value::Int(6)];
        assert_eq!(table("customer_holds").name_of(&row), "customer_holds 7, \"e:a@b\", 5, 6");
        assert_eq!(table("bookings").name_of(&row), "bookings 7");
    }
}
