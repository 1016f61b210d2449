//! `lastseat openapi`.

use crate::failure::Failure;
use crate::output;

/// Print the description of the REST API (OpenAPI 3.1)
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat openapi > openapi.json")]
pub(crate) struct Args {}

pub(crate) fn run() -> Result<(), Failure> {
    output::json(&lastseat_http::openapi())
}
