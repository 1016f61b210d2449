//! `lastseat migrate`.

use lastseat_store_sqlite::{OpenError, OpenMode, SCHEMA_VERSION, SqliteStore};

use crate::data_dir::open_failure;
use crate::failure::Failure;
use crate::options::DataOptions;
use crate::output;

/// Bring the database's schema up to date; `serve` does so too
#[derive(Debug, clap::Args)]
#[command(after_help = "The server must be stopped. Make a backup first: `lastseat backup --to FILE`.")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.data.check()?;
    match SqliteStore::open(&args.data.data, OpenMode::Read) {
        Ok(_) => output::say(&format!("the schema is current (version {SCHEMA_VERSION})")),
        Err(OpenError::Older { found, known }) => {
            SqliteStore::open(&args.data.data, OpenMode::Serve).map_err(open_failure)?;
            output::say(&format!("migrated the schema from version {found} to {known}"));
        }
        Err(error) => return Err(open_failure(error)),
    }
    Ok(())
}
