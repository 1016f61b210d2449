//! Bookings in PostgreSQL: the store of several nodes.
//!
//! - [`store`]: what is opened with a URL, and the pool of readers
//! - [`connection`]: a connection with its settings and prepared statements; [`target`]: where to;
//!   [`tls`]: unseen by others
//! - [`migrate`]: the schema and its versions
//! - [`sql`]: every statement, each with a name
//! - [`row`]: from rows to the core's types
//! - [`lane`], [`tx`], [`mod@write`]: one batch, one transaction; [`optimistic`]: one that reads nothing first
//! - [`waiting`]: those who wait, a portion at a time
//! - [`known`]: what a lane knows from its last batches
//! - [`read`]: questions on snapshots
//! - [`page`]: what checks ask of many bookings, one after the other
//! - [`follow`]: what other nodes commit, and the order of the event log
//! - [`files`]: receipts in a table
//! - [`mod@copy`]: everything in a database, carried elsewhere and back
//! - [`mod@inspect`]: what there is to know of a server before one relies on it
//! - [`clock`]: the database's clock, as a node knows it
//!
//! A transaction first locks the rows in `inventory` of the listings that its commands name, in the order of their
//! numbers. That row stands for everything that belongs to the listing: whoever has it may read and write bookings,
//! holds, pools and customers of that listing as if nobody else were there. What belongs to no listing comes after:
//! addresses, then idempotency keys, each in order. A batch is two exchanges with the database: lock and load, then
//! write and commit. New bookings of one listing need one exchange only, where there is room.
//!
//! The commonest change is a new column: a migration, then `sql.rs`, `row.rs` and `write/`.

mod clock;
mod connection;
mod copy;
mod error;
mod files;
mod follow;
mod inspect;
mod known;
mod lane;
mod migrate;
mod optimistic;
mod page;
mod read;
mod row;
mod sql;
mod store;
mod target;
mod tls;
mod tx;
mod waiting;
mod write;

pub use clock::Clock;
pub use copy::{Alone, PgSource, PgTarget};
pub use error::OpenError;
pub use files::PgFiles;
pub use inspect::{Inspection, inspect};
pub use migrate::{FirstStart, SCHEMA_VERSION};
pub use store::{OpenMode, PgStore};
pub use target::Target;
pub use tokio_postgres_rustls::MakeRustlsConnect as Tls;
