//! Several real nodes on one PostgreSQL, under load, and what can happen to them.
//!
//! - `shop`: a database and its nodes
//! - `wares`: the listings that are sold; `load`: clients that remember what they were told; `told`: from answers to the
//!   terms of the checker of histories
//! - `finale`: what must hold in the end
//! - `../waiting`: people who wait for what is sold out, and the same for them
//! - `dice`: what is random, from a seed that is printed. `LASTSEAT_TEST_SEED` sets it; `LASTSEAT_TEST_SECONDS` makes the
//!   load last longer.
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../real/mod.rs"]
mod real;
#[path = "../waiting/mod.rs"]
mod waiting;

mod dice;
mod finale;
mod load;
mod shop;
mod told;
mod wares;

mod bad_input;
mod database_down;
mod exhausted;
mod failover;
mod feed;
mod first_start;
mod follows;
mod kills;
mod late_commit;
mod stopped_node;
mod supposed;
mod tls;
mod waits;
