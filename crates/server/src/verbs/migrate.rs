//! `lastseat migrate`.

use lastseat_store_postgres as postgres;
use lastseat_store_sqlite::{OpenError, OpenMode, SCHEMA_VERSION, SqliteStore};

use crate::data_dir::open_failure;
use crate::failure::Failure;
use crate::options::DataOptions;
use crate::output;
use crate::place::{self, Place};

/// Bring the database's schema up to date; `serve` does so too
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With a data directory the server must be stopped; the nodes of a PostgreSQL may go on serving.
Make a backup first: `lastseat backup --to FILE`, or pg_dump.")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match args.data.place()? {
        Place::Directory(dir) => match SqliteStore::open(&dir, OpenMode::Read) {
            Ok(_) => current(SCHEMA_VERSION),
            Err(OpenError::Older { found, known }) => {
                SqliteStore::open(&dir, OpenMode::Serve).map_err(open_failure)?;
                migrated(found, known);
            }
            Err(error) => return Err(open_failure(error)),
        },
        Place::Database(target) => {
            match postgres::PgStore::open(target.clone(), postgres::OpenMode::Read, 0) {
                Ok(_) => current(postgres::SCHEMA_VERSION),
                Err(postgres::OpenError::Older { found, known }) => {
                    place::open(&target, postgres::OpenMode::Serve)?;
                    migrated(found, known);
                }
                Err(postgres::OpenError::Missing(_)) => {
                    place::open(&target, postgres::OpenMode::Serve)?;
                    migrated(0, postgres::SCHEMA_VERSION);
                }
                Err(error) => return Err(place::open_failure(error)),
            }
        }
    }
    Ok(())
}

fn current(version: u32) {
    output::say(&format!("the schema is current (version {version})"));
}

fn migrated(from: u32, to: u32) {
    output::say(&format!("migrated the schema from version {from} to {to}"));
}
