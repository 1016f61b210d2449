//! Directories in the machine's temporary directory that nobody else can write to.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

use anyhow::{Context, bail};

/// Access for the owner only.
const OWNER_ONLY: u32 = 0o700;

/// The permission bits of everybody else.
const OTHERS: u32 = 0o077;

/// A directory that all processes of this user share on this machine, made when it is not there:
/// `TMPDIR/lastseat-scratch-UID/NAME`.
///
/// # Errors
/// When it cannot be made, or when something that others control is in its place: in a directory that everybody can
/// write to, anybody may have been there first.
pub(crate) fn shared_dir(name: &str) -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let own = std::env::temp_dir().join(format!("lastseat-scratch-{user}"));
    let made = DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(&own);
    made.with_context(|| format!("cannot make {}", own.display()))?;
    let found =
        std::fs::symlink_metadata(&own).with_context(|| format!("cannot look at {}", own.display()))?;
    if !found.is_dir() || found.uid() != user || found.mode() & OTHERS != 0 {
        bail!("{} belongs to somebody else or is open to others: remove it, or set TMPDIR", own.display());
    }
    let dir = own.join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}
