//! The API through a real server on a real file, mirroring its paths.

mod support;
mod v1;
