//! Load generators, the race laboratory, and what the benchmark report measures with.
//!
//! - [`crowd`]: N customers at the same instant
//! - [`book`]: open-loop load at a rate
//! - [`race`]: strategies against overselling, side by side
//! - [`load`]: the HTTP client under them; [`embedded`]: the engine without one
//! - [`ask`], [`inventory`]: what a listing offers, and what the server says was taken
//! - [`tally`], [`latency`]: counting answers and waiting times; [`text`]: numbers for people; [`disk`]: whether syncing
//!   means anything
//!
//! The commonest change is another strategy for the race: a file beside `race/for_update.rs` and its name in
//! [`race::Strategy`].

pub mod ask;
pub mod book;
pub mod crowd;
pub mod disk;
pub mod embedded;
#[cfg(test)]
mod fake;
pub mod inventory;
pub mod latency;
pub mod load;
pub mod race;
pub mod tally;
pub mod text;

use std::time::Duration;

/// How long availability may lag behind the commits, with a margin: what a server says was sold is asked after this.
const SETTLING: Duration = Duration::from_millis(400);

/// A text that sets the idempotency keys of this run apart from those of every other.
fn scope() -> String {
    format!("bench-{:032x}", lastseat_engine::ids::bits())
}
