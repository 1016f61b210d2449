//! `lastseat key revoke`.

use reqwest::Method;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

/// Take an API key out of force, at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat key revoke key_01h455vb4pex5vsknk084sn02q")]
pub(crate) struct Args {
    /// The key's id; not the key itself
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ClientOptions,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let id = crate::verbs::booking::segment(&args.id, "key", "key_...")?;
    client.send(client.request(Method::DELETE, &format!("v1/keys/{id}"))?).await?;
    output::say(&format!("revoked {id}"));
    Ok(())
}
