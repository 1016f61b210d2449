//! What can go wrong between a load generator and a server.

use std::net::SocketAddr;

use thiserror::Error;

/// Why no answer was had.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The URL cannot be used.
    #[error("{url} is no address of a server: {why}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody took the connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where to.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The connection ended before the answer did.
    #[error("the server closed the connection before it had answered")]
    Closed,
    /// Reading or writing failed.
    #[error("the connection broke")]
    Io(#[from] std::io::Error),
    /// The answer is not HTTP/1.1, or uses a part of it that this client leaves out.
    #[error("the answer cannot be read: {0}")]
    Unreadable(&'static str),
}

impl LoadError {
    /// A word or two for a table of failures.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Url { .. } => "url",
            Self::Connect { .. } => "connect",
            Self::Closed => "closed",
            Self::Io(_) => "io",
            Self::Unreadable(_) => "unreadable",
        }
    }
}
