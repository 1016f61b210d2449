//! The API through a real server on a real file, mirroring its paths.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

mod connections;
mod nonsense;
mod support;
mod system;
mod v1;
