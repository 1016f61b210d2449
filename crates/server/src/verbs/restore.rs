//! `lastseat restore`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use lastseat_store_sqlite::{
    FILE_NAME, LOCK_NAME, OpenError, OpenMode, SqliteStore, check_file, lock, renew_epoch,
};

use crate::failure::Failure;
use crate::options::DataOptions;
use crate::{archive, data_dir, output};

/// Where what was there before is put, with a number.
const BEFORE: &str = "before-restore-";
/// Most restores of which the directory keeps what was there before.
const MAX_KEPT: u32 = 1_000;

const EXAMPLES: &str = "\
The data directory must be empty or not there. With --force, what is in it is moved to
before-restore-N inside it. Readers of the event log are told to begin anew. API keys are those
of the backup.

Example:
  lastseat restore --data /var/lib/lastseat --from backup-2026-12-24.tar";

/// Make a data directory from a backup; the server must be stopped
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataOptions,
    /// The backup
    #[arg(long, value_name = "FILE", required = true)]
    from: PathBuf,
    /// Replace what is in the data directory
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let dir = args.data.directory("restore PostgreSQL with its own tools, pg_restore or a base backup")?;
    if !args.from.is_file() {
        return Err(Failure::usage(format_args!("--from: there is no file {}", args.from.display())));
    }
    let is_new = !dir.exists();
    data_dir::prepare(dir)?;
    let _lock = lock(dir).map_err(data_dir::open_failure)?;
    let restored = restore(args, dir);
    if is_new && restored.is_err() {
        // Nothing but the lock is left in it; a directory with anything else stays.
        let _ = fs::remove_file(dir.join(LOCK_NAME)).and_then(|()| fs::remove_dir(dir));
    }
    restored
}

/// Restores into `dir`, which is locked.
fn restore(args: &Args, dir: &Path) -> Result<(), Failure> {
    let present = entries(dir)?;
    if !present.is_empty() && !args.force {
        return Err(Failure::usage(format_args!(
            "{} is not empty; give another directory, or --force to move what is there aside",
            dir.display()
        )));
    }
    // In the same directory, so that moving it into place cannot fail half way for want of room.
    let staging = tempfile::Builder::new()
        .prefix(".restore-")
        .tempdir_in(dir)
        .with_context(|| format!("cannot write in {}", dir.display()))?;
    let manifest = archive::unpack(&args.from, staging.path())?;
    check(&args.from, staging.path())?;
    if !present.is_empty() {
        let aside = move_aside(dir, &present)?;
        output::say(&format!("moved what was there to {}", aside.display()));
    }
    for name in [archive::RECEIPTS, FILE_NAME] {
        let (from, to) = (staging.path().join(name), dir.join(name));
        fs::rename(&from, &to).with_context(|| format!("cannot move {} into place", to.display()))?;
    }
    sync(dir)?;
    output::say(&format!(
        "restored {} with {} receipts, as it was at {}",
        dir.display(),
        manifest.files.len() - 1,
        manifest.at
    ));
    Ok(())
}

/// Checks that the database of the backup `from` is whole and can be used by this program, and gives its event log a
/// new epoch.
fn check(from: &Path, staging: &Path) -> Result<(), Failure> {
    let file = staging.join(FILE_NAME);
    let opened = match SqliteStore::open(staging, OpenMode::Read) {
        Ok(_) | Err(OpenError::Older { .. }) => check_file(&file),
        Err(error) => Err(error),
    };
    match opened.and_then(|()| renew_epoch(&file)) {
        Err(OpenError::Damaged(what)) => Err(Failure::unable(format_args!(
            "the database in {} is damaged ({what}); nothing was restored, use another backup",
            from.display()
        ))),
        checked => checked.map_err(data_dir::open_failure),
    }
}

/// What is in the data directory, the lock and what earlier restores left apart.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = || format!("cannot list {}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name();
        if name != LOCK_NAME && !name.to_string_lossy().starts_with(BEFORE) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Moves `present` into a new directory within `dir`.
fn move_aside(dir: &Path, present: &[PathBuf]) -> Result<PathBuf, Failure> {
    let numbered = (1..=MAX_KEPT).map(|number| dir.join(format!("{BEFORE}{number}")));
    let Some(aside) = numbered.into_iter().find(|path| !path.exists()) else {
        return Err(Failure::unable(format_args!(
            "there are too many {BEFORE}N in {}; remove some",
            dir.display()
        )));
    };
    data_dir::prepare(&aside)?;
    for path in present {
        let name = path.file_name().unwrap_or_default();
        fs::rename(path, aside.join(name))
            .with_context(|| format!("cannot move {} aside", path.display()))?;
    }
    Ok(aside)
}

fn sync(dir: &Path) -> Result<(), Failure> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    Ok(synced.with_context(|| format!("cannot sync {}", dir.display()))?)
}
