//! SQLite's two kinds of locks, between the handles of one process: the five-step lock of a database file, and the
//! eight slots of a WAL index. The rules are those of SQLite's own unix VFS (`os_unix.c`).

use std::collections::BTreeSet;
use std::ops::Range;

/// Names one open file handle; never used twice.
pub(super) type HandleId = u64;

/// Somebody else holds a lock that excludes the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

/// The steps of a database file's lock that are asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// No lock.
    None,
    /// Reading.
    Shared,
    /// Going to write; readers may come and go.
    Reserved,
    /// Writing: nobody else holds anything.
    Exclusive,
}

/// Who holds what on one database file.
#[derive(Debug, Default)]
pub(super) struct FileLocks {
    shared: BTreeSet<HandleId>,
    reserved: Option<HandleId>,
    /// Waits for the readers to leave; no new ones come in.
    pending: Option<HandleId>,
    exclusive: Option<HandleId>,
}

impl FileLocks {
    /// Raises `handle`'s lock to `level`.
    pub(super) fn lock(&mut self, handle: HandleId, level: Level) -> Result<(), Busy> {
        let other = |holder: Option<HandleId>| holder.is_some_and(|holder| holder != handle);
        if level == Level::None {
            return Ok(());
        }
        if other(self.exclusive) || other(self.pending) || (level > Level::Shared && other(self.reserved)) {
            return Err(Busy);
        }
        match level {
            Level::None => {}
            Level::Shared => {
                self.shared.insert(handle);
            }
            Level::Reserved => self.reserved = Some(handle),
            Level::Exclusive => {
                self.pending = Some(handle);
                if self.shared.iter().any(|reader| *reader != handle) {
                    return Err(Busy);
                }
                self.exclusive = Some(handle);
            }
        }
        Ok(())
    }

    /// Lowers `handle`'s lock to `Shared` or `None`.
    pub(super) fn unlock(&mut self, handle: HandleId, level: Level) {
        for holder in [&mut self.reserved, &mut self.pending, &mut self.exclusive] {
            if *holder == Some(handle) {
                *holder = None;
            }
        }
        if level == Level::None {
            self.shared.remove(&handle);
        }
    }

    /// Whether anybody is going to write.
    pub(super) fn is_reserved(&self) -> bool {
        self.reserved.or(self.pending).or(self.exclusive).is_some()
    }
}

/// How many lock slots a WAL index has (`SQLITE_SHM_NLOCK`).
pub(super) const SHM_SLOTS: usize = 8;

/// Who holds what on one WAL index.
#[derive(Debug, Default)]
pub(super) struct ShmLocks {
    slots: [ShmSlot; SHM_SLOTS],
}

#[derive(Debug, Default)]
struct ShmSlot {
    shared: BTreeSet<HandleId>,
    exclusive: Option<HandleId>,
}

impl ShmLocks {
    /// Takes shared locks on `slots`.
    pub(super) fn share(&mut self, handle: HandleId, slots: Range<usize>) -> Result<(), Busy> {
        let slots = &mut self.slots[slots];
        if slots.iter().any(|slot| slot.exclusive.is_some_and(|holder| holder != handle)) {
            return Err(Busy);
        }
        for slot in slots {
            slot.shared.insert(handle);
        }
        Ok(())
    }

    /// Takes exclusive locks on `slots`, all or none.
    pub(super) fn exclude(&mut self, handle: HandleId, slots: Range<usize>) -> Result<(), Busy> {
        let slots = &mut self.slots[slots];
        let taken = |slot: &ShmSlot| {
            slot.exclusive.is_some_and(|holder| holder != handle)
                || slot.shared.iter().any(|holder| *holder != handle)
        };
        if slots.iter().any(taken) {
            return Err(Busy);
        }
        for slot in slots {
            slot.exclusive = Some(handle);
        }
        Ok(())
    }

    /// Gives back whatever `handle` holds on `slots`.
    pub(super) fn release(&mut self, handle: HandleId, slots: Range<usize>) {
        for slot in &mut self.slots[slots] {
            slot.shared.remove(&handle);
            if slot.exclusive == Some(handle) {
                slot.exclusive = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_waits_for_readers_and_keeps_new_ones_out() {
        let mut locks = FileLocks::default();
        locks.lock(1, Level::Shared).unwrap();
        locks.lock(2, Level::Shared).unwrap();
        locks.lock(1, Level::Reserved).unwrap();
        assert!(locks.is_reserved());
        assert_eq!(locks.lock(2, Level::Reserved), Err(Busy));
        assert_eq!(locks.lock(1, Level::Exclusive), Err(Busy), "a reader is still there");
        assert_eq!(locks.lock(3, Level::Shared), Err(Busy), "no new reader while one waits to write");
        locks.unlock(2, Level::None);
        locks.lock(1, Level::Exclusive).unwrap();
        locks.unlock(1, Level::Shared);
        assert!(!locks.is_reserved());
        locks.lock(3, Level::Shared).unwrap();
    }

    #[test]
    fn wal_slots_are_shared_by_readers_and_excluded_by_one() {
        let mut locks = ShmLocks::default();
        locks.share(1, 3..4).unwrap();
        locks.share(2, 3..4).unwrap();
        assert_eq!(locks.exclude(3, 0..8), Err(Busy));
        locks.exclude(3, 0..3).unwrap();
        assert_eq!(locks.share(1, 2..3), Err(Busy));
        locks.release(1, 3..4);
        locks.release(2, 3..4);
        locks.exclude(3, 3..8).unwrap();
    }
}
