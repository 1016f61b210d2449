//! A server from its start to its end: data directory, engine, listener, and what runs beside them.
//!
//! - [`admin_key`]: the key of the first start
//! - [`audit`]: the background auditor
//! - [`leftovers`]: receipts that no booking names
//! - [`files`]: receipts in a bucket
//! - [`background`]: threads that work now and then, below everything else
//! - [`signals`]: when to stop

mod admin_key;
mod audit;
mod background;
pub(crate) mod files;
#[cfg(test)]
mod fixture;
mod leftovers;
mod signals;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lastseat_engine::{Engine, EngineConfig};
use lastseat_http::receipts::{Bucket, ReceiptStore};
use lastseat_http::{AppState, HttpConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::place::Place;
pub(crate) use admin_key::AdminKey;
use background::Background;
pub(crate) use signals::{EXIT_CODE, Signals};

/// What a server needs to know.
pub(crate) struct Settings {
    /// Where the bookings are.
    pub(crate) place: Place,
    /// Where receipts are, if not beside them.
    pub(crate) files: Option<Bucket>,
    /// The data directory, for what is not in a database.
    pub(crate) data: PathBuf,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The HTTP side.
    pub(crate) http: HttpConfig,
    /// The engine.
    pub(crate) engine: EngineConfig,
    /// The pause between two checks of the auditor; none if it is not to run.
    pub(crate) audit_every: Option<Duration>,
    /// The admin key, if it is not to be random.
    pub(crate) admin_key: Option<AdminKey>,
}

/// A server that listens.
pub(crate) struct Running {
    state: AppState,
    address: SocketAddr,
    http: JoinHandle<std::io::Result<()>>,
    background: Vec<Background>,
    signals: Signals,
}

/// Starts a server. When this returns, it listens.
///
/// # Errors
/// With a sentence that says what is in the way.
pub(crate) async fn start(settings: Settings) -> Result<Running, Failure> {
    // From here on a signal waits until what is being made is whole.
    let signals = Signals::new()?;
    let mut http = settings.http;
    http.max_connections = allow_connections(http.max_connections);
    let bucket = match &settings.files {
        Some(bucket) => Some((bucket, files::reach(bucket).await?)),
        None => None,
    };
    let place = settings.place.clone();
    let (store, alone) = blocking(move || place.serve()).await?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!("cannot listen on {}; choose another address with --listen", settings.listen)
    })?;
    let address = listener.local_addr().context("cannot find the address that is listened on")?;
    let (started, config) = (Arc::clone(&store), settings.engine);
    let engine =
        blocking(move || Ok(Engine::start(started, config).context("cannot read the database")?)).await?;
    let receipts = match bucket {
        Some((bucket, receipts)) => {
            files::claim(bucket, &receipts, &engine, &settings.place).await?;
            receipts
        }
        None => settings.place.receipts()?,
    };
    admin_key::ensure(&engine, &settings.data, settings.admin_key.as_ref()).await?;
    drop(alone);

    let mut background = vec![leftovers::start(Arc::clone(&store), receipts.clone())?];
    if let Some(every) = settings.audit_every {
        background.push(audit::start(Arc::clone(&store), engine.clone(), every)?);
    }
    let state = AppState::new(engine, receipts, http);
    let http = tokio::spawn(lastseat_http::serve(listener, state.clone()));
    tracing::info!(
        address = %address,
        data = %settings.place,
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    Ok(Running { state, address, http, background, signals })
}

/// Does on a thread of its own what has to wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::unable(format_args!("the start broke down: {error}"))))
}

impl Running {
    /// Where it listens; the real port, where any free one was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.state.engine
    }

    /// Where receipts are.
    pub(crate) fn receipts(&self) -> &ReceiptStore {
        &self.state.receipts
    }

    /// Serves until SIGTERM or SIGINT, then lets what was begun finish. A second signal ends the program.
    ///
    /// # Errors
    /// `Unable`, if it ends by itself.
    pub(crate) async fn until_told(mut self) -> Result<(), Failure> {
        tokio::select! {
            ended = &mut self.http => return Err(ended_by_itself(ended)),
            name = self.signals.next() => tracing::info!(signal = name, "stopping; what was begun is finished first"),
        }
        let Self { state, http, background, mut signals, .. } = self;
        tokio::select! {
            done = stop(state, http, background) => done,
            name = signals.next() => {
                tracing::warn!(signal = name, "told again to stop: ending at once");
                std::process::exit(EXIT_CODE);
            }
        }
    }
}

/// Takes nothing new, lets what was begun finish, and stops.
async fn stop(
    state: AppState,
    http: JoinHandle<std::io::Result<()>>,
    background: Vec<Background>,
) -> Result<(), Failure> {
    state.closing.cancel();
    drop(background);
    let ended = http.await;
    state.engine.drain().await;
    ended.context("the HTTP side broke down")?.context("the HTTP side failed")?;
    tracing::info!("stopped");
    Ok(())
}

fn ended_by_itself(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Failure {
    let why = match ended {
        Ok(Ok(())) => "it stopped".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Failure::unable(format_args!("the HTTP side ended by itself: {why}"))
}

/// Each connection is an open file, and the usual soft limit of 1,024 is too low for a crowd. Raises it as far
/// as the hard limit lets it, and gives how many of `wanted` connections there can be then.
fn allow_connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// Files that are open besides connections.
    const OTHERS: usize = 256;
    let limit = getrlimit(Resource::Nofile);
    let files = u64::try_from(wanted.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    let raised = limit.maximum.map_or(files, |most| files.min(most));
    let Some(now) = limit.current.filter(|now| *now < files) else { return wanted };
    let allowed = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum })
    {
        Ok(()) => raised,
        Err(_) => now,
    };
    let connections =
        usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(OTHERS).clamp(1, wanted.max(1));
    if connections < wanted {
        tracing::info!(
            connections,
            wanted,
            open_files = allowed,
            "the limit on open files allows fewer connections"
        );
    }
    connections
}
