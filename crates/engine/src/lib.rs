//! The engine: the one place where rules and rows meet.
//!
//! A command goes into a bounded queue; the [`lane`] takes everything that waits there as one batch;
//! [`batch`] loads what it names, lets the core decide, and writes the difference in one transaction; then
//! each caller gets its own answer. While a transaction is in flight the next batch gathers by itself:
//! nothing waits on a timer, and the hotter a pool, the larger the batch.
//!
//! - [`batch`]: one batch, without threads; what simulations drive
//! - `load`: what a batch has to know before it can decide
//! - [`lane`]: the thread that runs batches and does what is due
//! - [`engine`]: what adapters call
//! - [`query`], [`availability`]: questions, answered from snapshots, settled
//! - [`catalog`]: listings and keys in memory
//! - [`follow`]: what other nodes commit
//! - [`ids`]: the one place where randomness is drawn
//! - [`metrics`]: what is counted
//!
//! The commonest change is a new question: a method in `query.rs` and one in the store's `Read`.

pub mod availability;
pub mod batch;
mod catalog;
mod engine;
mod follow;
pub mod ids;
mod lane;
mod load;
pub mod metrics;
mod query;

pub use availability::{Availability, PoolAvailability};
pub use engine::{Done, DueWorker, Engine, EngineConfig};
pub use lane::Committed;
pub use metrics::Metrics;
pub use query::{BookingQuery, WaitlistEntry};
