//! The real binary, killed under load, and on a disk without room.
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../real/mod.rs"]
mod real;

mod clients;
mod full_disk;
mod kills;
