//! Where the bookings are: in a data directory, or in a PostgreSQL database.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use lastseat_engine::ids;
use lastseat_http::receipts::ReceiptStore;
use lastseat_store::Store;
use lastseat_store_postgres::{self as postgres, FirstStart, PgFiles, PgStore, Target};
use lastseat_store_sqlite::{self as sqlite, SqliteStore};

use crate::data_dir;
use crate::failure::Failure;

/// Where the bookings are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In SQLite, in a directory of its own.
    Directory(PathBuf),
    /// In PostgreSQL.
    Database(Target),
}

/// A store that is served from, with what keeps other nodes from their first start until it is dropped.
pub(crate) type Served = (Arc<dyn Store>, Option<FirstStart>);

impl Place {
    /// Reads a data directory or a database's URL.
    ///
    /// # Errors
    /// `Usage`, if the URL makes no sense; it is not quoted.
    pub(crate) fn parse(place: PathBuf) -> Result<Self, Failure> {
        if let Some(url) = place.to_str().filter(|text| text.contains("://")) {
            return url.parse().map(Self::Database).map_err(open_failure);
        }
        if place.as_os_str().is_empty() {
            return Err(Failure::usage("a data directory or postgres://... is missing"));
        }
        Ok(Self::Directory(place))
    }

    /// Opens it to look, also beside running servers.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub(crate) fn look(&self) -> Result<Arc<dyn Store>, Failure> {
        Ok(match self {
            Self::Directory(dir) => {
                Arc::new(SqliteStore::open(dir, sqlite::OpenMode::Read).map_err(data_dir::open_failure)?)
            }
            Self::Database(target) => Arc::new(open(target, postgres::OpenMode::Read)?),
        })
    }

    /// Opens it to serve, migrating the schema if need be.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub(crate) fn serve(&self) -> Result<Served, Failure> {
        match self {
            Self::Directory(dir) => {
                data_dir::prepare(dir)?;
                let store =
                    SqliteStore::open(dir, sqlite::OpenMode::Serve).map_err(data_dir::open_failure)?;
                #[cfg(unix)]
                data_dir::warn_of_others(dir);
                Ok((Arc::new(store), None))
            }
            Self::Database(target) => {
                let store = open(target, postgres::OpenMode::Serve)?;
                let alone = store.first_start().map_err(open_failure)?;
                Ok((Arc::new(store), Some(alone)))
            }
        }
    }
}

impl Place {
    /// Where receipts are kept: beside the database, whatever it is.
    ///
    /// # Errors
    /// If there is no room for them.
    pub(crate) fn receipts(&self) -> Result<ReceiptStore, Failure> {
        match self {
            Self::Directory(dir) => Ok(ReceiptStore::open_folder(dir)
                .with_context(|| format!("cannot use the folder for receipts in {}", dir.display()))?),
            Self::Database(target) => Ok(ReceiptStore::over(Arc::new(PgFiles::new(target.clone())))),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(dir) => write!(f, "{}", dir.display()),
            Self::Database(target) => write!(f, "{target}"),
        }
    }
}

/// Opens a database, as a node that nobody was before.
pub(crate) fn open(target: &Target, mode: postgres::OpenMode) -> Result<PgStore, Failure> {
    let node = u64::try_from(ids::bits() >> 64).expect("half of the bits");
    PgStore::open(target.clone(), mode, node).map_err(open_failure)
}

/// What it means that a database cannot be opened: what somebody gave wrongly is wrong use, the rest could not be done.
pub(crate) fn open_failure(error: postgres::OpenError) -> Failure {
    use postgres::OpenError as Error;
    match error {
        Error::Url(_)
        | Error::Refused { .. }
        | Error::Forbidden { .. }
        | Error::ReadOnly(_)
        | Error::Foreign(_)
        | Error::NotEmpty(_)
        | Error::Missing(_) => Failure::usage(error),
        error => Failure::Unable(error.into()),
    }
}
