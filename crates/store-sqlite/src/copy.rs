//! Everything in a file, to be carried elsewhere; and a file that is made of what comes from elsewhere.
//!
//! The new file is written beside its place, without a log and without syncs, and is moved into place when it is
//! whole, checked and synced. Until then there is no database in the directory, and what a copy that was interrupted
//! has left is thrown away by the next one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use lastseat_store::StoreError;
use lastseat_store::copy::{CopyError, Row, SECRET_BYTES, Source, Table, Target, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use crate::open::{FILE_NAME, OpenError, SqliteStore};
use crate::write::{META_SECRET, first_start};
use crate::{check, migrate, sql, store_error};

/// Name of the database while it is not whole.
const UNFINISHED: &str = "lastseat.db.copying";
/// What belongs to a database in a directory.
const FILES: [&str; 3] = [FILE_NAME, "lastseat.db-wal", "lastseat.db-journal"];
/// Page cache while a file is made, in KiB.
const CACHE_KIB: i32 = 131_072;

/// A snapshot of a whole file.
#[derive(Debug)]
pub struct SqliteSource {
    connection: Connection,
}

impl SqliteStore {
    /// Everything that is there, as it is now.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn source(&self) -> Result<SqliteSource, OpenError> {
        let connection = self.connect(false)?;
        connection.execute_batch("BEGIN")?;
        connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
        Ok(SqliteSource { connection })
    }
}

impl Source for SqliteSource {
    fn secret(&mut self) -> Result<[u8; SECRET_BYTES], StoreError> {
        self.connection.query_row(sql::META, [META_SECRET], |row| row.get(0)).map_err(store_error)
    }

    fn read(
        &mut self,
        table: &Table,
        page: &mut dyn FnMut(&[Row]) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let failed = |error| CopyError::Source(store_error(error));
        let mut statement = self.connection.prepare(&table.select()).map_err(failed)?;
        let mut found = statement.query([]).map_err(failed)?;
        let mut rows: Vec<Row> = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let values =
                (0..table.columns.len()).map(|column| value(row.get_ref(column).map_err(store_error)?));
            rows.push(values.collect::<Result<_, _>>().map_err(CopyError::Source)?);
            if rows.len() >= table.page as usize {
                page(&rows)?;
                rows.clear();
            }
        }
        if rows.is_empty() { Ok(()) } else { page(&rows) }
    }
}

fn value(found: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(StoreError::Corrupt("a text is not UTF-8".to_owned())),
        },
        ValueRef::Real(number) => return Err(StoreError::Corrupt(format!("{number} is in no column"))),
    })
}

/// A value that is bound to a statement.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A file that is being made.
#[derive(Debug)]
pub struct SqliteTarget {
    connection: Connection,
    dir: PathBuf,
}

impl SqliteTarget {
    /// Begins a database in `dir`, which is the caller's alone ([`crate::lock`]).
    ///
    /// # Errors
    /// [`OpenError::NotEmpty`] if there is one, others if it cannot be made.
    pub fn begin(dir: &Path) -> Result<Self, OpenError> {
        if FILES.iter().any(|name| dir.join(name).exists()) {
            return Err(OpenError::NotEmpty(dir.to_owned()));
        }
        let path = dir.join(UNFINISHED);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::Io { path, source });
            }
            _ => {}
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        migrate::migrate(&mut connection)?;
        // With an epoch of its own: cursors of another log must not be taken for cursors of this one.
        first_start(&connection)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self { connection, dir: dir.to_owned() })
    }
}

impl Target for SqliteTarget {
    fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        let values = vec!["?"; table.columns.len()].join(", ");
        let insert = format!("INSERT INTO {} ({}) VALUES ({values})", table.name, table.column_names());
        let mut insert = self.connection.prepare_cached(&insert).map_err(store_error)?;
        for row in rows {
            insert.execute(params_from_iter(row.iter().map(Bound))).map_err(|error| {
                match store_error(error) {
                    StoreError::BadData(why) => StoreError::BadData(format!("{}: {why}", table.name_of(row))),
                    error => error,
                }
            })?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, secret: &[u8; SECRET_BYTES]) -> Result<(), StoreError> {
        let Self { connection, dir } = *self;
        let update = "UPDATE meta SET value = ?2 WHERE key = ?1";
        connection.execute(update, (META_SECRET, secret)).map_err(store_error)?;
        connection.execute_batch("COMMIT").map_err(store_error)?;
        check::check(&connection).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        connection.close().map_err(|(_, error)| store_error(error))?;
        let (made, place) = (dir.join(UNFINISHED), dir.join(FILE_NAME));
        let moved = File::open(&made)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&made, &place))
            .and_then(|()| File::open(&dir)?.sync_all());
        moved.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => StoreError::Full,
            _ => StoreError::Unavailable(format!("{}: {error}", place.display())),
        })
    }
}

#[cfg(test)]
mod tests {
    use lastseat_store::copy::{TABLES, copy, tally};

    use super::*;
    use crate::OpenMode;

    /// Every column of every table of the schema; what the file keeps for itself is `no` of a key.
    #[test]
    fn every_table_and_column_is_carried() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection).unwrap();
        let names = |sql: &str, of: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            statement.query_map([of], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let tables = names("SELECT name FROM sqlite_schema WHERE type = ?1 ORDER BY name", "table");
        let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).chain(["meta"]).collect();
        known.sort_unstable();
        assert_eq!(tables, known);
        for table in TABLES {
            let mut columns = names("SELECT name FROM pragma_table_info(?1) ORDER BY name", table.name);
            columns.retain(|column| (table.name, column.as_str()) != ("idempotency", "no"));
            let mut known: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            known.sort_unstable();
            assert_eq!(columns, known, "{}", table.name);
        }
    }

    fn source(dir: &Path) -> SqliteSource {
        SqliteStore::open(dir, OpenMode::Read).unwrap().source().unwrap()
    }

    #[test]
    fn a_file_that_is_not_finished_is_not_there_and_the_next_copy_replaces_it() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = SqliteStore::open(from.path(), OpenMode::Serve).unwrap();
        let writer = Connection::open(store.path()).unwrap();
        writer.execute("INSERT INTO imports VALUES (?1, 1), ('c', 2)", ["a\0b"]).unwrap();
        let mut target = SqliteTarget::begin(to.path()).unwrap();
        let imports = TABLES.iter().find(|table| table.name == "imports").unwrap();
        let row = vec![Value::Text("x".to_owned()), Value::Int(7)];
        target.write(imports, std::slice::from_ref(&row)).unwrap();
        let error = target.write(imports, &[row]).unwrap_err();
        assert!(matches!(&error, StoreError::BadData(why) if why.starts_with("imports \"x\": ")), "{error}");
        drop(target);
        assert!(matches!(SqliteStore::open(to.path(), OpenMode::Read), Err(OpenError::Missing(_))));

        let target = Box::new(SqliteTarget::begin(to.path()).unwrap());
        let carried = copy(&mut source(from.path()), target, &mut |_, _| ()).unwrap();
        assert_eq!(carried.rows("imports"), 2);
        let found = tally(&mut source(to.path())).unwrap();
        assert_eq!(carried.differences(&found), Vec::<&str>::new());
        let epoch = |dir: &Path| {
            let store = SqliteStore::open(dir, OpenMode::Read).unwrap();
            lastseat_store::Store::reader(&store).unwrap().epoch().unwrap()
        };
        assert_ne!(epoch(from.path()), epoch(to.path()));
        assert!(matches!(SqliteTarget::begin(to.path()), Err(OpenError::NotEmpty(_))));
    }
}
