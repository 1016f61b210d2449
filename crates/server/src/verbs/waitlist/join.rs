//! `lastseat waitlist join`.

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lastseat waitlist join lst_01h... --name \"Vera K.\" --email vera@example.org --line standard=2
  lastseat waitlist join lst_01h... --name \"Vera K.\" --phone 555-0100 --any 1";

/// Put somebody on the waitlist of a listing that is sold out
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The listing
    #[arg(value_name = "ID")]
    id: String,
    /// What to call the customer
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// E-mail address of the customer
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Telephone number of the customer
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// A pool and how many of its units; may be given several times
    #[arg(long = "line", value_name = "POOL=N", value_parser = line, required_unless_present = "any", conflicts_with = "any")]
    lines: Vec<Value>,
    /// So many units of whatever pools
    #[arg(long, value_name = "N")]
    any: Option<i64>,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the entry as JSON
    #[arg(long)]
    json: bool,
}

/// A line as clients write it.
fn line(text: &str) -> Result<Value, String> {
    let form = || format!("`{text}` is not of the form POOL=N, like standard=2");
    let (pool, quantity) = text.rsplit_once('=').ok_or_else(form)?;
    let quantity: i64 = quantity.parse().map_err(|_| form())?;
    Ok(json!({ "pool": pool, "quantity": quantity }))
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let listing = crate::verbs::booking::segment(&args.id, "listing", "lst_...")?;
    let mut body = Map::new();
    body.insert(
        "customer".to_owned(),
        json!({ "name": args.name, "email": args.email, "phone": args.phone }),
    );
    match args.any {
        Some(quantity) => body.insert("any".to_owned(), json!({ "quantity": quantity })),
        None => body.insert("lines".to_owned(), Value::Array(args.lines)),
    };
    let entry = client.post(&format!("v1/listings/{listing}/waitlist"), &Value::Object(body)).await?;
    if args.json {
        return output::json(&entry);
    }
    output::say(&super::standing(&entry));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_pool_and_a_quantity() {
        assert_eq!(line("a=b=3").unwrap(), json!({ "pool": "a=b", "quantity": 3 }));
        for text in ["standard", "standard=", "standard=two", "=", ""] {
            assert!(line(text).unwrap_err().contains("POOL=N"), "{text}");
        }
    }
}
