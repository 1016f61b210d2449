//! Power cuts and full disks under the engine: what was acknowledged is there, once.
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../common/mod.rs"]
mod common;

mod cuts;
mod full;
mod machine;
