//! A node of the simulated database passes the suite of all stores.

use std::sync::Arc;

use lastseat_store::Store;
use lastseat_store::memory::TestClock;
use lastseat_store::simulated::Cluster;

fn empty(clock: &TestClock) -> Arc<dyn Store> {
    Arc::new(Cluster::new(clock.clone()).node())
}

lastseat_store::store_conformance!(empty);
