//! The waitlist: whatever frees a place, the first who waits and fits gets it, in the same transaction.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../common/mod.rs"]
mod common;

mod crowd;
mod ends;
mod feeds;
mod groups;
mod joining;
mod large;
mod offers;
