//! How many files this process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process needs beside its connections.
const SPARE_FILES: u64 = 64;

/// Raises the soft limit of open files as far as `connections` need and the hard limit allows.
///
/// # Errors
/// A sentence that says what to do, if the hard limit is too low.
pub fn allow(connections: usize) -> anyhow::Result<()> {
    let wanted = connections as u64 + SPARE_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        anyhow::bail!(
            "{connections} connections need {wanted} open files; raise the limit with `ulimit -n {wanted}`"
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum.or(Some(wanted)), maximum: limit.maximum })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_connections_are_allowed_and_a_thousand_million_are_not() {
        assert!(allow(1_000).is_ok());
        if getrlimit(Resource::Nofile).maximum.is_some() {
            assert!(allow(1_000_000_000_000).unwrap_err().to_string().contains("ulimit"));
        }
    }
}
