//! Seals: what shows that a form comes from a page that this browser was given, and from no other site.
//!
//! A browser has a random cookie; each page carries a fresh number with a keyed digest of both. The number also
//! makes forms idempotent: sending the very same form twice (a double click, a reload) does its work once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use lastseat_core::command::{Idempotency, IdempotencyKey};
use lastseat_core::secret::InstanceSecret;
use lastseat_engine::ids;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::form::Form;

/// The name of the hidden field.
pub(crate) const FIELD: &str = "seal";
/// Keeps these digests apart from all others.
const PURPOSE: &[u8] = b"page-form\0";

/// A fresh random name: 128 bits.
#[must_use]
pub(crate) fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(ids::bits().to_be_bytes())
}

/// A seal for a page that is shown to `visitor`.
#[must_use]
pub(crate) fn make(secret: &InstanceSecret, visitor: &str) -> String {
    let number = fresh();
    let digest = digest(secret, visitor, &number);
    format!("{number}.{digest}")
}

/// Whether a form carries a seal that was made for `visitor`.
#[must_use]
pub(crate) fn is_good(secret: &InstanceSecret, visitor: &str, form: &Form) -> bool {
    let Some((number, found)) = form.get(FIELD).split_once('.') else { return false };
    digest(secret, visitor, number).as_bytes().ct_eq(found.as_bytes()).into()
}

fn digest(secret: &InstanceSecret, visitor: &str, number: &str) -> String {
    URL_SAFE_NO_PAD.encode(secret.mac(PURPOSE, format!("{visitor}\0{number}").as_bytes()))
}

/// What makes the same form, sent twice to the same address, one command. A form that was changed in between is
/// another command.
#[must_use]
pub(crate) fn idempotency(visitor: &str, path: &str, form: &Form) -> Idempotency {
    let mut hasher = Sha256::new();
    for part in
        ["page", visitor, path].into_iter().chain(form.fields().flat_map(|(name, value)| [name, value]))
    {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let half = |from: usize| <[u8; 16]>::try_from(&digest[from..from + 16]).expect("a digest has 32 bytes");
    Idempotency { key: IdempotencyKey(half(0)), fingerprint: half(16) }
}

/// Whether the browser says that a request comes from our own pages, or says nothing. The seal decides then.
#[must_use]
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    // Pages without referrers make older browsers send `null` for our own forms, too.
    let Some(origin) = text(ORIGIN.as_str()).filter(|origin| *origin != "null") else { return true };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    [HOST.as_str(), "x-forwarded-host"].into_iter().filter_map(text).any(|own| own.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn secret() -> InstanceSecret {
        InstanceSecret::new([7; 32])
    }

    fn sealed(seal: &str) -> Form {
        Form::new(vec![(FIELD.to_owned(), seal.to_owned())])
    }

    #[test]
    fn a_seal_is_good_for_its_visitor_only() {
        let seal = make(&secret(), "anna");
        assert!(is_good(&secret(), "anna", &sealed(&seal)));
        assert!(!is_good(&secret(), "ben", &sealed(&seal)));
        assert!(!is_good(&InstanceSecret::new([8; 32]), "anna", &sealed(&seal)));
        let (_, digest) = seal.split_once('.').unwrap();
        assert!(!is_good(&secret(), "anna", &sealed(&format!("{}.{digest}", fresh()))));
        for nothing in ["", ".", "a.b", digest] {
            assert!(!is_good(&secret(), "anna", &sealed(nothing)), "{nothing}");
        }
    }

    #[test]
    fn the_same_form_is_the_same_command_and_a_changed_one_is_not() {
        let form = |name: &str| {
            Form::new(vec![(FIELD.to_owned(), "1.2".to_owned()), ("name".to_owned(), name.to_owned())])
        };
        let of = |path: &str, name: &str| idempotency("v", path, &form(name));
        assert_eq!(of("/a", "x"), of("/a", "x"));
        assert_ne!(of("/a", "x").key, of("/a", "y").key);
        assert_ne!(of("/a", "x").key, of("/b", "x").key);
    }

    #[test]
    fn other_sites_are_told_apart() {
        let from = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            is_from_here(&headers)
        };
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
        assert!(from(&[("host", "seats.example:8080"), ("origin", "http://seats.example:8080")]));
        assert!(!from(&[("host", "seats.example"), ("origin", "https://evil.example")]));
        assert!(from(&[("host", "127.0.0.1:1"), ("x-forwarded-host", "a.b"), ("origin", "https://a.b")]));
        assert!(from(&[("origin", "null")]));
        assert!(from(&[]));
    }
}
