//! Whether a directory is on a disk: where it is in memory, syncing costs nothing and means nothing.

use std::io;
use std::path::Path;

use rustix::fs::statfs;

/// File systems that keep nothing (statfs(2)).
const TMPFS_MAGIC: u64 = 0x0102_1994;
const RAMFS_MAGIC: u64 = 0x8584_58f6;

/// Whether what is written there is only in memory.
///
/// # Errors
/// If there is no such directory.
pub fn is_in_memory(dir: &Path) -> io::Result<bool> {
    let kind = u64::try_from(statfs(dir)?.f_type).unwrap_or_default();
    Ok([TMPFS_MAGIC, RAMFS_MAGIC].contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_memory_is_memory_and_another_file_system_is_not() {
        assert!(is_in_memory(Path::new("/dev/shm")).unwrap());
        assert!(!is_in_memory(Path::new("/proc")).unwrap());
        assert!(is_in_memory(Path::new("/nowhere")).is_err());
    }
}
