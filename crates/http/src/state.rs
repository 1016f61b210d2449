//! What every handler is given. Cheap to clone: one reference count.

use std::ops::Deref;
use std::sync::Arc;

use lastseat_engine::Engine;
use tokio_util::sync::CancellationToken;

use crate::config::HttpConfig;
use crate::live::Hub;
use crate::receipts::ReceiptStore;
use crate::routes::listings::availability::Kept;
use crate::uploads::Uploads;

/// The state of the HTTP side: `state.engine`, `state.receipts`, `state.config`, `state.closing`.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What [`AppState`] shares.
pub struct Shared {
    /// The engine.
    pub engine: Engine,
    /// Where uploaded receipts are.
    pub receipts: ReceiptStore,
    /// What the operator has set.
    pub config: HttpConfig,
    /// Cancelled when the server is to stop: nothing new is accepted, live streams end, and `/readyz` says no.
    pub closing: CancellationToken,
    pub(crate) uploads: Uploads,
    pub(crate) live: Hub,
    pub(crate) availability: Kept,
}

impl AppState {
    /// The state of one server. To be called within a Tokio runtime.
    #[must_use]
    pub fn new(engine: Engine, receipts: ReceiptStore, config: HttpConfig) -> Self {
        let closing = CancellationToken::new();
        let live = Hub::start(&engine, &closing);
        let (uploads, availability) = (Uploads::default(), Kept::default());
        Self(Arc::new(Shared { engine, receipts, config, closing, uploads, live, availability }))
    }
}

impl Deref for AppState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}
