//! Pages over HTTP, as browsers without any script use them: forms are filled in and sent with what they carry.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod admin;
mod booking;
mod choosing;
mod editing;
mod html;
mod listing;
mod person;
mod removing;
mod start;
#[path = "../api/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the API")]
mod support;
mod waiting;
mod waitlist;
