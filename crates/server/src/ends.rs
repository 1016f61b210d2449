//! The two ends of a copy: a place that is nobody else's meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lastseat_http::receipts::ReceiptStore;
use lastseat_store::Store;
use lastseat_store::copy::{Source, Target};
use lastseat_store_postgres::{self as postgres, Alone, PgStore};
use lastseat_store_sqlite::{self as sqlite, SqliteStore, SqliteTarget};

use crate::data_dir;
use crate::failure::Failure;
use crate::place::{Place, open, open_failure};

/// A place that no server uses as long as this lives.
pub(crate) struct End {
    place: Place,
    held: Held,
}

enum Held {
    Directory { dir: PathBuf, _lock: File },
    Database { store: Box<PgStore>, _alone: Box<Alone> },
}

impl End {
    /// A place with bookings in it.
    ///
    /// # Errors
    /// `Usage` if there is nothing, `Unable` if it is served or cannot be used.
    pub(crate) fn full(place: Place) -> Result<Self, Failure> {
        let held = match &place {
            Place::Directory(dir) => {
                SqliteStore::open(dir, sqlite::OpenMode::Read).map_err(data_dir::open_failure)?;
                hold_directory(dir)?
            }
            Place::Database(target) => {
                hold_database(target, open(&target.clone().for_copy(), postgres::OpenMode::Read)?)?
            }
        };
        Ok(Self { place, held })
    }

    /// A place that is to be filled. It is made if need be.
    ///
    /// # Errors
    /// `Usage` if it is another application's, `Unable` if it is served or cannot be used.
    pub(crate) fn to_fill(place: Place) -> Result<Self, Failure> {
        let held = match &place {
            Place::Directory(dir) => {
                data_dir::prepare(dir)?;
                hold_directory(dir)?
            }
            Place::Database(target) => {
                let copying = target.clone().for_copy();
                // One that is there is not migrated: it is not empty then.
                let store = match PgStore::open(copying.clone(), postgres::OpenMode::Read, 0) {
                    Err(postgres::OpenError::Missing(_)) => open(&copying, postgres::OpenMode::Serve)?,
                    opened => opened.map_err(open_failure)?,
                };
                hold_database(target, store)?
            }
        };
        Ok(Self { place, held })
    }

    /// For questions.
    pub(crate) fn look(&self) -> Result<Arc<dyn Store>, Failure> {
        self.place.look()
    }

    /// Everything that is there.
    pub(crate) fn source(&self) -> Result<Box<dyn Source>, Failure> {
        Ok(match &self.held {
            Held::Directory { dir, .. } => {
                let source = SqliteStore::open(dir, sqlite::OpenMode::Read).and_then(|store| store.source());
                Box::new(source.map_err(data_dir::open_failure)?)
            }
            Held::Database { store, .. } => Box::new(store.source().map_err(open_failure)?),
        })
    }

    /// Begins to fill it; none if there is something in it.
    pub(crate) fn target(&self) -> Result<Option<Box<dyn Target>>, Failure> {
        match &self.held {
            Held::Directory { dir, .. } => match SqliteTarget::begin(dir) {
                Ok(target) => Ok(Some(Box::new(target))),
                Err(sqlite::OpenError::NotEmpty(_)) => Ok(None),
                Err(error) => Err(data_dir::open_failure(error)),
            },
            Held::Database { store, .. } => match store.filling() {
                Ok(target) => Ok(Some(Box::new(target))),
                Err(postgres::OpenError::NotEmpty(_)) => Ok(None),
                Err(error) => Err(open_failure(error)),
            },
        }
    }

    /// Its receipts.
    pub(crate) fn receipts(&self) -> Result<ReceiptStore, Failure> {
        self.place.receipts()
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.place.fmt(f)
    }
}

fn hold_directory(dir: &Path) -> Result<Held, Failure> {
    let lock = sqlite::lock(dir).map_err(data_dir::open_failure)?;
    Ok(Held::Directory { dir: dir.to_owned(), _lock: lock })
}

/// Holds a database that nodes know as `target`.
fn hold_database(target: &postgres::Target, store: PgStore) -> Result<Held, Failure> {
    let alone = store.alone(target).map_err(open_failure)?;
    Ok(Held::Database { store: Box::new(store), _alone: Box::new(alone) })
}
