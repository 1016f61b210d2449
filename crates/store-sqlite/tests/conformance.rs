//! The SQLite store passes the suite of all stores.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use lastseat_core::time::Time;
use lastseat_store::memory::TestClock;
use lastseat_store::{Lane, Read, Store, StoreError};
use lastseat_store_sqlite::{Clock, OpenMode, SqliteStore};

/// A store in a directory that goes when the store goes.
struct InDirectory {
    store: SqliteStore,
    _dir: tempfile::TempDir,
}

impl Store for InDirectory {
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError> {
        self.store.lane()
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        self.store.reader()
    }

    fn clock(&self) -> Time {
        self.store.clock()
    }
}

fn empty(clock: &TestClock) -> Arc<dyn Store> {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::Fixed(clock.shared_millis());
    let store = SqliteStore::open_with(dir.path(), OpenMode::Serve, clock, None).unwrap();
    Arc::new(InDirectory { store, _dir: dir })
}

lastseat_store::store_conformance!(empty);
