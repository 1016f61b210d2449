//! People who wait for what is sold out, while what serves them is killed. For the tests of several nodes and of one server.
//!
//! - `wares`: what is sold, and what can be wished of it
//! - `people`: they book, join, wait, leave, take up what they are offered or let it lapse, and remember what they were
//!   told
//! - `turns`: whose turn it was, by the event log
//! - `finale`: what must hold in the end

pub mod finale;
pub mod people;
mod turns;
pub mod wares;
