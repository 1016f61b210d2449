//! `lastseat booking approve`.

use serde_json::json;

use super::One;
use crate::failure::Failure;

/// Approve a booking whose receipt is in review: it is confirmed
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat booking approve 7K3QW9ZD")]
pub(crate) struct Args {
    #[command(flatten)]
    one: One,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    args.one.act("approve", &json!({})).await
}
