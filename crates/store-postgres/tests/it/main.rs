//! The PostgreSQL store on a real PostgreSQL, which the tests start.
#![allow(clippy::unwrap_used, reason = "tests")]

mod conformance;
mod files;
mod follow;
mod optimistic;
mod servers;
mod statements;
