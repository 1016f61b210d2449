//! `lastseat waitlist`: who waits for what is sold out on a running server.

mod join;
mod leave;
mod list;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::failure::Failure;

/// List, show, add and remove who waits for what is sold out
#[derive(Debug, clap::Args)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::Args),
    Show(show::Args),
    Join(join::Args),
    Leave(leave::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::List(args) => list::run(args).await,
        Verb::Show(args) => show::run(args).await,
        Verb::Join(args) => join::run(args).await,
        Verb::Leave(args) => leave::run(args).await,
    }
}

/// The id of an entry as a part of a path.
fn segment(id: &str) -> Result<&str, Failure> {
    super::booking::segment(id, "waitlist entry", "wtl_...")
}

/// What is waited for: the first line, and how many more there are.
fn what(entry: &Value) -> String {
    if let Some(quantity) = entry["any"]["quantity"].as_i64() {
        return format!("{quantity} x any");
    }
    let lines = entry["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(first) = lines.first() else { return "-".to_owned() };
    let text = format!("{} x {}", first["quantity"], first["pool"].as_str().unwrap_or("?"));
    if lines.len() > 1 { format!("{text} and {} more", lines.len() - 1) } else { text }
}

/// Where it stands, in a sentence.
fn standing(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or("?");
    match text("state") {
        "waiting" => format!("{} waits; {} are ahead", text("id"), entry["ahead"]),
        "offered" => {
            format!("{} was offered {}, held until {}", text("id"), text("booking_id"), text("due_at"))
        }
        state => format!("{} is {state}", text("id")),
    }
}
