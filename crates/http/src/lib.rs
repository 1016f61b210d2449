//! Lastseat over HTTP: the REST API, live streams and pages.

pub mod config;
pub mod pages;
pub mod receipts;
pub mod state;

pub use config::{HttpConfig, Rate};
pub use state::AppState;
