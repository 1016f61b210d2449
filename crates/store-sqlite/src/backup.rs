//! A copy of the database, made while it is being served.

use std::path::Path;

use rusqlite::backup::StepResult;
use rusqlite::{Connection, Error, ffi};

use crate::check;
use crate::open::{OpenError, SqliteStore};

/// Pages that are copied at a time.
const PAGES_PER_STEP: i32 = 1_000;
/// How long a file that is being opened by somebody else is waited for, in milliseconds.
const BUSY_MS: u64 = 5_000;

impl SqliteStore {
    /// Copies the database as it is at one instant to a new file. Writers are not held up; the log cannot be
    /// cut short meanwhile. The copy is checked: a page that is damaged is copied as it is.
    ///
    /// # Errors
    /// [`OpenError::Damaged`], if the copy is damaged, and so is what it was made of; others if either cannot be
    /// read or written.
    pub fn copy_to(&self, file: &Path) -> Result<(), OpenError> {
        let from = Connection::open_with_flags(
            self.path(),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        from.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        // One snapshot for all steps: without it each commit makes the copy begin anew, for ever under load.
        from.execute_batch("BEGIN")?;
        from.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
        let mut to = Connection::open(file)?;
        let backup = rusqlite::backup::Backup::new(&from, &mut to)?;
        loop {
            match backup.step(PAGES_PER_STEP)? {
                StepResult::Done => break,
                StepResult::More => {}
                _ => {
                    return Err(OpenError::Sqlite(Error::SqliteFailure(
                        ffi::Error::new(ffi::SQLITE_BUSY),
                        None,
                    )));
                }
            }
        }
        drop(backup);
        to.pragma_update(None, "journal_mode", "delete")?;
        check::check(&to)
    }
}

/// Gives a restored database a new epoch of its event log, so that a reader who was ahead of the backup is
/// told to begin anew.
///
/// # Errors
/// If the file cannot be written.
pub fn renew_epoch(file: &Path) -> Result<(), OpenError> {
    let connection = Connection::open(file)?;
    connection.execute("UPDATE meta SET value = randomblob(4) WHERE key = ?1", [crate::write::META_EPOCH])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::open::OpenMode;

    /// Rows of half a page each, two to a transaction.
    fn insert_pair(connection: &Connection, number: i64) {
        let sql =
            "INSERT INTO meta (key, value) VALUES ('a' || ?1, zeroblob(2000)), ('b' || ?1, zeroblob(2000))";
        connection.execute(sql, [number]).unwrap();
    }

    #[test]
    fn a_copy_ends_and_is_of_one_instant_while_others_write_without_pause() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), OpenMode::Serve).unwrap();
        let writer = Connection::open(store.path()).unwrap();
        writer.pragma_update(None, "synchronous", "OFF").unwrap();
        writer.execute_batch("BEGIN").unwrap();
        (0..10_000).for_each(|number| insert_pair(&writer, number));
        writer.execute_batch("COMMIT").unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let writer = writer;
                for number in 10_000.. {
                    if done.load(Ordering::SeqCst) {
                        break;
                    }
                    insert_pair(&writer, number);
                }
            });
            let copied = store.copy_to(&dir.path().join("copy.db"));
            done.store(true, Ordering::SeqCst);
            copied.unwrap();
        });
        let copy = Connection::open(dir.path().join("copy.db")).unwrap();
        let count = |first: &str| -> i64 {
            let sql = "SELECT count(*) FROM meta WHERE key GLOB ?1 || '[0-9]*'";
            copy.query_row(sql, [first], |row| row.get(0)).unwrap()
        };
        assert!(count("a") >= 10_000);
        assert_eq!(count("a"), count("b"));
        let sound: String = copy.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }

    #[test]
    fn a_renewed_epoch_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let epoch = || {
            let store = SqliteStore::open(dir.path(), OpenMode::Read).unwrap();
            lastseat_store::Store::reader(&store).unwrap().epoch().unwrap()
        };
        drop(SqliteStore::open(dir.path(), OpenMode::Serve).unwrap());
        let before = epoch();
        renew_epoch(&dir.path().join(crate::FILE_NAME)).unwrap();
        assert_ne!(epoch(), before);
    }
}
