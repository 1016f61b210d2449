//! What is opened with a URL.

use std::sync::{Arc, Mutex, PoisonError};

use lastseat_core::time::Time;
use lastseat_store::{Follow, Lane, Read, Store, StoreError};
use tokio::runtime::{Builder, Runtime};

use crate::clock::{Clock, KnownTime};
use crate::connection::{Connection, Purpose};
use crate::error::OpenError;
use crate::follow::{PgFollow, place};
use crate::lane::PgLane;
use crate::migrate::{self, FirstStart, Found, SCHEMA_VERSION};
use crate::read::PgRead;
use crate::row::get;
use crate::sql;
use crate::target::Target;

/// Idle connections that are kept for readers.
const MAX_IDLE: usize = 8;

/// What for the data is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// To serve, beside other nodes, migrating the schema.
    Serve,
    /// To look.
    Read,
}

/// What the connections of a store have in common.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) known: KnownTime,
    /// This life of this node: what it commits carries it. Not 0, which marks what no node has committed.
    pub(crate) node: i64,
}

/// Bookings in PostgreSQL.
pub struct PgStore {
    shared: Arc<Shared>,
    readers: Mutex<Vec<Connection>>,
    /// The connection that gives batches their places in the log when a reader asks for them.
    chores: Mutex<Option<Connection>>,
    /// Moves the bytes of readers. Taken when the store is dropped.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for PgStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgStore").field("target", &self.shared.target).finish_non_exhaustive()
    }
}

impl Drop for PgStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl PgStore {
    /// Opens a database, as `node`: a random number that no other life of a node has. It waits for the database.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub fn open(target: Target, mode: OpenMode, node: u64) -> Result<Self, OpenError> {
        Self::open_with(target, mode, node, Clock::Database)
    }

    /// As [`PgStore::open`], with a clock of the caller's.
    ///
    /// # Errors
    /// With a sentence that says what to do.
    pub fn open_with(target: Target, mode: OpenMode, node: u64, clock: Clock) -> Result<Self, OpenError> {
        let builder =
            Builder::new_multi_thread().worker_threads(1).thread_name("postgres").enable_all().build();
        let runtime = builder
            .map_err(|error| OpenError::Other { target: target.to_string(), why: error.to_string() })?;
        let known = KnownTime::new(clock);
        let shared = Arc::new(Shared { target, known, node: node.max(1).cast_signed() });
        let store =
            Self { shared, readers: Mutex::default(), chores: Mutex::default(), runtime: Some(runtime) };
        let purpose = if mode == OpenMode::Serve { Purpose::Chore } else { Purpose::Reader };
        let connection = store.connect(purpose)?;
        match mode {
            OpenMode::Serve => drop(migrate::migrate(&connection, store.target())?),
            OpenMode::Read => match migrate::look(&connection, store.target())? {
                Found::Nothing => return Err(OpenError::Missing(store.target().to_string())),
                Found::Version(found) if found < SCHEMA_VERSION => {
                    return Err(OpenError::Older { found, known: SCHEMA_VERSION });
                }
                Found::Version(_) => {}
            },
        }
        Ok(store)
    }

    /// Where it is.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.shared.target
    }

    /// Waits until no other node is at its first start, and keeps them waiting until what this gives is dropped.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub fn first_start(&self) -> Result<FirstStart, OpenError> {
        FirstStart::wait(self.connect(Purpose::Chore)?, self.target())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn connect(&self, purpose: Purpose) -> Result<Connection, OpenError> {
        let runtime = self.runtime.as_ref().expect("taken on drop only");
        Connection::open_shared(&self.shared.target, purpose, runtime.handle())
    }

    pub(crate) fn idle(&self, connection: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < MAX_IDLE && connection.is_open() {
            readers.push(connection);
        }
    }

    /// Runs something on the connection for chores.
    pub(crate) fn chore<T>(
        &self,
        chore: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut chores = self.chores.lock().unwrap_or_else(PoisonError::into_inner);
        if chores.as_ref().is_none_or(|connection| !connection.is_open()) {
            let opened = self.connect(Purpose::Chore);
            *chores = Some(opened.map_err(|error| StoreError::Unavailable(error.to_string()))?);
        }
        chore(chores.as_mut().expect("it was made"))
    }
}

impl Store for PgStore {
    fn lane(&self) -> Result<Box<dyn Lane>, StoreError> {
        Ok(Box::new(PgLane::new(Arc::clone(&self.shared))))
    }

    fn reader(&self) -> Result<Box<dyn Read + '_>, StoreError> {
        loop {
            let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(idle) = idle else { break };
            // One that was closed while nobody looked is let go; the next may still stand.
            match PgRead::new(self, idle) {
                Ok(read) => return Ok(Box::new(read)),
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let fresh =
            self.connect(Purpose::Reader).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Box::new(PgRead::new(self, fresh)?))
    }

    fn clock(&self) -> Time {
        self.shared.known.now()
    }

    fn order_events(&self) -> Result<(), StoreError> {
        self.chore(place)
    }

    fn follow(&self) -> Result<Option<Box<dyn Follow>>, StoreError> {
        let place = self.chore(|connection| {
            let newest = connection.statement(sql::LAST_PLACE)?;
            get(&connection.ask(connection.client.query_one(&newest, &[]))?, 0)
        })?;
        Ok(Some(Box::new(PgFollow::new(Arc::clone(&self.shared), place))))
    }
}
