//! What can go wrong in a store.

use thiserror::Error;

/// Why a store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no room to write; reading goes on.
    #[error("the disk is full")]
    Full,
    /// The store cannot be reached or used at the moment.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Another node came between: nothing is wrong, and the same decided anew may succeed.
    #[error("another transaction came between: {0}")]
    Conflict(String),
    /// The data of the batch was refused by a constraint: some command in it is poison.
    #[error("the store refused the data: {0}")]
    BadData(String),
    /// What was read makes no sense.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// How a commit failed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Nothing of it is there, and nothing will be.
    #[error("the transaction was rolled back")]
    Aborted(#[source] StoreError),
    /// It may or may not be there; [`crate::Lane::was_committed`] finds out.
    #[error("it is not known whether the transaction was committed")]
    Unknown(#[source] StoreError),
}
