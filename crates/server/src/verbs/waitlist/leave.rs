//! `lastseat waitlist leave`.

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

/// Take somebody off a waitlist; what was offered goes to the next
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat waitlist leave wtl_01h455vb4pex5vsknk084sn02q")]
pub(crate) struct Args {
    /// The entry
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ClientOptions,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let id = super::segment(&args.id)?;
    let request = client.request(reqwest::Method::DELETE, &format!("v1/waitlist/{id}"))?;
    client.send(request).await?;
    output::say(&format!("{id} waits no more"));
    Ok(())
}
