//! What holds in the end, and where it comes from.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use serde::Serialize;

use super::layers::{Given, key_of};

/// What is shown instead of a secret.
const MASK: &str = "********";
/// Settings that are secrets as a whole.
const SECRETS: &[&str] = &["admin_key", "key"];

/// A setting as it holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Effective {
    /// Its key in the file.
    pub(crate) key: String,
    /// Its value; none where it is not set and has no default. Secrets are masked.
    pub(crate) value: Option<String>,
    /// Who says so: `command line`, `environment LASTSEAT_X`, `lastseat.toml:3`, `default` or `not set`.
    pub(crate) source: String,
}

/// The settings of `verb` in the order of its help, with the values that `matches` has for them. Those in
/// `leave_out` are not about the configuration.
pub(crate) fn of(verb: &Command, matches: &ArgMatches, given: &Given, leave_out: &[&str]) -> Vec<Effective> {
    let mut all = Vec::new();
    for arg in verb.get_arguments() {
        let Some(key) = key_of(arg).filter(|key| !leave_out.contains(&key.as_str())) else { continue };
        let id = arg.get_id().as_str();
        let raw = matches.try_get_raw(id).ok().flatten().and_then(|mut values| values.next());
        let source = match (matches.value_source(id), given.get(&key)) {
            (Some(ValueSource::CommandLine), _) => "command line".to_owned(),
            (_, Some(given)) => given.source.to_string(),
            (None, None) => "not set".to_owned(),
            _ => "default".to_owned(),
        };
        let value = raw.map(|value| masked(&key, &value.to_string_lossy()));
        all.push(Effective { key, value, source });
    }
    all
}

/// The value, fit to be shown.
fn masked(key: &str, value: &str) -> String {
    if SECRETS.contains(&key) {
        return MASK.to_owned();
    }
    let value = &without_parameter(value, "password=");
    // postgres://user:password@host
    match (value.find("://"), value.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            let (before, rest) = value.split_at(scheme + 3);
            let (who, host) = rest.split_at(at - scheme - 3);
            match who.split_once(':') {
                Some((user, _)) => format!("{before}{user}:{MASK}{host}"),
                None => value.to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

/// The value with whatever a parameter of its query says masked.
fn without_parameter(value: &str, name: &str) -> String {
    let Some((address, query)) = value.split_once('?') else { return value.to_owned() };
    let parts = query
        .split('&')
        .map(|part| if part.starts_with(name) { format!("{name}{MASK}") } else { part.to_owned() });
    format!("{address}?{}", parts.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_are_masked_and_the_rest_is_not() {
        assert_eq!(masked("admin_key", "0123456789abcdef"), MASK);
        assert_eq!(masked("key", ""), MASK);
        let url = "postgres://lastseat:p@ss:word@db.example.org/lastseat";
        assert_eq!(
            masked("database_url", url),
            format!("postgres://lastseat:{MASK}@db.example.org/lastseat")
        );
        let url = "postgres://lastseat@db/lastseat?connect_timeout=3&password=s3cret&application_name=x";
        assert_eq!(
            masked("database_url", url),
            format!("postgres://lastseat@db/lastseat?connect_timeout=3&password={MASK}&application_name=x")
        );
        for plain in ["127.0.0.1:8080", "http://127.0.0.1:8080", "postgres://lastseat@db/x", "a@b", "a@b://"]
        {
            assert_eq!(masked("url", plain), plain);
        }
    }
}
