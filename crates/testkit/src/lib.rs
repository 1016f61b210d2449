//! What Lastseat's tests stand on; no part of the product.

pub mod vfs;
