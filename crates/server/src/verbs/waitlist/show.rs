//! `lastseat waitlist show`.

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

/// Show where an entry of a waitlist stands
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat waitlist show wtl_01h455vb4pex5vsknk084sn02q")]
pub(crate) struct Args {
    /// The entry
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let entry = client.get(&format!("v1/waitlist/{}", super::segment(&args.id)?)).await?;
    if args.json { output::json(&entry) } else { output::data(&format!("{}\n", super::standing(&entry))) }
}
