//! `lastseat backup`.

use std::path::PathBuf;

use lastseat_store_sqlite::{OpenMode, SqliteStore};

use crate::failure::Failure;
use crate::options::{DataOptions, FilesOptions};
use crate::{archive, data_dir, output};

const EXAMPLES: &str = "\
The file is a tar of the database, as it is at one instant, and the receipts. It holds personal
data and the secret from which booking tokens are made: keep it safe. The server may be running.
The copy is checked as a whole; of a damaged database no backup is made.

Example:
  lastseat backup --data /var/lib/lastseat --to backup-$(date +%F).tar";

/// Copy all data to one file, also beside a running server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    files: FilesOptions,
    /// The file to make; it must not be there yet
    #[arg(long, value_name = "FILE", required = true)]
    to: PathBuf,
    /// Print what is in it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let data = args.data.directory("back up PostgreSQL with its own tools, pg_dump or a base backup")?;
    if args.to.symlink_metadata().is_ok() {
        return Err(Failure::usage(format_args!(
            "--to: {} is there already; choose another name",
            args.to.display()
        )));
    }
    let bucket = args.files.bucket()?;
    let store = SqliteStore::open(data, OpenMode::Read).map_err(data_dir::open_failure)?;
    let manifest = archive::pack(&store, data, &args.to)?;
    if let Some(bucket) = bucket {
        output::say(&format!("receipts in {bucket} are not in it: back the bucket up by its own means"));
    }
    if args.json {
        return output::json(&manifest);
    }
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let receipts = manifest.files.len() - 1;
    output::say(&format!(
        "wrote {}: the data of {} with {receipts} receipts, {} KiB",
        args.to.display(),
        manifest.at,
        bytes.div_ceil(1024)
    ));
    Ok(())
}
