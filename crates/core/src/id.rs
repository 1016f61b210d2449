//! Typed identifiers. What the outside sees are TypeIDs (<https://github.com/jetify-com/typeid/tree/main/spec>):
//! a prefix, an underscore, and a UUIDv7 in 26 characters of Crockford base32. Inside, rows are named by
//! small numbers that the store hands out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Crockford's base32 alphabet in lower case, as the TypeID specification prescribes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of the suffix of a TypeID.
const SUFFIX_LEN: usize = 26;

/// Why a text is not an id of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a valid {expected} id")]
pub struct IdError {
    /// The prefix that was wanted, `bkg` for example.
    pub expected: &'static str,
}

/// Writes the 26 characters for `value`, most significant first.
pub(crate) fn encode_suffix(value: u128) -> [u8; SUFFIX_LEN] {
    let mut out = [0u8; SUFFIX_LEN];
    let mut rest = value;
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    out
}

fn decode_suffix(text: &[u8]) -> Option<u128> {
    // 26 characters carry 130 bits: the first may use three only.
    if text.len() != SUFFIX_LEN || text[0] > b'7' {
        return None;
    }
    let mut value = 0u128;
    for &byte in text {
        let digit = ALPHABET.iter().position(|&c| c == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(value)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The prefix before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id that has these 128 bits (a UUIDv7).
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// The bits as 16 bytes, most significant first: ids sort by their time.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl $name {
            /// Calls `with` with the id as text, which is on the stack: ids are written for every answer.
            fn with_text<R>(self, with: impl FnOnce(&str) -> R) -> R {
                const HEAD: &[u8] = concat!($prefix, "_").as_bytes();
                let mut text = [0u8; HEAD.len() + SUFFIX_LEN];
                text[..HEAD.len()].copy_from_slice(HEAD);
                text[HEAD.len()..].copy_from_slice(&encode_suffix(self.0));
                with(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.with_text(|text| f.write_str(text))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|suffix| decode_suffix(suffix.as_bytes()))
                    .map(Self)
                    .ok_or(IdError { expected: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                self.with_text(|text| s.serialize_str(text))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A listing, `lst_...`.
    ListingId, "lst"
);
typed_id!(
    /// A booking, `bkg_...`.
    BookingId, "bkg"
);
typed_id!(
    /// An event, `evt_...`.
    EventId, "evt"
);
typed_id!(
    /// An entry of a waitlist, `wtl_...`.
    WaitlistId, "wtl"
);
typed_id!(
    /// An API key, `key_...`. Not the secret.
    KeyId, "key"
);

macro_rules! row_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}

row_number!(
    /// The number of a listing inside a store; 0 stands for "all listings".
    ListingNo
);
row_number!(
    /// The number of a booking inside a store, counted from 1; its public face is the reference.
    BookingNo
);
row_number!(
    /// The number of an entry in the waitlist of its listing, counted from 1: the order of joining.
    EntryNo
);

/// An entry of a waitlist.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryRef {
    /// The listing.
    pub listing: ListingNo,
    /// The number in its list.
    pub no: EntryNo,
}

/// The bits of a UUIDv7 (RFC 9562, section 5.7) made at `unix_ms` from 74 random bits.
#[must_use]
pub fn uuid_v7_bits(unix_ms: i64, random: u128) -> u128 {
    let millis = u64::try_from(unix_ms.max(0)).expect("not negative");
    let mut bytes = [0u8; 10];
    bytes.copy_from_slice(&random.to_be_bytes()[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().as_u128()
}

/// The random bits of a UUIDv7, as [`uuid_v7_bits`] takes them; the six that say which kind of UUID it is are fixed.
#[must_use]
pub const fn random_bits(uuid: u128) -> u128 {
    uuid << 48
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_the_typeid_specification_says() {
        // Test vector "valid-uuidv7" of the specification.
        let bits = 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057_u128;
        let text = format!("bkg_{}", std::str::from_utf8(&encode_suffix(bits)).unwrap());
        assert_eq!(text, "bkg_01h455vb4pex5vsknk084sn02q");
        assert_eq!(text.parse::<BookingId>().unwrap().bits(), bits);
    }

    #[test]
    fn foreign_prefixes_and_overlong_values_are_refused() {
        assert!("lst_01h455vb4pex5vsknk084sn02q".parse::<BookingId>().is_err());
        assert!("bkg_81h455vb4pex5vsknk084sn02q".parse::<BookingId>().is_err());
        assert!("bkg_01H455VB4PEX5VSKNK084SN02Q".parse::<BookingId>().is_err());
        assert!("bkg_".parse::<BookingId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        assert!(uuid_v7_bits(1, u128::MAX) < uuid_v7_bits(2, 0));
    }
}
