//! One file per figure.

mod cache;
mod callers;
mod hot_pool;
mod http;
mod idle;
mod lapse;
mod millions;
mod pg_callers;
mod pg_idle;
mod pg_line;
mod pg_nodes;
mod pg_race;
mod stay;
mod waitlist;

use serde_json::json;

use crate::figure::Figure;
use crate::lab::Lab;

/// A figure, or several that are measured together.
pub(crate) struct Entry {
    /// Its name for `--only`.
    pub(crate) name: &'static str,
    /// What people read above it.
    pub(crate) title: &'static str,
    /// How it is measured, in a few sentences.
    pub(crate) how: &'static str,
    /// Measures it.
    pub(crate) measure: fn(&Lab) -> anyhow::Result<Vec<Figure>>,
}

/// All of them, in the order of the report.
pub(crate) const ALL: &[Entry] = &[
    hot_pool::ENTRY,
    callers::ENTRY,
    http::ENTRY,
    idle::ENTRY,
    millions::ENTRY,
    lapse::ENTRY,
    stay::ENTRY,
    waitlist::ENTRY,
    cache::ENTRY,
    pg_race::ENTRY,
    pg_callers::ENTRY,
    pg_idle::ENTRY,
    pg_nodes::ENTRY,
    pg_line::ENTRY,
];

/// How long holds last that are to outlive a measurement, in seconds.
const LONG_HOLD_SECONDS: u32 = 86_400;

/// Key of the pool `number` of a listing of [`places`].
pub(crate) fn pool_key(number: u64) -> String {
    format!("pool-{number}")
}

/// A listing with so many pools of places that are paid by receipt: each booking is a hold with a deadline, the dearest
/// kind to write.
pub(crate) fn places(pools: u64, capacity: i64) -> serde_json::Value {
    held_for(pools, capacity, LONG_HOLD_SECONDS)
}

/// The same with holds that last so long.
fn held_for(pools: u64, capacity: i64, hold_seconds: u32) -> serde_json::Value {
    let pool = |number| json!({"key": pool_key(number), "capacity": capacity, "price": 2_500});
    json!({
        "kind": "places", "title": "Benchmark", "city": "Berlin", "timezone": "Europe/Berlin", "currency": "EUR",
        "pools": (0..pools).map(pool).collect::<Vec<_>>(),
        "policy": {"payment": ["receipt"], "hold_seconds": hold_seconds},
    })
}
