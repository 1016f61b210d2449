//! `lastseat key list`.

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;
use crate::table::table;

/// List the API keys in force; the secrets are not kept
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ClientOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let keys = client.list("v1/keys", &[], usize::MAX).await?;
    if args.json {
        return output::json(&keys);
    }
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            let text = |field: &str| key[field].as_str().unwrap_or("-").to_owned();
            vec![text("id"), text("role"), text("created_at"), text("name")]
        })
        .collect();
    output::data(&table(&["ID", "ROLE", "CREATED", "NAME"], &rows))
}
