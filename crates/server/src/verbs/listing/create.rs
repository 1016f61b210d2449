//! `lastseat listing create`.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{ClientOptions, Input};
use crate::output;

/// Longest form that is sent, in bytes: a seating plan's limit and a little.
const MAX_FORM_BYTES: u64 = 33 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  lastseat listing example nights > hotel.json      a form to start from
  lastseat listing create hotel.json
  lastseat listing example places | lastseat listing create - --json";

/// Create a listing from a JSON form, and print its id
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File with the form; - reads standard input
    #[arg(value_name = "FILE")]
    form: Input,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the whole listing as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let text = args.form.read_text(MAX_FORM_BYTES)?;
    let form: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format_args!("{} is no JSON: {error}", args.form)))?;
    let listing = client.post("v1/listings", &form).await?;
    if args.json {
        return output::json(&listing);
    }
    let text = |field: &str| listing[field].as_str().unwrap_or("?");
    output::say(&format!("created {} \"{}\", {}", text("kind"), text("title"), text("status")));
    output::data(text("id"))
}
