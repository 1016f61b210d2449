//! `lastseat waitlist list`.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{ClientOptions, count};
use crate::output;
use crate::table::table;

/// List who waits and waited in a listing, in the order of joining
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat waitlist list lst_01h455vb4pex5vsknk084sn02q")]
pub(crate) struct Args {
    /// The listing
    #[arg(value_name = "ID")]
    id: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = count)]
    limit: usize,
    #[command(flatten)]
    server: ClientOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let listing = crate::verbs::booking::segment(&args.id, "listing", "lst_...")?;
    let entries = client.list(&format!("v1/listings/{listing}/waitlist"), &[], args.limit).await?;
    if args.json {
        return output::json(&entries);
    }
    if entries.is_empty() {
        output::say("Nobody waits there.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    output::data(&table(&["STATE", "AHEAD", "SKIPPED", "SINCE", "WHAT", "CUSTOMER", "ID"], &rows))
}

fn row(entry: &Value) -> Vec<String> {
    let text = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    let customer = entry["customer"]["name"].as_str().unwrap_or("-").to_owned();
    vec![
        text("state"),
        entry["ahead"].to_string(),
        entry["skipped"].to_string(),
        text("created_at"),
        super::what(entry),
        customer,
        text("id"),
    ]
}
