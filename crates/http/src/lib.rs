//! Lastseat over HTTP: the REST API, live streams and pages.
//!
//! - [`state`], [`config`]: what every handler is given
//! - [`mod@app`]: all routes; [`mod@serve`]: the server around them
//! - `routes/`: the API, one endpoint per file
//! - [`view`]: rows as JSON
//! - [`problem`]: refusals as answers
//! - `auth.rs`, [`idempotency`], `params.rs`, `body/`, `respond.rs`, `cursor.rs`: the parts that endpoints are
//!   made of
//! - `live/`: what is pushed
//! - [`receipts`]: uploaded files
//! - [`pages`]: HTML for people
//!
//! The commonest change is a new endpoint: a file under `routes/` with its request, its handler and its
//! description, its line in the `router` of the folder, and its tests in the same place under `tests/`.

mod address;
mod app;
pub mod auth;
mod body;
pub mod config;
mod cursor;
pub mod idempotency;
mod limits;
mod live;
pub mod openapi;
pub mod pages;
mod params;
pub mod problem;
pub mod receipts;
mod respond;
mod routes;
pub mod serve;
pub mod state;
mod uploads;
pub mod view;

pub use address::Peer;
pub use app::app;
pub use config::{HttpConfig, Rate};
pub use openapi::openapi;
pub use problem::Problem;
pub use serve::serve;
pub use state::AppState;
