//! Time never sells twice and never locks out: clock changes, leap days, deadlines that nobody was awake for.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../common/mod.rs"]
mod common;

mod deadlines;
mod first_look;
mod nights;
mod slots;
