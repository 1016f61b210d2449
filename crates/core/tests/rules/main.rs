//! The rules of the core, from outside: each change from each state, and random sequences of all commands. A world
//! is kept loaded, and after each step everything that must never break is checked.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bench;
mod checks;
mod listing_edits;
mod money;
mod moves;
mod precedence;
mod random;
mod serving;
mod transitions;
mod waits;
