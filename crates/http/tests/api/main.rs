//! The API through a real server on a real file, mirroring its paths.

mod connections;
mod support;
mod system;
mod v1;
