//! Histories that are wrong, written by hand: each is caught for what it is, and its corrected twin passes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bookings;
mod capacity;
mod keys;
mod story;
