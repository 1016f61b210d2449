//! `lastseat booking`: bookings of a running server.

mod approve;
mod cancel;
mod list;
mod reject;
mod show;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::money::amount;
use crate::options::ClientOptions;
use crate::output;

/// List, show, approve, reject and cancel bookings of a running server
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
    Approve(approve::Args),
    Reject(reject::Args),
    Cancel(cancel::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::List(args) => list::run(args).await,
        Verb::Show(args) => show::run(args).await,
        Verb::Approve(args) => approve::run(args).await,
        Verb::Reject(args) => reject::run(args).await,
        Verb::Cancel(args) => cancel::run(args).await,
    }
}

/// Which booking, on which server, and how to show it.
#[derive(Debug, clap::Args)]
struct One {
    /// The booking's id (bkg_...) or its reference (7K3QW9ZD)
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the booking as JSON
    #[arg(long)]
    json: bool,
}

impl One {
    /// Does `what` (the last part of the path) with the booking, and says how it stands then.
    async fn act(&self, what: &str, body: &Value) -> Result<(), Failure> {
        let client = Client::new(&self.server)?;
        let id = find(&client, &self.id).await?;
        let booking = client.post(&format!("v1/bookings/{id}/{what}"), body).await?;
        if self.json {
            return output::json(&booking);
        }
        let text = |field: &str| booking[field].as_str().unwrap_or("?");
        let mut said = format!("{} is {} now", text("reference"), text("state"));
        let refund = booking["refund_due"].as_i64().unwrap_or(0);
        if refund > 0 {
            let refund = amount(refund, text("currency"));
            said.push_str(&format!("; {refund} has to be paid back"));
        }
        output::say(&said);
        Ok(())
    }
}

/// The id of the booking that somebody names by id or reference.
async fn find(client: &Client, name: &str) -> Result<String, Failure> {
    if name.starts_with("bkg_") {
        return segment(name, "booking", "bkg_...").map(str::to_owned);
    }
    let found = client.list("v1/bookings", &[("reference", name.to_owned())], 1).await?;
    match found.first().and_then(|booking| booking["id"].as_str()) {
        Some(id) => Ok(id.to_owned()),
        None => Err(Failure::usage(format_args!("there is no booking with the reference {name}"))),
    }
}

/// A TypeID as a part of a path: nothing that could lead elsewhere.
pub(super) fn segment<'a>(id: &'a str, what: &str, form: &str) -> Result<&'a str, Failure> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(id)
    } else {
        Err(Failure::usage(format_args!("`{id}` is no id of a {what}; they look like {form}")))
    }
}

/// A body with a reason, or with none.
fn reason(reason: Option<&str>) -> Value {
    match reason {
        Some(reason) => json!({ "reason": reason }),
        None => json!({}),
    }
}
