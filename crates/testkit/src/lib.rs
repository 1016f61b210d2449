//! What Lastseat's tests stand on; no part of the product.
//!
//! - [`TestServer`]: the real `lastseat` binary on a data directory of its own, to be killed and started again.
//! - [`Browser`]: Debian's Chromium, driven over WebDriver, as a phone or a desktop, light or dark.
//! - [`Postgres`], [`Redis`], [`Proxy`]: servers in directories of their own, and a line to them that can be made longer
//!   and broken; from `lastseat-scratch`.
//! - [`Authority`]: certificates for servers and clients.
//! - [`S3`]: an object store that checks signatures.
//! - [`vfs`]: a disk that loses power, under SQLite.
//! - [`wait_until`], [`wait_until_async`], [`free_port`]: what every such test needs.
//!
//! Everything that is started here is stopped again when its value is dropped. Starting, restarting and terminating
//! block the calling thread: an async test that has work of its own to do meanwhile needs a runtime with more than
//! one thread (`#[tokio::test(flavor = "multi_thread")]`).

mod browser;
mod certificates;
mod paths;
mod s3;
mod server;
pub mod vfs;

pub use browser::{Browser, Session, Theme, Window};
pub use certificates::{Authority, Certificate};
pub use lastseat_scratch::{
    Fault, Flow, Postgres, PostgresBuilder, Proxy, Redis, RedisBuilder, Replication, free_port, wait_until,
    wait_until_async,
};
pub use paths::{lastseat_command, python_tool, target_dir};
pub use s3::S3;
pub use server::{ServerBuilder, TestServer};

/// The `thirtyfour` crate that [`Session`] derefs into, so that tests use the same version.
pub use thirtyfour;

/// An HTTP client for servers on this machine: no proxy, and no answer is waited for longer than ten seconds.
///
/// # Errors
/// When the client cannot be set up.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    /// How long a test waits for one answer.
    const ANSWER_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);
    Ok(reqwest::Client::builder().no_proxy().timeout(ANSWER_DEADLINE).build()?)
}
