//! `lastseat.toml`: one key per setting, no tables. Every complaint names the file and the line.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::FILE_KEY;
use super::layers::{Given, Known, Source, Value};
use crate::failure::Failure;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Adds what the file says to `given`, where the environment has not said it already.
///
/// # Errors
/// `Usage`, with the place, if the file cannot be read, is no TOML, has an unknown key, the same key twice,
/// or a value that the setting does not take.
pub(super) fn read(known: &Known, path: &Path, given: &mut Given) -> Result<(), Failure> {
    let text = load(path)
        .map_err(|why| Failure::usage(format_args!("cannot read the file {}: {why}", path.display())))?;
    let wrong = |line: usize, what: &str| Failure::usage(format_args!("{}:{line}: {what}", path.display()));
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        wrong(line, error.message())
    })?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (name, value) in table.get_ref() {
        let line = line_of(&text, name.span().start);
        let key = name.get_ref().replace('-', "_");
        if key == FILE_KEY || known.get(&key).is_none() {
            return Err(wrong(line, &unknown(known, name.get_ref(), &key)));
        }
        if let Some(before) = seen.insert(key.clone(), line) {
            return Err(wrong(line.max(before), &format!("`{key}` is set in line {} too", line.min(before))));
        }
        let Some(value) = as_flag(value.get_ref()) else {
            return Err(wrong(line, &format!("`{key}` must be a text, a number, true or false")));
        };
        known.check(&key, &value).map_err(|why| wrong(line, &format!("`{key}`: {why}")))?;
        let source = Source::File { path: path.to_owned(), line };
        given.entry(key).or_insert(Value { text: value, source });
    }
    Ok(())
}

fn load(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("it is larger than {MAX_FILE_BYTES} bytes"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn unknown(known: &Known, name: &str, key: &str) -> String {
    match known.like(key).filter(|like| *like != FILE_KEY) {
        Some(like) => format!("unknown key `{name}`; did you mean `{like}`?"),
        None => format!("unknown key `{name}`; `lastseat reference config` lists all keys"),
    }
}

/// A value as it would stand after the flag.
fn as_flag(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// The line, counted from 1, in which a byte stands.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}
