//! The data directory: made for its owner only, and what its failures mean for the shell.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use lastseat_store_sqlite::OpenError;

use crate::failure::Failure;

/// Only the server's own user may look into the directory.
pub(crate) const DIR_MODE: u32 = 0o700;
/// Only the server's own user may read secrets.
const SECRET_MODE: u32 = 0o600;
/// The file with the key that the first start made.
pub(crate) const ADMIN_KEY_FILE: &str = "admin.key";

/// Mode bits of group and others.
pub(crate) const OTHERS: u32 = 0o077;

/// Keeps what this program makes from now on to its own user: the database and what SQLite puts beside it, the lock,
/// receipts, backups. For the start, before there are other threads.
#[cfg(unix)]
pub(crate) fn keep_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHERS));
}

/// Warns once if others may look into the directory or at a file in it: it was made by hand, copied, or opened.
#[cfg(unix)]
pub(crate) fn warn_of_others(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let inside = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_open =
        |path: &PathBuf| std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & OTHERS != 0);
    let open: Vec<String> = std::iter::once(dir.to_owned())
        .chain(inside)
        .filter(is_open)
        .map(|path| path.display().to_string())
        .collect();
    if !open.is_empty() {
        let dir = dir.display();
        tracing::warn!(
            paths = open.join(", "),
            "others on this machine may look at the data; `chmod -R go= {dir}` keeps it to this user"
        );
    }
}

/// Makes the directory and those above it, if need be. One that is there stays as it is.
///
/// # Errors
/// `Unable`, if it cannot be made or is something else.
pub(crate) fn prepare(dir: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir);
    made.with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    Ok(())
}

/// Writes a small file with a secret, durably and all at once, readable to the owner only.
///
/// # Errors
/// `Unable`, if it cannot be written.
pub(crate) fn write_secret(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = dir.join(name);
    let write = || -> io::Result<()> {
        let unfinished = dir.join(format!("{name}.new"));
        match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options.create_new(true).write(true).mode(SECRET_MODE).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// What it means that the database cannot be opened: a wrong directory is wrong use, the rest could not be done.
pub(crate) fn open_failure(error: OpenError) -> Failure {
    match error {
        OpenError::Missing(_) | OpenError::Foreign | OpenError::NotEmpty(_) => Failure::usage(error),
        error => Failure::Unable(error.into()),
    }
}
