//! The variables `LASTSEAT_<NAME>`.

use std::ffi::OsString;

use super::layers::{Given, Known, PREFIX, Source, Value};
use crate::failure::Failure;

/// Takes the settings out of `variables`, and warns of those that look like settings and are none. An empty
/// one counts as not set.
///
/// # Errors
/// `Usage` for a value that its setting does not take.
pub(super) fn read(
    known: &Known,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Given, Vec<String>), Failure> {
    let (mut given, mut warnings) = (Given::new(), Vec::new());
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if value.is_empty() {
            continue;
        }
        let key = name[PREFIX.len()..].to_lowercase();
        if known.get(&key).is_none() {
            let hint = known
                .like(&key)
                .map(|like| format!("; did you mean {}?", super::layers::variable_of(like)))
                .unwrap_or_default();
            warnings.push(format!("the variable {name} is no setting of lastseat and has no effect{hint}"));
            continue;
        }
        let Some(text) = value.to_str() else {
            return Err(Failure::usage(format_args!("the variable {name} is not valid UTF-8")));
        };
        known
            .check(&key, text)
            .map_err(|wrong| Failure::usage(format_args!("the variable {name}: {wrong}")))?;
        let value = Value { text: text.to_owned(), source: Source::Environment(name.to_owned()) };
        given.insert(key, value);
    }
    warnings.sort();
    Ok((given, warnings))
}
