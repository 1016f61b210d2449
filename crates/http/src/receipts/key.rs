//! The names of stored receipts.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path as ObjectPath;

/// Hexadecimal digits of a key: 128 bits.
const KEY_DIGITS: usize = 32;

/// The name of one stored receipt: 128 random bits as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptKey(String);

impl ReceiptKey {
    /// The key that has these bits. They must be drawn at random for each file: who can guess a key of an object
    /// store that is open to the public can read the file.
    #[must_use]
    pub fn from_fresh(fresh: u128) -> Self {
        Self(format!("{fresh:032x}"))
    }

    /// The key as it is stored with the booking.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where an object store keeps the file.
    pub(super) fn path(&self) -> ObjectPath {
        ObjectPath::from(self.as_str())
    }
}

impl fmt::Display for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a key of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt key: it must be {KEY_DIGITS} lower-case hexadecimal digits")]
pub struct InvalidReceiptKey;

impl FromStr for ReceiptKey {
    type Err = InvalidReceiptKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits && text.len() == KEY_DIGITS { Ok(Self(text.to_owned())) } else { Err(InvalidReceiptKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        for fresh in [0, 1, 0x0123_4567_89AB_CDEF, u128::MAX] {
            let key = ReceiptKey::from_fresh(fresh);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn nothing_else_is_a_key() {
        let key = ReceiptKey::from_fresh(7).to_string();
        let others = [
            "",
            "../../lastseat.db",
            &key[1..],
            &key.replace('7', "/"),
            &key.replace('7', "F"),
            &format!("{key}0"),
        ];
        for text in others {
            assert_eq!(text.parse::<ReceiptKey>(), Err(InvalidReceiptKey), "{text}");
        }
    }
}
