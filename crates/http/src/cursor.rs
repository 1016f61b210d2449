//! Cursors: where a list goes on. Opaque to clients; a check keeps those that nobody gave out from meaning
//! something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lastseat_core::secret::InstanceSecret;

/// Under which name the check is made.
const PURPOSE: &[u8] = b"cursor\0";
/// Bytes of the check.
const CHECK_BYTES: usize = 6;
/// Bytes of what a cursor says: kind, epoch, place.
const PLAIN_BYTES: usize = 17;

/// Which list a cursor belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum List {
    /// Listings; the place is the number of the last one.
    Listings,
    /// Bookings; the place is the number of the last one.
    Bookings,
    /// The feed; the place is that in the log.
    Events,
    /// The events of a booking; the place counts them.
    BookingEvents,
    /// The receipts of a booking; the place counts them.
    Receipts,
    /// API keys; the place counts them.
    Keys,
    /// A waitlist; the place is the number of the last one.
    Waitlist,
}

impl List {
    const fn byte(self) -> u8 {
        match self {
            Self::Listings => 1,
            Self::Bookings => 2,
            Self::Events => 3,
            Self::BookingEvents => 4,
            Self::Receipts => 5,
            Self::Keys => 6,
            Self::Waitlist => 7,
        }
    }
}

/// A cursor of `list` at `place`.
pub(crate) fn write(secret: &InstanceSecret, epoch: u64, list: List, place: i64) -> String {
    let mut bytes = Vec::with_capacity(PLAIN_BYTES + CHECK_BYTES);
    bytes.push(list.byte());
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&place.to_be_bytes());
    let check = secret.mac(PURPOSE, &bytes);
    bytes.extend_from_slice(&check[..CHECK_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor names; none if it is not one of this list and epoch.
pub(crate) fn read(secret: &InstanceSecret, epoch: u64, list: List, text: &str) -> Option<i64> {
    // The check covers the epoch: one from before a restore is as foreign as one that was made up.
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == PLAIN_BYTES + CHECK_BYTES)?;
    let place = i64::from_be_bytes(bytes[9..PLAIN_BYTES].try_into().ok()?);
    (write(secret, epoch, list, place) == text).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_list_and_epoch_only() {
        let secret = InstanceSecret::new([3; 32]);
        let text = write(&secret, 7, List::Events, 42);
        assert_eq!(read(&secret, 7, List::Events, &text), Some(42));
        assert_eq!(read(&secret, 8, List::Events, &text), None);
        assert_eq!(read(&secret, 7, List::Bookings, &text), None);
        assert_eq!(read(&InstanceSecret::new([4; 32]), 7, List::Events, &text), None);
        for made_up in ["", "AAAA", &text[1..], &format!("{text}A"), "ä"] {
            assert_eq!(read(&secret, 7, List::Events, made_up), None, "{made_up}");
        }
    }
}
