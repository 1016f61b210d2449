//! A disk that can lose power: an in-memory SQLite VFS for tests.
//!
//! SQLite calls a commit durable when its `xSync` came back. To attack that promise a test needs a disk which
//! forgets, at a moment of the test's choosing, whatever was written and not synced. [`PowerDisk`] keeps each file
//! twice: what reads see (the page cache of a real system) and what survives (the platter), with the list of
//! changes between the two. [`PowerDisk::power_cycle`] throws changes away, as its [`Survival`] says, and every
//! connection opened before then finds its disk gone.
//!
//! ```
//! use lastseat_testkit::vfs::{PowerDisk, Survival};
//!
//! let disk = PowerDisk::new();
//! let db = disk.open("bookings.db").unwrap();
//! db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
//!     .unwrap();
//! disk.power_cycle(Survival::SyncedOnly);
//! let db = disk.open("bookings.db").unwrap();
//! assert_eq!(db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
//! ```
//!
//! Layout: `state` all files, `node` one file, `survival` what a power cut leaves of it, `locks` SQLite's file locks,
//! `shm` the memory that WAL connections share, `register` and `io` the callbacks that SQLite calls. Unsafe code
//! lives in the last three only.
//!
//! What is modelled: writes, truncations, syncs, deletions with and without a directory sync, torn sectors, a full
//! disk, and powersafe overwrite (a torn write damages no byte outside of its range), which SQLite assumes of every
//! disk unless told otherwise. A file's first sync makes its name durable too, as journalling file systems do; the
//! first one of a journal or WAL syncs its directory, as SQLite's own VFS does.

mod io;
mod locks;
mod node;
mod register;
mod shm;
mod state;
mod survival;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use self::state::State;

/// Which of the changes that were not synced survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// None of them: the disk wrote nothing it was not told to sync.
    SyncedOnly,
    /// All of them: the process died, the machine did not (what SIGKILL does).
    Everything,
    /// For each file a random prefix, or a random subset, of its unsynced changes, single 512-byte sectors of a
    /// write among them; a deletion or creation not yet synced may be undone. The same seed chooses the same.
    Random {
        /// What the choice is drawn from.
        seed: u64,
    },
}

/// What a power cut took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Writes and truncations that were not synced when the power went.
    pub unsynced_changes: u64,
    /// Those of them of which at least a part did not survive.
    pub lost_changes: u64,
}

/// An in-memory disk under a SQLite VFS of its own name; clones are the same disk.
///
/// The VFS is registered for the rest of the process, since connections may outlive every handle to the disk.
#[derive(Debug, Clone)]
pub struct PowerDisk {
    shared: Arc<Shared>,
}

/// What the callbacks and the handles share.
#[derive(Debug)]
struct Shared {
    vfs_name: String,
    state: Mutex<State>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that failed while it held the lock has said what was wrong already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PowerDisk {
    /// An empty disk, registered with SQLite under a fresh name.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it registers something for the whole process")]
    pub fn new() -> Self {
        Self { shared: register::register() }
    }

    /// The name to give to [`Connection::open_with_flags_and_vfs`], or as `?vfs=` in a `file:` URI.
    #[must_use]
    pub fn vfs_name(&self) -> &str {
        &self.shared.vfs_name
    }

    /// Opens (or creates) a database on this disk.
    ///
    /// # Errors
    /// What SQLite says when it cannot.
    pub fn open(&self, path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
        Connection::open_with_flags_and_vfs(path, OpenFlags::default(), self.vfs_name())
    }

    /// Cuts the power and gives it back: from here on the disk holds what `survival` leaves, and every connection
    /// opened earlier gets an I/O error from each call.
    pub fn power_cycle(&self, survival: Survival) -> Loss {
        self.shared.lock().power_cycle(survival)
    }

    /// Lets the power fail at the `operations`-th disk operation from now on (write, truncation, sync, deletion; 1 is
    /// the next). That operation and all later ones fail with an I/O error, until [`Self::power_cycle`].
    pub fn fail_power_after(&self, operations: u64) {
        self.shared.lock().fail_power_after(operations);
    }

    /// Whether the power is still on.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.shared.lock().is_powered()
    }

    /// How many operations (write, truncation, sync, deletion) the disk has been asked for.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.shared.lock().operations()
    }

    /// How many syncs the disk has completed.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.shared.lock().syncs()
    }

    /// Limits the sum of all files' sizes; a write that would pass it fails with "disk full". `None`: no limit.
    pub fn limit_bytes(&self, limit: Option<u64>) {
        self.shared.lock().limit_bytes(limit);
    }

    /// The sum of all files' sizes in bytes, as reads see them.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.shared.lock().used_bytes()
    }

    /// The names of the files on the disk, as reads see them.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.shared.lock().files()
    }

    /// Copies every file, as reads see it, into a real directory under its last path component, so that other
    /// programs can look at it. Take the copy while no connection writes.
    ///
    /// # Errors
    /// When a file cannot be written there.
    pub fn export_to(&self, dir: &Path) -> std::io::Result<()> {
        let state = self.shared.lock();
        for name in state.files() {
            let (Some(base), Some(content)) = (Path::new(&name).file_name(), state.content(&name)) else {
                continue;
            };
            std::fs::write(dir.join(base), content)?;
        }
        Ok(())
    }
}
