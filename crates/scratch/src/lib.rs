//! PostgreSQL and Redis servers in temporary directories, for the race laboratory and for tests.
//!
//! - [`Postgres`]: a PostgreSQL cluster that syncs as a real one does, to be stopped hard, started again, followed by
//!   replicas.
//! - [`Redis`]: a Redis server that syncs every write.
//! - [`Proxy`]: a line to a server that is longer than it is, and that breaks on demand.
//! - [`Process`]: a child process whose output is collected; what the servers are made of.
//! - [`free_port`], [`tool`], [`wait_until`], [`wait_until_async`]: what starting servers needs.
//!
//! Everything that is started here is stopped again when its value is dropped, and also when the process that holds the
//! value is killed: `Sentinel` sees to that. Starting and stopping block the calling thread.
//!
//! To add a server: a file like `redis.rs`, with its directory first guarded by a `Sentinel`, its port from
//! [`free_port`], and its program from [`tool`].

mod ports;
mod postgres;
mod private_dir;
mod process;
mod proxy;
mod redis;
mod sentinel;
mod tool;
mod wait;

pub use ports::free_port;
pub use postgres::{Postgres, PostgresBuilder, Replication, Row};
pub use process::Process;
pub use proxy::{Fault, Flow, Proxy};
pub use redis::{Redis, RedisBuilder};
pub use tool::tool;
pub use wait::{wait_until, wait_until_async};
