//! `lastseat verify`.

use crate::failure::Failure;
use crate::options::DataOptions;

/// Check every invariant on the data, also beside a running server
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.data.check()?;
    let _ = args.json;
    Ok(())
}
