//! A connection with its settings and prepared statements.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use lastseat_store::StoreError;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Statement};

use crate::error::{OpenError, ends_session, store_error, text};
use crate::target::Target;
use crate::tls::trouble;

/// How long an exchange with the database may take before the connection is given up.
pub(crate) const EXCHANGE_LIMIT: Duration = Duration::from_secs(15);

/// How long a reader waits: a little longer than the server lets its statements run, for a server that has stopped.
const READ_LIMIT: Duration = Duration::from_secs(65);

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// To run batches. Others wait for its locks: it must not sit on them.
    Lane,
    /// To ask.
    Reader,
    /// To migrate, copy or settle something.
    Chore,
}

impl Purpose {
    pub(crate) const fn settings(self) -> &'static str {
        match self {
            // Plans are made for arrays of unknown length; a table that was small when the plan was made must not keep
            // being read from end to end.
            Self::Lane => {
                "SET jit = off; SET idle_in_transaction_session_timeout = 2500; SET lock_timeout = 5000; SET statement_timeout = 10000; \
                 SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off; \
                 SET plan_cache_mode = force_generic_plan; SET synchronous_commit = on; \
                 SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off"
            }
            Self::Reader => {
                "SET jit = off; SET idle_in_transaction_session_timeout = 60000; SET statement_timeout = 60000; SET enable_seqscan = off; \
                 SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on"
            }
            Self::Chore => {
                "SET jit = off; SET enable_seqscan = off; SET idle_in_transaction_session_timeout = 60000; SET lock_timeout = 2000; \
                 SET statement_timeout = 0; \
                 SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'; \
                 SET default_transaction_read_only = off"
            }
        }
    }
}

/// What moves the bytes of a connection.
enum Driver {
    /// The thread that asks, while it asks: nobody has to be woken.
    Own(Runtime),
    /// A thread of the store's, and how long is waited for it. For threads that must not run a runtime of their own.
    Shared(Handle, Option<Duration>),
}

/// A connection, asked by one thread at a time, which waits.
pub(crate) struct Connection {
    pub(crate) client: Arc<Client>,
    driver: Driver,
    statements: HashMap<&'static str, Statement>,
    /// Whether the server has said that a commit is not where it should be.
    unreplicated: Arc<AtomicBool>,
    /// Whether it is of no more use, although it may still stand.
    spoilt: Cell<bool>,
}

impl Connection {
    /// Connects on a runtime of this connection's own. Not from within asynchronous code.
    pub(crate) fn open_own(target: &Target, purpose: Purpose) -> Result<Self, OpenError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| other(target, &error))?;
        let handle = runtime.handle().clone();
        let (client, unreplicated) = runtime.block_on(connect(target, purpose, handle))?;
        Ok(Self::new(client, Driver::Own(runtime), unreplicated))
    }

    /// Connects on the store's runtime.
    pub(crate) fn open_shared(
        target: &Target,
        purpose: Purpose,
        runtime: &Handle,
    ) -> Result<Self, OpenError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let (to, spawn_on) = (target.clone(), runtime.clone());
        runtime.spawn(async move {
            // Who asked may have gone.
            let _ = sender.send(connect(&to, purpose, spawn_on).await);
        });
        let gone = |_| OpenError::Other { target: target.to_string(), why: "the store is closed".to_owned() };
        let (client, unreplicated) = receiver.recv().map_err(gone)??;
        let limit = (purpose == Purpose::Reader).then_some(READ_LIMIT);
        Ok(Self::new(client, Driver::Shared(runtime.clone(), limit), unreplicated))
    }

    fn new(client: Client, driver: Driver, unreplicated: Arc<AtomicBool>) -> Self {
        Self {
            client: Arc::new(client),
            driver,
            statements: HashMap::new(),
            unreplicated,
            spoilt: Cell::new(false),
        }
    }

    /// Whether it can still be used.
    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed() && !self.spoilt.get()
    }

    /// Sees to it that it is not used again.
    pub(crate) fn spoil(&self) {
        self.spoilt.set(true);
    }

    /// Whether the server has said, since this was last asked, that it stopped waiting for a standby: the commit is
    /// on its own disk, but may be lost with it.
    pub(crate) fn take_unreplicated(&self) -> bool {
        self.unreplicated.swap(false, Ordering::SeqCst)
    }

    /// Waits for an answer, as long as one may take.
    pub(crate) fn wait<T>(&self, asked: impl Future<Output = T>) -> Result<T, StoreError> {
        let late = |_| StoreError::Unavailable("the database did not answer in time".to_owned());
        match &self.driver {
            Driver::Own(runtime) => {
                runtime.block_on(async { tokio::time::timeout(EXCHANGE_LIMIT, asked).await }).map_err(late)
            }
            Driver::Shared(runtime, Some(limit)) => {
                let _timers = runtime.enter();
                let answered = futures_executor::block_on(tokio::time::timeout(*limit, asked));
                answered.inspect_err(|_| self.spoil()).map_err(late)
            }
            // Chores may wait for a migration, or copy for long. The server ends what takes too long.
            Driver::Shared(_, None) => Ok(futures_executor::block_on(asked)),
        }
    }

    /// Begins to ask something: the question is on its way when this returns, before any that comes later. The answer comes
    /// in while something else is waited for. For connections with a runtime of their own.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        asked: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let Driver::Own(runtime) = &self.driver else { unreachable!("only lanes write") };
        let begun = runtime.spawn(asked);
        // Lets those run who put the question together and send it.
        runtime.block_on(tokio::task::yield_now());
        begun
    }

    /// Waits for an answer that may be an error of the database's.
    pub(crate) fn ask<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.check(self.wait(asked)?)
    }

    /// An answer, with what its error means.
    pub(crate) fn check<T>(&self, answer: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        answer.map_err(|error| {
            if ends_session(&error) {
                self.spoil();
            }
            store_error(error)
        })
    }

    /// A statement by its text, prepared once.
    pub(crate) fn statement(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.ask(self.client.prepare(sql))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Prepares many at once.
    pub(crate) fn prepare(&mut self, all: &[&'static str]) -> Result<(), StoreError> {
        let prepared = self.ask(try_join_all(all.iter().map(|sql| self.client.prepare(sql))))?;
        self.statements.extend(all.iter().copied().zip(prepared));
        Ok(())
    }

    /// A statement that was prepared at the start.
    pub(crate) fn prepared(&self, sql: &'static str) -> &Statement {
        &self.statements[sql]
    }
}

fn other(target: &Target, why: &dyn std::fmt::Display) -> OpenError {
    OpenError::Other { target: target.to_string(), why: why.to_string() }
}

async fn connect(
    target: &Target,
    purpose: Purpose,
    runtime: Handle,
) -> Result<(Client, Arc<AtomicBool>), OpenError> {
    let failed = |error: tokio_postgres::Error| open_error(target, &error);
    let (client, mut connection) = target.connect().await?;
    let unreplicated = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&unreplicated);
    runtime.spawn(async move {
        loop {
            match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notice(notice))) => {
                    // What a commit says that gave up waiting for a standby: it is durable here and perhaps nowhere else.
                    if [&SqlState::WARNING, &SqlState::ADMIN_SHUTDOWN].contains(&notice.code()) {
                        noted.store(true, Ordering::SeqCst);
                        tracing::warn!(code = notice.code().code(), "PostgreSQL: {}", notice.message());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tracing::debug!(error = text(&error), "a connection to PostgreSQL was lost");
                    return;
                }
                None => return,
            }
        }
    });
    client.batch_execute(purpose.settings()).await.map_err(failed)?;
    Ok((client, unreplicated))
}

/// Why there is no connection.
pub(crate) fn open_error(target: &Target, error: &tokio_postgres::Error) -> OpenError {
    let (target, why) = (target.to_string(), text(error));
    if let Some(why) = trouble(error) {
        return OpenError::Tls { target, why };
    }
    match error.code() {
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => OpenError::ReadOnly(target),
        Some(code) if code.code().starts_with("28") || code == &SqlState::INVALID_CATALOG_NAME => {
            OpenError::Refused { target, why }
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => OpenError::Forbidden { target, why },
        Some(_) => OpenError::Other { target, why },
        None if why.contains("read-write") || why.contains("read only") => OpenError::ReadOnly(target),
        None if why.contains("password") || why.contains("authentication") => {
            OpenError::Refused { target, why }
        }
        None => OpenError::Unreachable { target, why },
    }
}
