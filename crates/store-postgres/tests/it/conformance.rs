//! It passes the suite of all stores.

use std::sync::Arc;

use lastseat_store::Store;
use lastseat_store::memory::TestClock;
use lastseat_store_postgres::Clock;

use crate::servers::{empty_database, node};

fn empty(clock: &TestClock) -> Arc<dyn Store> {
    Arc::new(node(&empty_database(), Clock::Fixed(clock.shared_millis())))
}

lastseat_store::store_conformance!(empty);
