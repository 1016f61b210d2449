//! The data directory, its lock, and the connections.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lastseat_core::time::Time;
use lastseat_store::{Lane, Read, Store, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use crate::clock::Clock;
use crate::lane::SqliteLane;
use crate::migrate;
use crate::read::SqliteRead;
use crate::store_error;

/// Name of the database in the data directory.
pub const FILE_NAME: &str = "lastseat.db";
/// Name of the file that a server locks.
pub const LOCK_NAME: &str = "lastseat.lock";
/// The oldest SQLite without the bug that corrupts a WAL when it is reset.
const MIN_SQLITE: i32 = 3_051_003;
/// How long a connection waits for another's lock, in milliseconds.
const BUSY_MS: u64 = 5_000;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i32 = 65_536;
/// Page cache of a reader, in KiB.
const READER_CACHE_KIB: i32 = 4_096;
/// Pages after which the writer checkpoints the WAL: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4_096;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;
/// Idle readers that are kept.
const MAX_IDLE_READERS: usize = 4;

/// What for the data is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// To serve: alone on the data directory, migrating the schema.
    Serve,
    /// To look, also beside a running server.
    Read,
}

/// Why the data cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another server has it.
    #[error("another server is running on {0}; stop it first, or give this one a data directory of its own")]
    InUse(PathBuf),
    /// There is nothing.
    #[error("there is no database in {0}; `lastseat serve --data` makes one")]
    Missing(PathBuf),
    /// There is something where nothing may be.
    #[error("there is a database in {0} already; give an empty directory, or move what is there aside")]
    NotEmpty(PathBuf),
    /// The directory or a file in it cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is of another application.
    #[error("the database is not Lastseat's; give a data directory of its own")]
    Foreign,
    /// A newer program wrote it.
    #[error("the database has schema version {found}, this program knows {known}: use the newer program")]
    Newer {
        /// The file's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The schema is older and this mode does not migrate.
    #[error("the database has schema version {found}, this program needs {known}: run `lastseat migrate`")]
    Older {
        /// The file's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The file is damaged.
    #[error("the database is damaged ({0}); restore a backup with `lastseat restore`")]
    Damaged(String),
    /// SQLite is too old.
    #[error("SQLite {0} can corrupt its log; 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// Anything else.
    #[error("cannot open the database: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::NotADatabase | Code::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

/// Bookings in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    vfs: Option<String>,
    clock: Clock,
    /// SQLite's setting `synchronous` of the connection that writes.
    synchronous: &'static str,
    readers: Mutex<Vec<Connection>>,
    /// Held as long as the store lives, in [`OpenMode::Serve`].
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the data in `dir`.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub fn open(dir: &Path, mode: OpenMode) -> Result<Self, OpenError> {
        Self::open_with(dir, mode, Clock::System, None)
    }

    /// As [`SqliteStore::open`], with a clock and a SQLite VFS of the caller's.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub fn open_with(dir: &Path, mode: OpenMode, clock: Clock, vfs: Option<&str>) -> Result<Self, OpenError> {
        Self::open_synchronous(dir, mode, clock, vfs, "FULL")
    }

    /// As [`SqliteStore::open_with`] to serve, but without syncing anything: a power cut loses bookings that
    /// were acknowledged. For tests only, which show by it that they would notice.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    #[doc(hidden)]
    pub fn open_unsynced(dir: &Path, clock: Clock, vfs: &str) -> Result<Self, OpenError> {
        Self::open_synchronous(dir, OpenMode::Serve, clock, Some(vfs), "OFF")
    }

    fn open_synchronous(
        dir: &Path,
        mode: OpenMode,
        clock: Clock,
        vfs: Option<&str>,
        synchronous: &'static str,
    ) -> Result<Self, OpenError> {
        if rusqlite::version_number() < MIN_SQLITE {
            return Err(OpenError::OldSqlite(rusqlite::version()));
        }
        let path = dir.join(FILE_NAME);
        let lock = match mode {
            OpenMode::Serve => Some(lock(dir)?),
            OpenMode::Read if vfs.is_none() && !path.exists() => {
                return Err(OpenError::Missing(dir.to_owned()));
            }
            OpenMode::Read => None,
        };
        let vfs = vfs.map(str::to_owned);
        let store = Self { path, vfs, clock, synchronous, readers: Mutex::default(), _lock: lock };
        match mode {
            OpenMode::Serve => {
                let mut writer = store.connect(true)?;
                migrate::migrate(&mut writer)?;
                crate::write::first_start(&writer)?;
            }
            OpenMode::Read => {
                let found = migrate::version(&store.connect(false)?)?;
                if found < migrate::SCHEMA_VERSION {
                    return Err(OpenError::Older { found, known: migrate::SCHEMA_VERSION });
                }
            }
        }
        Ok(store)
    }

    /// The version of SQLite that is compiled in.
    #[must_use]
    pub fn sqlite_version() -> &'static str {
        rusqlite::version()
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn connect(&self, writes: bool) -> Result<Connection, OpenError> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if writes {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        } else {
            // Read-write, so that a reader may recover the log after a crash; it never writes a row.
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(&self.path, flags)?,
        };
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A plan does not depend on values: or statements that use partial indexes are planned anew for each.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if writes {
            connection.pragma_update(None, "page_size", 4096)?;
            let mode: String =
                connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
            if mode != "wal" {
                return Err(OpenError::Damaged(format!("the journal mode is {mode}")));
            }
            connection.pragma_update(None, "synchronous", self.synchronous)?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        } else {
            crate::read::add_functions(&connection)?;
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        }
        Ok(connection)
    }

    pub(crate) fn idle(&self, connection: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if readers.len() < MAX_IDLE_READERS {
            readers.push(connection);
        }
    }
}

/// Takes a data directory for this process alone, as a server does, until the file is dropped.
///
/// # Errors
/// [`OpenError::InUse`] if a server has it, [`OpenError::Io`] if there is no such directory to be used.
pub fn lock(dir: &Path) -> Result<File, OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    std::fs::create_dir_all(dir).map_err(io(dir))?;
    let path = dir.join(LOCK_NAME);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

impl Store for SqliteStore {
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError> {
        let connection = self.connect(true).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Box::new(SqliteLane::new(connection, self.clock.clone())?))
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect(false).map_err(|error| StoreError::Unavailable(error.to_string()))?,
        };
        connection.execute_batch("BEGIN").map_err(store_error)?;
        Ok(Box::new(SqliteRead::new(self, connection, self.clock.now())))
    }

    fn clock(&self) -> Time {
        self.clock.now()
    }
}
