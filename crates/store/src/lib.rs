//! The line between rules and rows. A store loads what a batch names, writes what it changed, and answers
//! questions; it decides nothing.
//!
//! - [`Store`], [`Lane`], [`Tx`]: one batch, one transaction
//! - [`Read`]: questions, each on a snapshot of its own
//! - [`memory`]: a store in memory that fails on demand, for tests and simulations
//! - [`optimistic`]: a transaction that is decided on what a lane knows from before
//! - [`simulated`]: a database that several nodes share, with transactions that interleave
//! - [`columns`]: what is written the same way in every database
//! - [`mod@copy`]: everything as plain values, to be carried from one store to another
//! - [`conformance`]: the suite that every store passes
//! - [`verify`]: checks every rule on what a store holds
//!
//! The commonest change is a new column: add it to the row type in the core, to each store's load and
//! write, and to the suite.

pub mod columns;
pub mod conformance;
pub mod copy;
pub mod error;
pub mod memory;
pub mod optimistic;
pub mod read;
pub mod simulated;
pub mod tx;
pub mod verify;

pub use error::{CommitError, StoreError};
pub use read::{ApiKey, BookingFilter, Hold, ListingNumbers, Read, StoredEvent, Which};
pub use tx::{Follow, Followed, Lane, MANY_POOLS, Store, Tx};
