//! The bookings and the places in line that were got or opened in this browser, so that a closed tab loses nothing: a
//! cookie for each with ids and tokens, which no script can read. A page's own link works without it.

use std::fmt::Display;
use std::str::FromStr;

use lastseat_core::id::{BookingId, WaitlistId};
use lastseat_core::secret::InstanceSecret;

use super::cookies::{Cookie, SameSite};

/// Most of a kind that are remembered; the oldest goes first.
const MAX_REMEMBERED: usize = 12;
/// How long they are remembered after the last new one, in seconds: 90 days.
const MAX_AGE_SECONDS: i64 = 90 * 86_400;

/// What a browser remembers.
pub(crate) trait Remembered: Copy + Eq + FromStr + Display {
    /// The name of the cookie.
    const COOKIE: &'static str;

    /// Whether a token opens it.
    fn opened_by(self, token: &str, secret: &InstanceSecret) -> bool;
}

impl Remembered for BookingId {
    const COOKIE: &'static str = "lastseat_bookings";

    fn opened_by(self, token: &str, secret: &InstanceSecret) -> bool {
        secret.opens(self, token)
    }
}

impl Remembered for WaitlistId {
    const COOKIE: &'static str = "lastseat_waiting";

    fn opened_by(self, token: &str, secret: &InstanceSecret) -> bool {
        secret.opens_entry(self, token)
    }
}

/// The bookings of this browser, or its places in line, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wallet<I = BookingId>(Vec<(I, String)>);

impl<I> Default for Wallet<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<I: Remembered> Wallet<I> {
    /// What the cookie says. Entries with a wrong token are passed over.
    #[must_use]
    pub(crate) fn read(cookie: &str, secret: &InstanceSecret) -> Self {
        let entries = cookie.split('.').take(MAX_REMEMBERED).filter_map(|entry| {
            let (id, token) = entry.split_once(':')?;
            let id: I = id.parse().ok()?;
            id.opened_by(token, secret).then(|| (id, token.to_owned()))
        });
        Self(entries.collect())
    }

    /// The ids and tokens, the newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &str)> {
        self.0.iter().map(|(id, token)| (*id, token.as_str()))
    }

    /// The token of one of them, if it is remembered.
    #[must_use]
    pub(crate) fn token(&self, id: I) -> Option<&str> {
        self.iter().find_map(|(found, token)| (found == id).then_some(token))
    }

    /// The cookie that remembers this one, too.
    #[must_use]
    pub(crate) fn with(&self, id: I, token: &str) -> Cookie {
        let others = self.iter().filter(|(other, _)| *other != id);
        let all = std::iter::once((id, token)).chain(others).take(MAX_REMEMBERED);
        let value = all.map(|(id, token)| format!("{id}:{token}")).collect::<Vec<_>>().join(".");
        cookie(I::COOKIE, value, MAX_AGE_SECONDS)
    }
}

/// The cookies that forget them all.
#[must_use]
pub(crate) fn forget() -> [Cookie; 2] {
    [BookingId::COOKIE, WaitlistId::COOKIE].map(|name| cookie(name, String::new(), 0))
}

fn cookie(name: &'static str, value: String, max_age_seconds: i64) -> Cookie {
    Cookie { name, value, path: "/", max_age_seconds: Some(max_age_seconds), same_site: SameSite::Lax }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> InstanceSecret {
        InstanceSecret::new([7; 32])
    }

    #[test]
    fn what_is_remembered_comes_back_newest_first_and_once() {
        let mut wallet = Wallet::<BookingId>::default();
        for bits in [1, 2, 3, 2] {
            let id = BookingId::from_bits(bits);
            wallet = Wallet::read(&wallet.with(id, &secret().booking_token(id)).value, &secret());
        }
        let ids: Vec<_> = wallet.iter().map(|(id, _)| id.bits()).collect();
        assert_eq!(ids, [2, 3, 1]);
        assert!(wallet.token(BookingId::from_bits(3)).is_some());
        assert_eq!(wallet.token(BookingId::from_bits(4)), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_forged_ones_never_count() {
        let mut wallet = Wallet::<BookingId>::default();
        for bits in 0..20 {
            let id = BookingId::from_bits(bits);
            wallet = Wallet::read(&wallet.with(id, &secret().booking_token(id)).value, &secret());
        }
        assert_eq!(wallet.iter().count(), MAX_REMEMBERED);
        assert_eq!(wallet.token(BookingId::from_bits(0)), None);
        let forged =
            format!("{}:{}", BookingId::from_bits(9), secret().booking_token(BookingId::from_bits(8)));
        assert_eq!(Wallet::<BookingId>::read(&forged, &secret()), Wallet::default());
        assert_eq!(Wallet::<BookingId>::read("nonsense..:", &secret()), Wallet::default());
    }
}
