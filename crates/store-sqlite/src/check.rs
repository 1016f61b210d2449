//! SQLite's own check of a whole file: pages, trees, indexes, types, constraints and references.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::open::OpenError;

/// Most things that are told about one file.
const MAX_TOLD: usize = 5;
/// Longest thing that is told, in characters.
const MAX_LENGTH: usize = 200;
/// Page cache of the check, in KiB.
const CACHE_KIB: i32 = 65_536;
/// How long a file that is being opened by somebody else is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// Checks a database file, which may be served meanwhile. It is read as a whole. Whether its rows agree with each
/// other is for `lastseat verify`.
///
/// # Errors
/// [`OpenError::Damaged`] with what is damaged, as far as it is told; others if the file cannot be read.
pub fn check_file(file: &Path) -> Result<(), OpenError> {
    // Read-write, so that the log of a file that is served can be read; nothing is changed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    check(&connection)
}

/// Checks what a connection has open.
///
/// # Errors
/// As [`check_file`].
pub(crate) fn check(connection: &Connection) -> Result<(), OpenError> {
    let mut found = trees(connection)?;
    if found.is_empty() {
        found = references(connection)?;
    }
    if found.is_empty() { Ok(()) } else { Err(OpenError::Damaged(found.join("; "))) }
}

/// What is wrong with pages, trees, indexes, types and constraints.
fn trees(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let mut found = Vec::new();
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_TOLD})"))?;
    let mut rows = statement.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            // After what it found it goes on to the rows, and may stumble over just that.
            Err(error) if found.is_empty() => return Err(error.into()),
            Ok(None) | Err(_) => break,
        };
        let text: String = row.get(0)?;
        // Some come with a line above them that says which database is meant.
        let lines = text.lines().filter(|line| *line != "ok" && !line.starts_with("***"));
        found.extend(lines.map(|line| named(connection, line)));
    }
    found.truncate(MAX_TOLD);
    Ok(found)
}

/// Which rows name others that are not there.
fn references(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let sql = "SELECT DISTINCT \"table\", parent FROM pragma_foreign_key_check";
    let mut statement = connection.prepare(sql)?;
    let told = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("a row of {table} names one of {parent} that is not there"))
    })?;
    Ok(told.collect::<rusqlite::Result<_>>()?)
}

/// What SQLite says of a tree (`Tree 7 page 12: ...`), with the name of the table or index that it is.
fn named(connection: &Connection, line: &str) -> String {
    let name = |rest: &str| -> Option<String> {
        let root: i64 = rest.split_whitespace().next()?.parse().ok()?;
        let sql = "SELECT type || ' ' || name FROM sqlite_schema WHERE rootpage = ?1";
        connection.query_row(sql, [root], |row| row.get(0)).ok()
    };
    let line: String = line.chars().take(MAX_LENGTH).collect();
    match line.strip_prefix("Tree ").and_then(name) {
        Some(name) => format!("{name}: {line}"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom, Write};

    use super::*;
    use crate::open::{FILE_NAME, OpenMode, SqliteStore};

    /// A closed database, and the first bytes of a page of it changed: of the root of that table or index.
    fn damaged(table: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        drop(SqliteStore::open(dir.path(), OpenMode::Serve).unwrap());
        let file = dir.path().join(FILE_NAME);
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let root: u64 = Connection::open(&file).unwrap().query_row(sql, [table], |row| row.get(0)).unwrap();
        check_file(&file).unwrap();
        let mut bytes = std::fs::File::options().read(true).write(true).open(&file).unwrap();
        bytes.seek(SeekFrom::Start((root - 1) * 4096)).unwrap();
        let mut first = [0];
        bytes.read_exact(&mut first).unwrap();
        bytes.seek(SeekFrom::Current(-1)).unwrap();
        bytes.write_all(&[!first[0]]).unwrap();
        let said = check_file(&file).unwrap_err().to_string();
        (dir, said)
    }

    #[test]
    fn a_damaged_page_is_told_by_the_table_or_index_that_it_belongs_to() {
        for name in ["bookings", "events", "events_by_listing", "pools"] {
            let (_dir, said) = damaged(name);
            assert!(said.contains("damaged") && said.contains(name), "{name}: {said}");
        }
    }

    #[test]
    fn an_index_that_lacks_a_row_and_a_reference_to_nothing_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        drop(SqliteStore::open(dir.path(), OpenMode::Serve).unwrap());
        let file = dir.path().join(FILE_NAME);
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute("INSERT INTO plans (listing_no, plan) VALUES (7, '{}')", []).unwrap();
        let said = check_file(&file).unwrap_err().to_string();
        assert!(said.contains("a row of plans names one of listings"), "{said}");

        connection.execute("DELETE FROM plans", []).unwrap();
        connection.execute("INSERT INTO events VALUES (1, 0, 'x', 1, 1, 1, 1, 'x', '{}')", []).unwrap();
        check_file(&file).unwrap();
        connection
            .execute_batch(
                "PRAGMA writable_schema = ON; \
                 UPDATE sqlite_schema SET sql = sql || ' WHERE no > 1' WHERE name = 'events_by_listing'; \
                 PRAGMA writable_schema = RESET; DELETE FROM events; \
                 INSERT INTO events VALUES (1, 0, 'x', 1, 1, 1, 1, 'x', '{}'); PRAGMA writable_schema = ON; \
                 UPDATE sqlite_schema SET sql = replace(sql, ' WHERE no > 1', '') WHERE name = 'events_by_listing'; \
                 PRAGMA writable_schema = RESET;",
            )
            .unwrap();
        let said = check_file(&file).unwrap_err().to_string();
        assert!(said.contains("events_by_listing"), "{said}");
    }
}
