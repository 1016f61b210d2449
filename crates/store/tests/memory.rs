//! The store in memory passes the suite of all stores.

use std::sync::Arc;

use lastseat_store::Store;
use lastseat_store::memory::{Faults, MemoryStore, TestClock};

fn empty(clock: &TestClock) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(clock.clone(), Faults::default()))
}

lastseat_store::store_conformance!(empty);
