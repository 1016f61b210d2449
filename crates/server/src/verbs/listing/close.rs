//! `lastseat listing close`.

use crate::client::Client;
use crate::failure::Failure;
use crate::options::ClientOptions;
use crate::output;

/// Close a listing: it is still shown, and takes no more bookings
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat listing close lst_01h455vb4pex5vsknk084sn02q")]
pub(crate) struct Args {
    /// The listing
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ClientOptions,
    /// Print the listing as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::new(&args.server)?;
    let listing = super::set_status(&client, &args.id, "closed").await?;
    if args.json {
        return output::json(&listing);
    }
    output::say(&format!(
        "closed \"{}\"; bookings that there are stay",
        listing["title"].as_str().unwrap_or("?")
    ));
    Ok(())
}
