//! What is derived from the instance's secret: booking references and the tokens that open one booking.
//! Nothing here is stored, so nothing here can leak from a copy of the database without the secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use subtle::ConstantTimeEq;

use crate::id::{BookingId, BookingNo, WaitlistId};

/// Bits of half a reference: 8 characters of 5 bits are 40 bits.
const HALF_BITS: u32 = 20;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
/// Rounds of the Feistel network; four are a strong permutation (Luby and Rackoff), the rest is margin.
const ROUNDS: u8 = 6;
/// How many bookings one instance can name: 2^40.
pub const MAX_BOOKING_NO: i64 = (1 << (2 * HALF_BITS)) - 1;
/// Crockford's alphabet in upper case: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a booking reference.
pub const REFERENCE_LEN: usize = 8;
/// Bytes of a token before it is written in base64.
const TOKEN_BYTES: usize = 18;

/// The secret of one instance, 32 random bytes made at its first start. Never logged, never shown.
#[derive(Clone)]
pub struct InstanceSecret([u8; 32]);

impl std::fmt::Debug for InstanceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceSecret(..)")
    }
}

impl InstanceSecret {
    /// The secret that has these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn round(&self, round: u8, half: u64) -> u64 {
        let (low, high) = self.0.split_at(8);
        let key0 = u64::from_le_bytes(low.try_into().expect("eight bytes"));
        let key1 = u64::from_le_bytes(high[..8].try_into().expect("eight bytes"));
        let mut hasher = SipHasher24::new_with_keys(key0, key1);
        hasher.write_u8(round);
        hasher.write_u64(half);
        hasher.finish() & HALF_MASK
    }

    /// The reference of booking `no`: a keyed permutation of the counter, so two bookings never share one
    /// and nobody can guess the next. `no` must lie in `0..=MAX_BOOKING_NO`.
    #[must_use]
    pub fn reference(&self, no: BookingNo) -> String {
        let counter = u64::try_from(no.0).expect("booking numbers are counted from 1");
        assert!(counter <= MAX_BOOKING_NO.unsigned_abs(), "booking numbers end at 2^40");
        let (mut left, mut right) = (counter >> HALF_BITS, counter & HALF_MASK);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        let value = (left << HALF_BITS) | right;
        (0..REFERENCE_LEN)
            .rev()
            .map(|digit| char::from(ALPHABET[((value >> (5 * digit)) & 31) as usize]))
            .collect()
    }

    /// The booking number behind a reference as a person may type it: case does not matter, `O` reads as
    /// `0`, `I` and `L` as `1`, hyphens and blanks are passed over (Crockford's rules).
    #[must_use]
    pub fn booking_no(&self, reference: &str) -> Option<BookingNo> {
        let mut value = 0u64;
        let mut digits = 0;
        for c in reference.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|&a| char::from(a) == c)?;
            value = (value << 5) | digit as u64;
            digits += 1;
            if digits > REFERENCE_LEN {
                return None;
            }
        }
        if digits != REFERENCE_LEN {
            return None;
        }
        let (mut left, mut right) = (value >> HALF_BITS, value & HALF_MASK);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        i64::try_from((left << HALF_BITS) | right).ok().map(BookingNo)
    }

    /// The token that lets its bearer act on the booking: HMAC-SHA-256 over the id, cut to 144 bits.
    #[must_use]
    pub fn booking_token(&self, id: BookingId) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(b"booking-token\0", &id.to_bytes()))
    }

    /// Whether `token` opens booking `id`; takes the same time wherever they differ.
    #[must_use]
    pub fn opens(&self, id: BookingId, token: &str) -> bool {
        self.booking_token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// The token that lets its bearer act on an entry of a waitlist, made as [`InstanceSecret::booking_token`].
    #[must_use]
    pub fn waitlist_token(&self, id: WaitlistId) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(b"waitlist-token\0", &id.to_bytes()))
    }

    /// Whether `token` opens the entry `id`; takes the same time wherever they differ.
    #[must_use]
    pub fn opens_entry(&self, id: WaitlistId, token: &str) -> bool {
        self.waitlist_token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// A keyed digest of `data` for one `purpose` (a short name ending in a zero byte).
    #[must_use]
    pub fn mac(&self, purpose: &[u8], data: &[u8]) -> [u8; TOKEN_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose);
        mac.update(data);
        mac.finalize().into_bytes()[..TOKEN_BYTES].try_into().expect("a digest has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret() -> InstanceSecret {
        InstanceSecret::new([7; 32])
    }

    proptest! {
        #[test]
        fn every_reference_leads_back_to_its_booking(no in 0..=MAX_BOOKING_NO) {
            let reference = secret().reference(BookingNo(no));
            prop_assert_eq!(reference.len(), REFERENCE_LEN);
            prop_assert_eq!(secret().booking_no(&reference.to_lowercase()), Some(BookingNo(no)));
        }
    }

    #[test]
    fn neighbouring_bookings_have_unrelated_references() {
        let first: std::collections::HashSet<_> =
            (0..2000).map(|n| secret().reference(BookingNo(n))).collect();
        assert_eq!(first.len(), 2000);
        let (a, b) = (secret().reference(BookingNo(1)), secret().reference(BookingNo(2)));
        let same = a.bytes().zip(b.bytes()).filter(|(x, y)| x == y).count();
        assert!(same < 4, "{a} {b}");
    }

    #[test]
    fn a_token_opens_its_own_booking_only() {
        let (a, b) = (BookingId::from_bits(1), BookingId::from_bits(2));
        let token = secret().booking_token(a);
        assert!(secret().opens(a, &token));
        assert!(!secret().opens(b, &token));
        assert!(!secret().opens(a, &token[1..]));
        assert!(!InstanceSecret::new([8; 32]).opens(a, &token));
    }

    #[test]
    fn references_that_nobody_wrote_are_told_apart() {
        for text in ["", "7K3QW9Z", "7K3QW9ZDD", "7K3QW9Z!"] {
            assert_eq!(secret().booking_no(text), None, "{text}");
        }
    }
}
