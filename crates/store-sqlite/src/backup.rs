//! A copy of the database, made while it is being served.

use std::path::Path;

use rusqlite::Connection;

use crate::open::{OpenError, SqliteStore};

/// Pages that are copied at a time, so that the server is never held up for long.
const PAGES_PER_STEP: i32 = 1_000;

impl SqliteStore {
    /// Copies the database as it is at one instant to a new file.
    ///
    /// # Errors
    /// If either cannot be read or written.
    pub fn copy_to(&self, file: &Path) -> Result<(), OpenError> {
        let from = Connection::open_with_flags(
            self.path(),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let mut to = Connection::open(file)?;
        let backup = rusqlite::backup::Backup::new(&from, &mut to)?;
        backup.run_to_completion(PAGES_PER_STEP, std::time::Duration::from_millis(1), None)?;
        drop(backup);
        to.pragma_update(None, "journal_mode", "delete")?;
        Ok(())
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
