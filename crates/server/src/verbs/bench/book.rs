//! `lastseat bench book`.

use lastseat_bench::book;

use crate::failure::Failure;
use crate::options::ClientOptions;

const EXAMPLES: &str = "\
Bookings begin at fixed moments, whether or not the server has answered those before; waiting
counts from those moments.
Exit code 1: more was sold than there is.

Example:
  lastseat bench book --listing lst_01h455vb4pex5vsknk084sn02q --rate 2000 --seconds 10";

/// Bookings at a steady rate, with percentiles that a stalling server cannot hide
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The listing that is booked
    #[arg(long, value_name = "ID", required = true)]
    listing: String,
    /// Bookings per second
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(book::MAX_RATE)))]
    rate: u32,
    /// For how long
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(book::MAX_SECONDS)))]
    seconds: u32,
    #[command(flatten)]
    server: ClientOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let (rate, seconds) = (args.rate, args.seconds);
    if u64::from(rate) * u64::from(seconds) > book::MAX_BOOKINGS {
        let most = book::MAX_BOOKINGS;
        return Err(Failure::usage(format_args!("--rate times --seconds must be at most {most} bookings")));
    }
    let options = book::Options {
        url: args.server.url,
        listing: args.listing,
        rate,
        seconds,
        api_key: args.server.key,
    };
    let report = book::run(&options).await.map_err(super::failure)?;
    super::print(&report, args.json)?;
    super::judge(report.oversold)
}
