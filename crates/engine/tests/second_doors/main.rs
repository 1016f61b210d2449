//! Second doors: every other way to a place than the obvious one, each with several clients racing, in both
//! orders, in one transaction and in many. After each race the counters, the money and the log must be true.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../common/mod.rs"]
mod common;

mod calendar;
mod called_off;
mod capacity;
mod limits;
mod money;
mod reschedule;
mod review;
mod times;
