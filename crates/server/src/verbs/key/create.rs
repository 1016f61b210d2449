//! `lastseat key create`.

use serde_json::json;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

const EXAMPLES: &str = "\
Roles: admin may do all; operator bookings, approvals and reading; integrator books, confirms and
cancels its own.

Example:
  lastseat key create --role operator --name \"Front desk\" > desk.key";

/// Create an API key, and print it: it is shown this once only
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What it may do: admin, operator or integrator
    #[arg(long, value_name = "ROLE", value_parser = ["admin", "operator", "integrator"], hide_possible_values = true, required = true)]
    role: String,
    /// What people call it; decisions are signed with it
    #[arg(long, value_name = "TEXT", required = true)]
    name: String,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the key with its id as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let made = client.post("v1/keys", &json!({"role": args.role, "name": args.name})).await?;
    if args.json {
        return output::json(&made);
    }
    let text = |field: &str| made[field].as_str();
    let Some(secret) = text("secret") else {
        return Err(Failure::unable("the server did not show the key"));
    };
    output::say(&format!(
        "created {} for {}; the key is shown this once only:",
        text("id").unwrap_or("?"),
        args.role
    ));
    output::data(secret)
}
