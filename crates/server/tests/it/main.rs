//! The real binary, from the outside: each verb's success and refusal, and its exit code.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod admin_key;
mod backup;
mod bench;
mod bookings;
mod command_line;
mod configuration;
mod demo;
mod doctor;
mod import;
mod keys;
mod kit;
mod listings;
mod serving;
mod verify;
