//! What can go wrong with stored receipts, told apart by what the caller can do about it.

use std::error::Error;
use std::io;

use super::ReceiptKey;

/// How much of what a store says is passed on, in characters.
const CAUSE_CHARACTERS: usize = 200;
/// What `object_store` says before a status.
const BEFORE_STATUS: &str = "Server returned non-2xx status code: ";

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
    #[error("the receipt store is {}: {cause}", match .outage { Outage::Full => "full", Outage::Unreachable => "unreachable" })]
    Unavailable {
        /// What is known about the reason.
        outage: Outage,
        /// What the store said, in short and fit to be logged.
        cause: String,
    },
}

impl ReceiptStoreError {
    /// [`Unavailable`](Self::Unavailable), with the reason as far as the chain of causes tells it.
    pub(super) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        let full = chain(source.as_ref()).any(|error| {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
        });
        let outage = if full { Outage::Full } else { Outage::Unreachable };
        Self::Unavailable { outage, cause: cause(source.as_ref()) }
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

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause, as one short line. Stores answer with documents that repeat a request with its headers, a session's
/// token among them: of these only the status and the code are taken.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let whole = chain(error).last().unwrap_or(error).to_string();
    let code =
        whole.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let said = whole.split('<').next().unwrap_or_default();
    let said = said.strip_prefix(BEFORE_STATUS).unwrap_or(said).trim_end_matches([' ', ':', '\n']);
    let line: String = said.chars().filter(|c| !c.is_control()).take(CAUSE_CHARACTERS).collect();
    match code {
        Some(code) if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{line} ({code})")
        }
        _ => line,
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
        assert_eq!(about("timed out").to_string(), "the receipt store is unreachable: timed out");
        let full = about(io::Error::from_raw_os_error(28)).to_string();
        assert!(full.starts_with("the receipt store is full: No space left"), "{full}");
    }

    #[test]
    fn what_a_store_answers_is_cut_to_its_status_and_code() {
        let answer = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch\
            </Code><CanonicalRequest>x-amz-security-token:hunter2</CanonicalRequest></Error>";
        assert_eq!(
            about(answer).to_string(),
            "the receipt store is unreachable: 403 Forbidden (SignatureDoesNotMatch)"
        );
        let long = cause(&io::Error::other("one\ntwo".repeat(100)));
        assert!(long.starts_with("onetwo") && long.len() == CAUSE_CHARACTERS, "{long}");
    }
}
