//! Backups: one tar file with the database, the receipts and, at its end, a manifest with the digest of each.
//! `tar` can open it. The manifest comes last, so a backup that was cut off is known by not having one.
//!
//! - [`mod@write`]: from a data directory to the file
//! - [`read`]: from the file to a staging directory, everything checked

mod read;
mod write;

use std::io::{self, Read, Write};

use lastseat_http::receipts::ReceiptKey;
use lastseat_store_sqlite::FILE_NAME;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use read::unpack;
pub(crate) use write::pack;

/// The folder of receipts, here and in the data directory.
pub(crate) const RECEIPTS: &str = "receipts";
/// The last entry.
const MANIFEST: &str = "manifest.json";
/// Number of this form of backups.
const FORMAT: u32 = 1;
/// Largest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes that are copied at a time.
const COPY_BYTES: usize = 128 * 1024;

/// What is in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`FORMAT`].
    format: u32,
    /// The program that wrote it.
    pub(crate) program: String,
    /// The instant of the database.
    pub(crate) at: String,
    /// All entries before this one.
    pub(crate) files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its path in the backup and in the data directory.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its SHA-256 in hex.
    pub(crate) sha256: String,
}

/// Whether a backup may have an entry of that name: nothing can lead out of the directory.
fn is_expected(name: &str) -> bool {
    name == FILE_NAME
        || name
            .strip_prefix(RECEIPTS)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|key| key.parse::<ReceiptKey>().is_ok())
}

/// Hashes what passes through.
struct Hashing<T> {
    inner: T,
    digest: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    fn note(&mut self, part: &[u8]) {
        self.digest.update(part);
        self.bytes += part.len() as u64;
    }

    fn entry(self, name: &str) -> Entry {
        let digest = self.digest.finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Entry { name: name.to_owned(), bytes: self.bytes, sha256 }
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.note(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(part)?;
        self.note(&part[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_and_receipts_are_entries() {
        let key = format!("receipts/{}", ReceiptKey::from_fresh(7));
        assert!(is_expected("lastseat.db") && is_expected(&key));
        for name in
            ["", "lastseat.db-wal", "receipts", "receipts/", "receipts/../lastseat.db", "/lastseat.db", "x"]
        {
            assert!(!is_expected(name), "{name}");
        }
        assert!(!is_expected(&format!("/{key}")) && !is_expected(&format!("{key}/..")));
    }
}
