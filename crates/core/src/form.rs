//! Reading a form: where it is wrong, by the path of the field, and how, in words for people.

use serde::de::{DeserializeOwned, Deserializer};

use crate::refusal::FieldError;

/// Reads a form.
///
/// # Errors
/// The first wrong field, with its path, or `body` for the whole.
pub fn read<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, FieldError>
where
    D::Error: std::fmt::Display,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // serde_json adds where in the text it was.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        explain(if path == "." { "" } else { &path }, message)
    })
}

/// serde's sentences as fragments that read after the field's name.
fn explain(path: &str, message: &str) -> FieldError {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let here = || if path.is_empty() { "body".to_owned() } else { path.to_owned() };
    let quoted = message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("missing field") {
        return FieldError::new(inside(quoted), "is missing");
    }
    if message.starts_with("duplicate field") {
        let field = if path.ends_with(quoted) { here() } else { inside(quoted) };
        return FieldError::new(field, "stands twice");
    }
    if message.starts_with("unknown field") {
        return FieldError::new(here(), "is not a field of this request");
    }
    if let Some((_, variants)) = message.split_once("`, expected ")
        && message.starts_with("unknown variant")
    {
        return FieldError::new(here(), format!("must be {variants}"));
    }
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((given, wanted)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        let wanted = match wanted {
            "i64" | "u32" | "u64" | "i32" => "an integer in range",
            "a boolean" => "true or false",
            other if other.starts_with("struct ") || other == "a map" => "an object",
            "a sequence" => "a list",
            other => other,
        };
        return FieldError::new(here(), format!("must be {wanted}, not {}", shortened(given)));
    }
    FieldError::new(here(), shortened(message))
}

/// Echoes of what the client sent stay short.
fn shortened(text: &str) -> String {
    const MOST_CHARS: usize = 160;
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
