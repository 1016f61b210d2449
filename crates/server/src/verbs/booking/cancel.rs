//! `lastseat booking cancel`.

use super::One;
use crate::failure::Failure;

/// Cancel a booking; what was paid has to be paid back
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat booking cancel 7K3QW9ZD --reason \"Asked for by telephone.\"")]
pub(crate) struct Args {
    #[command(flatten)]
    one: One,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    args.one.act("cancel", &super::reason(args.reason.as_deref())).await
}
