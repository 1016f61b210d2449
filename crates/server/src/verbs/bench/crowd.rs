//! `lastseat bench crowd`.

use lastseat_bench::crowd;

use crate::failure::Failure;
use crate::options::ClientOptions;

const EXAMPLES: &str = "\
Exit code 1: more was sold than there is.

Example:
  lastseat bench crowd --listing lst_01h455vb4pex5vsknk084sn02q --users 200";

/// N customers at the same instant, each once; then what the server says was sold
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The listing that they want
    #[arg(long, value_name = "ID", required = true)]
    listing: String,
    /// How many customers
    #[arg(long, value_name = "N", default_value_t = 100)]
    users: usize,
    #[command(flatten)]
    server: ClientOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    if !(1..=crowd::MAX_USERS).contains(&args.users) {
        return Err(Failure::usage(format_args!("--users must be 1 to {}", crowd::MAX_USERS)));
    }
    let options = crowd::Options {
        url: args.server.url,
        listing: args.listing,
        users: args.users,
        api_key: args.server.key,
    };
    let report = crowd::run(&options).await.map_err(super::failure)?;
    super::print(&report, args.json)?;
    super::judge(report.oversold)
}
