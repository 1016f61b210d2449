//! Bookings in one SQLite file: the embedded store.
//!
//! - [`open`]: the data directory, its lock, the connections and their settings
//! - [`migrate`]: the schema and its versions
//! - [`sql`]: every statement, each with a name
//! - [`row`]: from rows to the core's types and back
//! - [`lane`], [`mod@write`]: one batch, one transaction
//! - [`keys`]: the idempotency keys, in memory
//! - [`read`]: questions on snapshots
//! - [`clock`]: the one place where the system's clock is read
//! - [`backup`]: a copy of the file, made while serving
//! - [`mod@copy`]: everything in the file, carried elsewhere and back
//! - [`mod@check`]: whether a file is damaged
//!
//! WAL, `synchronous=FULL`: a commit that was acknowledged survives a power cut. One connection writes and
//! checkpoints; readers have connections of their own.
//!
//! The commonest change is a new column: a migration, then `sql.rs`, `row.rs` and `write.rs`.

pub mod backup;
pub mod check;
pub mod clock;
mod copy;
mod keys;
mod lane;
mod migrate;
mod open;
mod read;
mod row;
mod sql;
mod waitlist;
mod write;

pub use backup::renew_epoch;
pub use check::check_file;
pub use clock::Clock;
pub use copy::{SqliteSource, SqliteTarget};
pub use migrate::SCHEMA_VERSION;
pub use open::{FILE_NAME, LOCK_NAME, OpenError, OpenMode, SqliteStore, lock};

use lastseat_store::StoreError;

/// What SQLite's errors mean for the engine.
fn store_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => StoreError::Full,
        Some(Code::ConstraintViolation | Code::TypeMismatch | Code::TooBig) => {
            StoreError::BadData(error.to_string())
        }
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreError::Corrupt(error.to_string()),
        Some(_) => StoreError::Unavailable(error.to_string()),
        None => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => StoreError::Corrupt(error.to_string()),
            other => StoreError::Unavailable(other.to_string()),
        },
    }
}
