//! `lastseat booking list`.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::money::amount;
use crate::options::{ClientOptions, count};
use crate::output;
use crate::table::table;

const EXAMPLES: &str = "\
Examples:
  lastseat booking list --state in_review           what waits for a decision
  lastseat booking list --customer dilnoza --json";

/// List bookings, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = lastseat_core::booking::State::ALL.map(lastseat_core::booking::State::as_str))]
    state: Option<String>,
    /// Only of this listing
    #[arg(long, value_name = "ID")]
    listing: Option<String>,
    /// Only of customers with this in their name or address
    #[arg(long, value_name = "TEXT")]
    customer: Option<String>,
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
    let query: Vec<(&str, String)> =
        [("state", args.state), ("listing_id", args.listing), ("customer", args.customer)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
    let bookings = client.list("v1/bookings", &query, args.limit).await?;
    if args.json {
        return output::json(&bookings);
    }
    if bookings.is_empty() {
        output::say("There are no bookings that fit.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = bookings.iter().map(row).collect();
    output::data(&table(&["REFERENCE", "STATE", "DUE", "TOTAL", "WHAT", "CUSTOMER", "ID"], &rows))
}

fn row(booking: &Value) -> Vec<String> {
    let text = |field: &str| booking[field].as_str().unwrap_or("-").to_owned();
    let total = amount(booking["total"].as_i64().unwrap_or(0), &text("currency"));
    let customer = booking["customer"]["name"].as_str().unwrap_or("-").to_owned();
    vec![
        text("reference"),
        text("state"),
        text("due_at"),
        total,
        what(&booking["lines"]),
        customer,
        text("id"),
    ]
}

/// The first line, and how many more there are.
fn what(lines: &Value) -> String {
    let lines = lines.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(first) = lines.first() else { return "-".to_owned() };
    let text = format!("{} x {}", first["quantity"], first["pool"].as_str().unwrap_or("?"));
    if lines.len() > 1 { format!("{text} and {} more", lines.len() - 1) } else { text }
}
