//! `lastseat listing`: listings of a running server.

mod close;
mod create;
mod example;
mod list;

use clap::Subcommand;
use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::output;
use crate::table::table;

/// Create, list and close listings of a running server
#[derive(Debug, clap::Args)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(create::Args),
    List(list::Args),
    Close(close::Args),
    Example(example::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Create(args) => create::run(args).await,
        Verb::List(args) => list::run(args).await,
        Verb::Close(args) => close::run(args).await,
        Verb::Example(args) => example::run(&args),
    }
}

/// Prints listings as a table.
fn print(listings: &[Value]) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = listings
        .iter()
        .map(|listing| {
            let text = |field: &str| listing[field].as_str().unwrap_or("-").to_owned();
            let when = listing["starts_at"].as_str().map(str::to_owned).or_else(|| {
                let calendar = &listing["calendar"];
                Some(format!("{} to {}", calendar["from"].as_str()?, calendar["until"].as_str()?))
            });
            let when = when.unwrap_or_else(|| "any time".to_owned());
            vec![text("id"), text("kind"), text("status"), when, text("city"), text("title")]
        })
        .collect();
    output::data(&table(&["ID", "KIND", "STATUS", "WHEN", "CITY", "TITLE"], &rows))
}

/// Changes the status of a listing.
async fn set_status(client: &Client, id: &str, status: &str) -> Result<Value, Failure> {
    let path = format!("v1/listings/{}", segment(id)?);
    let request = client.request(reqwest::Method::PATCH, &path)?;
    client.json(request.json(&serde_json::json!({ "status": status }))).await
}

/// An id as a part of a path.
fn segment(id: &str) -> Result<&str, Failure> {
    super::booking::segment(id, "listing", "lst_...")
}
