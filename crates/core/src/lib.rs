//! The rules of Lastseat, pure: no input or output, no async, no clock, no randomness. Time and ids come in
//! as arguments; what happened comes out as values.
//!
//! Read in this order:
//!
//! - [`pool`], [`mod@line`], [`booking`]: what there is
//! - [`listing`]: the four kinds, which name pools and price them; [`calendar`] and [`seating`] behind them
//! - [`command`], [`refusal`], [`event`]: what can be asked, how it is refused, what is told afterwards
//! - [`form`]: where what clients write is wrong
//! - [`settle`]: what time alone does to a booking
//! - [`admission`]: the one way to capacity
//! - [`waitlist`]: who waits for what is sold out, and gets what comes free
//! - [`world`] and [`mod@decide`]: one command after the other on what a store has loaded
//!
//! The commonest change is a new command; `decide/mod.rs` says how.

pub mod admission;
pub mod booking;
pub mod calendar;
pub mod command;
pub mod customer;
pub mod decide;
pub mod event;
pub mod form;
pub mod id;
pub mod line;
pub mod listing;
pub mod numbers;
pub mod pool;
pub mod refusal;
pub mod seating;
pub mod secret;
pub mod settle;
pub mod time;
pub mod waitlist;
pub mod world;

pub use decide::{Outcome, decide};
