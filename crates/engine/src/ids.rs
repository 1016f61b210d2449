//! The one place where randomness is drawn, and the time of an id read: an id's time orders it in indexes
//! and decides nothing.

use lastseat_core::id::{BookingId, KeyId, ListingId, WaitlistId, uuid_v7_bits};

/// 128 random bits from the thread's generator, which the system seeds and reseeds.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn bits() -> u128 {
    rand::random()
}

/// 32 random bytes for a secret.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn secret_bytes() -> [u8; 32] {
    rand::random()
}

#[allow(clippy::disallowed_methods, reason = "orders ids, decides nothing")]
fn v7() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    uuid_v7_bits(i64::try_from(since.as_millis()).unwrap_or(i64::MAX), bits())
}

/// A fresh booking id.
#[must_use]
pub fn booking_id() -> BookingId {
    BookingId::from_bits(v7())
}

/// A fresh listing id.
#[must_use]
pub fn listing_id() -> ListingId {
    ListingId::from_bits(v7())
}

/// A fresh key id.
#[must_use]
pub fn key_id() -> KeyId {
    KeyId::from_bits(v7())
}

/// A fresh id of an entry of a waitlist.
#[must_use]
pub fn waitlist_id() -> WaitlistId {
    WaitlistId::from_bits(v7())
}
