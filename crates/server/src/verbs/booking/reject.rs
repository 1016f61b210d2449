//! `lastseat booking reject`.

use super::One;
use crate::failure::Failure;

/// Reject a booking whose receipt is in review; the customer reads the reason
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  lastseat booking reject 7K3QW9ZD --reason \"The receipt is of another payment.\""
)]
pub(crate) struct Args {
    #[command(flatten)]
    one: One,
    /// Why
    #[arg(long, value_name = "TEXT", required = true)]
    reason: String,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    args.one.act("reject", &super::reason(Some(&args.reason))).await
}
