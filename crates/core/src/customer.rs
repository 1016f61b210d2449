//! Customers: who a booking is for, and how limits recognise one who comes again.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::refusal::FieldError;

/// Longest name, note and the like, in characters.
pub const MAX_TEXT_CHARS: usize = 200;
/// Longest note or reason, in characters.
pub const MAX_NOTE_CHARS: usize = 2_000;

/// A person or party that books.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// What to call them; 1 to 200 characters.
    pub name: String,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number, as they write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Telegram's numeric user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram_id: Option<i64>,
    /// The id under which another system knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// What a store finds an identity by: its SHA-256, cut to 128 bits. Short, and of one length.
#[must_use]
pub fn identity_digest(identity: &str) -> [u8; 16] {
    let digest = Sha256::digest(identity.as_bytes());
    digest[..16].try_into().expect("a digest has 32 bytes")
}

impl Customer {
    /// The identity for limits: `external_id`, else `telegram_id`, else lower-cased `email`, else `phone`,
    /// else none, and then no limit applies. The first letter keeps the kinds apart.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        if let Some(id) = &self.external_id {
            return Some(format!("x:{id}"));
        }
        if let Some(id) = self.telegram_id {
            return Some(format!("t:{id}"));
        }
        if let Some(email) = &self.email {
            return Some(format!("e:{}", email.to_lowercase()));
        }
        self.phone.as_ref().map(|phone| format!("p:{phone}"))
    }

    /// Whether the name, identity or contact contains `text`, ignoring case in any script. `text` must be in
    /// lower case.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        let contains = |value: &String| value.to_lowercase().contains(text);
        let optional = [&self.email, &self.phone, &self.external_id];
        contains(&self.name)
            || optional.into_iter().flatten().any(contains)
            || self.telegram_id.is_some_and(|id| contains(&id.to_string()))
    }

    /// Everything that is wrong with what a client sent, each under `customer.`.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "customer.name", &self.name, MAX_TEXT_CHARS);
        let optional = [("email", &self.email), ("phone", &self.phone), ("external_id", &self.external_id)];
        for (field, value) in optional {
            if let Some(value) = value {
                check_text(&mut problems, &format!("customer.{field}"), value, MAX_TEXT_CHARS);
            }
        }
        if let Some(email) = &self.email
            && !email.trim().is_empty()
            && !looks_like_email(email)
        {
            problems.push(FieldError::new("customer.email", "is not an e-mail address"));
        }
        problems
    }
}

fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
}

/// Refuses an empty text, one over `max` characters, and control characters other than line breaks and tabs.
pub fn check_text(problems: &mut Vec<FieldError>, field: &str, value: &str, max: usize) {
    if value.trim().is_empty() {
        problems.push(FieldError::new(field, "must not be empty"));
    }
    check_optional_text(problems, field, value, max);
}

/// As [`check_text`], but an empty text is fine.
pub fn check_optional_text(problems: &mut Vec<FieldError>, field: &str, value: &str, max: usize) {
    // Bytes first: counting the characters of a megabyte is not worth it.
    if value.len() > max * 4 || value.chars().count() > max {
        problems.push(FieldError::new(field, format!("must have at most {max} characters")));
    } else if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        problems.push(FieldError::new(field, "must not contain control characters"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer() -> Customer {
        Customer { name: "Dilnoza K.".into(), ..Customer::default() }
    }

    #[test]
    fn identity_prefers_the_external_id_and_ignores_the_case_of_email() {
        let mut c = customer();
        assert_eq!(c.identity(), None);
        c.phone = Some("+998".into());
        assert_eq!(c.identity().as_deref(), Some("p:+998"));
        c.email = Some("D@Example.org".into());
        assert_eq!(c.identity().as_deref(), Some("e:d@example.org"));
        c.telegram_id = Some(7);
        assert_eq!(c.identity().as_deref(), Some("t:7"));
        c.external_id = Some("A1".into());
        assert_eq!(c.identity().as_deref(), Some("x:A1"));
    }

    #[test]
    fn empty_long_and_unprintable_names_are_named_as_wrong() {
        for name in ["", "  ", "a\u{0}b", &"x".repeat(201), &"x".repeat(1_000_000)] {
            let c = Customer { name: name.into(), ..customer() };
            assert_eq!(c.problems().len(), 1);
            assert_eq!(c.problems()[0].field, "customer.name");
        }
        assert!(customer().problems().is_empty());
    }
}
