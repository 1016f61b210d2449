//! The verbs of `cargo xtask`.

pub(crate) mod bench;
pub(crate) mod generate;
pub(crate) mod setup;
pub(crate) mod sim;
pub(crate) mod test;
