//! What can go wrong with stored receipts, told apart by what the caller can do about it.

use std::io;

use super::ReceiptKey;

/// What keeps the store from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// No space, no quota, or no inodes are left. Reading still works.
    Full,
    /// Anything else: the folder is gone, a right is missing, the disk or the network fails.
    Unreachable,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptStoreError {
    /// The store works and has no such file.
    #[error("no receipt is stored under {0}")]
    Missing(ReceiptKey),
    /// There is already a file under this key; it was not touched. Draw fresh bits and try again.
    #[error("a receipt is already stored under {0}")]
    Taken(ReceiptKey),
    /// The file is larger than any that is ever put here, so somebody else wrote it; it was not read.
    #[error("the receipt under {key} has {bytes} bytes, more than any receipt")]
    Oversized {
        /// The key of the file.
        key: ReceiptKey,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The store does not work now; the same request may succeed later.
    #[error("the receipt store is {}", match .outage { Outage::Full => "full", Outage::Unreachable => "unreachable" })]
    Unavailable {
        /// What is known about the reason.
        outage: Outage,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReceiptStoreError {
    /// [`Unavailable`](Self::Unavailable), with the reason as far as the chain of causes tells it.
    pub(super) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        let mut outage = Outage::Unreachable;
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
                outage = Outage::Full;
            }
            cause = error.source();
        }
        Self::Unavailable { outage, source }
    }

    /// What an answer of the store says about one file.
    pub(super) fn about(key: &ReceiptKey, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing(key.clone()),
            object_store::Error::AlreadyExists { .. } => Self::Taken(key.clone()),
            other => Self::unavailable(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ReceiptStoreError {
        let error = object_store::Error::Generic { store: "test", source: source.into() };
        ReceiptStoreError::about(&ReceiptKey::from_fresh(1), error)
    }

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] io::Error);

    #[test]
    fn a_full_disk_is_told_from_an_unreachable_one_however_deep_the_cause_lies() {
        const ENOSPC: i32 = 28;
        const EDQUOT: i32 = 122;
        const EIO: i32 = 5;
        for (code, expected) in [(ENOSPC, Outage::Full), (EDQUOT, Outage::Full), (EIO, Outage::Unreachable)] {
            let error = || io::Error::from_raw_os_error(code);
            for error in [about(error()), about(Wrapped(error()))] {
                let ReceiptStoreError::Unavailable { outage, .. } = error else { panic!("{error:?}") };
                assert_eq!(outage, expected);
            }
        }
    }

    #[test]
    fn the_message_says_what_to_look_at() {
        assert_eq!(about("timed out").to_string(), "the receipt store is unreachable");
        assert_eq!(about(io::Error::from_raw_os_error(28)).to_string(), "the receipt store is full");
    }
}
