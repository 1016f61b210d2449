//! `lastseat listing list`.

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{ClientOptions, count};
use crate::output;

/// List listings
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat listing list --kind nights --city Berlin")]
pub(crate) struct Args {
    /// Only of this kind: places, nights, seats or slots
    #[arg(long, value_name = "KIND", value_parser = ["places", "nights", "seats", "slots"], hide_possible_values = true)]
    kind: Option<String>,
    /// Only in this city
    #[arg(long, value_name = "CITY")]
    city: Option<String>,
    /// Only with these words in their texts
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
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
    let query: Vec<(&str, String)> = [("kind", args.kind), ("city", args.city), ("q", args.search)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let listings = client.list("v1/listings", &query, args.limit).await?;
    if args.json {
        return output::json(&listings);
    }
    if listings.is_empty() {
        output::say("There are no listings that fit. `lastseat listing create` makes one.");
        return Ok(());
    }
    super::print(&listings)
}
