//! One server per test process, and an empty database in it per test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

use lastseat_scratch::Postgres;
use lastseat_store_postgres::{Clock, OpenMode, PgStore, Target};

static SERVER: LazyLock<Mutex<Postgres>> = LazyLock::new(|| Mutex::new(Postgres::start().unwrap()));
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The URL of an empty database.
pub(crate) fn empty_database() -> String {
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    SERVER.lock().unwrap().create_database(&name).unwrap()
}

/// Runs SQL in a database by its URL.
pub(crate) fn sql(url: &str, text: &str) -> Vec<lastseat_scratch::Row> {
    let (_, database) = url.rsplit_once('/').unwrap();
    SERVER.lock().unwrap().sql(database, text).unwrap()
}

/// A node on a database.
pub(crate) fn node(url: &str, clock: Clock) -> PgStore {
    let target: Target = url.parse().unwrap();
    PgStore::open_with(target, OpenMode::Serve, NEXT.fetch_add(1, Ordering::Relaxed), clock).unwrap()
}
