//! What PostgreSQL's errors mean.

use lastseat_store::StoreError;
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Why the data cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The URL makes no sense.
    #[error(
        "the database URL cannot be used: {0}; it looks like postgres://user:password@host:5432/database"
    )]
    Url(String),
    /// Nobody answers there.
    #[error("cannot reach PostgreSQL at {target}: {why}; check the address, and that the server runs")]
    Unreachable {
        /// Where, without secrets.
        target: String,
        /// Why.
        why: String,
    },
    /// It cannot be spoken with in secret, or is not the one it should be.
    #[error("cannot speak TLS with PostgreSQL at {target}: {why}")]
    Tls {
        /// Where, without secrets.
        target: String,
        /// Why, and what to do.
        why: String,
    },
    /// The server does not let us in.
    #[error(
        "PostgreSQL at {target} refuses to let us in: {why}; check user, password and database of the URL"
    )]
    Refused {
        /// Where, without secrets.
        target: String,
        /// Why.
        why: String,
    },
    /// The user may not do what has to be done.
    #[error(
        "PostgreSQL at {target} says {why}; the user needs a database of its own: ALTER DATABASE ... OWNER TO ..., or GRANT CREATE ON SCHEMA public TO ..."
    )]
    Forbidden {
        /// Where, without secrets.
        target: String,
        /// Why.
        why: String,
    },
    /// It is a standby.
    #[error(
        "PostgreSQL at {0} is read-only, a standby perhaps; name the primary, or all hosts and target_session_attrs=read-write"
    )]
    ReadOnly(String),
    /// The database is of another application.
    #[error(
        "the database {0} holds tables of another application; give Lastseat a database of its own (CREATE DATABASE lastseat)"
    )]
    Foreign(String),
    /// There is nothing.
    #[error(
        "there are no tables of Lastseat in the database {0}; `lastseat serve --database-url` makes them"
    )]
    Missing(String),
    /// There is something where nothing may be.
    #[error("there are bookings, listings or keys in the database {0} already; give an empty database")]
    NotEmpty(String),
    /// Nodes serve it, or a copy is being made.
    #[error("nodes of Lastseat, or another copy, use the database {0}; stop all of them first")]
    InUse(String),
    /// A newer program wrote it.
    #[error("the database has schema version {found}, this program knows {known}: use the newer program")]
    Newer {
        /// The database's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The schema is older and this mode does not migrate.
    #[error("the database has schema version {found}, this program needs {known}: run `lastseat migrate`")]
    Older {
        /// The database's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// PostgreSQL is too old.
    #[error("PostgreSQL {0} is too old; 15 or newer is needed")]
    OldServer(String),
    /// Anything else.
    #[error("cannot use the database {target}: {why}")]
    Other {
        /// Where, without secrets.
        target: String,
        /// Why.
        why: String,
    },
}

/// What an error says, with its causes, and without the parameters of statements.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", db.message(), db.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// Unique rows that another node may have made in the meantime: who finds one taken looks again.
const CONTESTED: [&str; 3] = ["idempotency_pkey", "imports_pkey", "customers_pkey"];

/// What an error means for the engine.
#[allow(clippy::needless_pass_by_value, reason = "it is used in map_err")]
pub(crate) fn store_error(error: tokio_postgres::Error) -> StoreError {
    let Some(db) = error.as_db_error() else {
        return StoreError::Unavailable(text(&error));
    };
    let text = text(&error);
    match db.code() {
        &SqlState::DISK_FULL => StoreError::Full,
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => StoreError::Conflict(text),
        &SqlState::UNIQUE_VIOLATION if db.constraint().is_some_and(|name| CONTESTED.contains(&name)) => {
            StoreError::Conflict(text)
        }
        code if code.code().starts_with("22") || code.code().starts_with("23") => StoreError::BadData(text),
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => StoreError::Corrupt(text),
        _ => StoreError::Unavailable(text),
    }
}

/// A value that was read and makes no sense.
#[allow(clippy::needless_pass_by_value, reason = "it is used in map_err")]
pub(crate) fn unreadable(error: tokio_postgres::Error) -> StoreError {
    StoreError::Corrupt(text(&error))
}

/// Whether the session is of no more use: the server has ended it, or it is one that may not write.
pub(crate) fn ends_session(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error.as_db_error().is_none_or(|db| {
            db.code() == &SqlState::READ_ONLY_SQL_TRANSACTION
                || db.code().code().starts_with("57P")
                || db.code().code().starts_with("08")
                || db.code() == &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        })
}
