//! Bad input and bad company: each gets its clear answer, and costs nobody else anything.
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../real/mod.rs"]
mod real;

mod bodies;
mod bucket;
mod connections;
mod fields;
mod health;
mod ids;
mod precedence;
mod uploads;
