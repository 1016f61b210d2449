//! `lastseat listing example`.

use clap::ValueEnum;
use lastseat_core::listing::Kind;
use lastseat_store_sqlite::Clock;

use crate::failure::Failure;
use crate::{output, samples};

/// Print a form to start from
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  lastseat listing example nights > hotel.json")]
pub(crate) struct Args {
    /// What is scarce
    #[arg(value_name = "KIND")]
    kind: KindArg,
}

/// A kind of listing, as an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum KindArg {
    /// N equal places
    Places,
    /// Rooms of a type per night
    Nights,
    /// Named seats of a plan
    Seats,
    /// A resource per time slot
    Slots,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let kind = match args.kind {
        KindArg::Places => Kind::Places,
        KindArg::Nights => Kind::Nights,
        KindArg::Seats => Kind::Seats,
        KindArg::Slots => Kind::Slots,
    };
    output::json(&samples::of_kind(kind, Clock::System.now()).form)
}
