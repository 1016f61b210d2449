//! What an operator may set about HTTP. The defaults set no rates: limits are for who needs them.

use std::num::NonZeroU32;

use http::HeaderName;

/// Connections at a time unless set otherwise. An idle one costs a few kilobytes and a file descriptor.
pub const DEFAULT_MAX_CONNECTIONS: usize = 20_000;

/// A rate: so many requests per second on average, and so many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Requests per second that are given back.
    pub per_second: NonZeroU32,
    /// Requests that may come at the same moment.
    pub burst: NonZeroU32,
}

/// Limits and addresses of the HTTP side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpConfig {
    /// Where people reach this server, without a slash at the end: `https://book.example.org`. Links in
    /// calendar files need it; without it they are left out.
    pub public_url: Option<String>,
    /// Rate of one address (IPv6: of its /64 network).
    pub rate_per_address: Option<Rate>,
    /// Rate of one API key.
    pub rate_per_key: Option<Rate>,
    /// Most unpaid bookings of one address in all listings. Requests with an API key are not counted: they
    /// act for many people.
    pub max_open_holds_per_address: Option<i64>,
    /// The header in which a proxy in front names the client's address, `x-forwarded-for` for example; its
    /// last entry counts. Only for servers that nobody reaches past the proxy: anybody can write a header.
    pub trusted_proxy_header: Option<HeaderName>,
    /// Most connections at a time; those beyond it are told `503` and closed.
    pub max_connections: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            public_url: None,
            rate_per_address: None,
            rate_per_key: None,
            max_open_holds_per_address: None,
            trusted_proxy_header: None,
            max_connections: DEFAULT_MAX_CONNECTIONS,
        }
    }
}
