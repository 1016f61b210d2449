//! The real binary, killed under load, and on a disk without room.
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../nodes/dice.rs"]
mod dice;
#[path = "../real/mod.rs"]
mod real;
#[path = "../waiting/mod.rs"]
mod waiting;

mod clients;
mod full_disk;
mod kills;
mod waits;
