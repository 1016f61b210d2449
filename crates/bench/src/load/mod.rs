//! A lean HTTP/1.1 load client: keep-alive, one request in flight per connection, requests written once and stamped
//! with a number each time, answers read no further than status, length and refusal code. On a small machine the
//! generator shares its cores with the server, so what it costs would be booked on the server's account.
//!
//! - [`Address`]: where to, from a URL
//! - [`Template`]: the bytes of a request, and where its number stands in them
//! - [`answer`]: the little that is read of an answer
//! - [`Connection`]: one exchange after the other
//! - [`closed`]: so many connections, each asking again as soon as it is answered

pub mod address;
pub mod answer;
pub mod closed;
pub mod connection;
pub mod error;
pub mod limits;
pub mod template;

pub use address::Address;
pub use answer::Answer;
pub use connection::Connection;
pub use error::LoadError;
pub use template::{PLACEHOLDER, Template};
