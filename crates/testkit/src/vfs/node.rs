//! One file: what reads see, and the changes that no sync has covered yet.

use super::locks::FileLocks;
use super::shm::Shm;
use std::sync::Weak;

/// The unit in which a disk writes all or nothing, in bytes.
pub(super) const SECTOR_BYTES: usize = 512;

/// One change to a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// `bytes` written at `offset`; a gap before it reads as zeros.
    Write { offset: usize, bytes: Vec<u8> },
    /// The file cut (or grown with zeros) to `len` bytes.
    Truncate { len: usize },
}

impl Change {
    /// Applies the whole change.
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write_at(content, *offset, bytes),
            Self::Truncate { len } => content.resize(*len, 0),
        }
    }

    /// Applies the sectors that `keep` accepts, and says whether those were all. A truncation has no parts.
    pub(super) fn apply_torn(&self, content: &mut Vec<u8>, mut keep: impl FnMut() -> bool) -> bool {
        match self {
            Self::Write { offset, bytes } => {
                let mut whole = true;
                let mut from = 0;
                while from < bytes.len() {
                    let sector_end = (offset + from) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES;
                    let to = bytes.len().min(sector_end - offset);
                    if keep() {
                        write_at(content, offset + from, &bytes[from..to]);
                    } else {
                        whole = false;
                    }
                    from = to;
                }
                whole
            }
            Self::Truncate { .. } => {
                let kept = keep();
                if kept {
                    self.apply(content);
                }
                kept
            }
        }
    }
}

fn write_at(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// One file of the running system. It lives as long as it has a name or an open handle.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What reads see.
    pub(super) content: Vec<u8>,
    /// What was changed since the last sync, oldest first.
    pub(super) pending: Vec<Change>,
    /// How many open handles there are.
    pub(super) handles: usize,
    /// SQLite's locks on the file.
    pub(super) locks: FileLocks,
    /// The memory that the file's WAL connections share, while at least one maps it.
    pub(super) shm: Weak<Shm>,
}

impl Node {
    /// A file that has just come back from the disk: nothing is pending.
    pub(super) fn from_durable(content: Vec<u8>) -> Self {
        Self { content, ..Self::default() }
    }

    /// Makes one change that the next sync will cover.
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.content);
        self.pending.push(change);
    }

    /// Reads into `buffer`, fills what lies past the end with zeros, and says whether the file held all of it.
    pub(super) fn read(&self, offset: usize, buffer: &mut [u8]) -> bool {
        let available = self.content.get(offset..).unwrap_or_default();
        let held = available.len().min(buffer.len());
        buffer[..held].copy_from_slice(&available[..held]);
        buffer[held..].fill(0);
        held == buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_keeps_whole_sectors_and_leaves_the_bytes_around_it_alone() {
        let mut content = vec![7; 3 * SECTOR_BYTES];
        let mut answers = [true, false, true].into_iter();
        let write = Change::Write { offset: 100, bytes: vec![1; 2 * SECTOR_BYTES] };

        let whole = write.apply_torn(&mut content, || answers.next().unwrap());

        assert!(!whole);
        assert!(answers.next().is_none(), "the write touches three sectors");
        assert_eq!(content[99], 7);
        assert!(content[100..512].iter().all(|byte| *byte == 1));
        assert!(content[512..1024].iter().all(|byte| *byte == 7), "the middle sector is lost");
        assert!(content[1024..1124].iter().all(|byte| *byte == 1));
        assert_eq!(content[1124], 7);
    }

    #[test]
    fn reading_past_the_end_gives_zeros_and_says_so() {
        let node = Node::from_durable(vec![5; 4]);
        let mut buffer = [9; 6];
        assert!(!node.read(1, &mut buffer));
        assert_eq!(buffer, [5, 5, 5, 0, 0, 0]);
        assert!(node.read(0, &mut buffer[..4]));
        assert!(!node.read(100, &mut buffer));
    }
}
