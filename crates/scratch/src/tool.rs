//! Finding programs.

use std::path::PathBuf;

use anyhow::Context;

/// The first of `names` that is an executable on the search path, or in `/usr/bin` or `/usr/sbin`. The environment
/// variable `variable`, if set, names another and is not checked.
///
/// # Errors
/// When there is none; the message names `package`, Debian's package that brings it.
pub fn tool(variable: &str, names: &[&str], package: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    find(names).with_context(|| missing(&names.join(" or "), package, variable))
}

/// The first of `names` that is a file in a directory of the search path.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/sbin".into()]).collect();
    names.iter().find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file()))
}

/// What to say about a program that is not there.
pub(crate) fn missing(program: &str, package: &str, variable: &str) -> String {
    format!(
        "{program} is not installed: Debian's package `{package}` brings it (`cargo xtask setup` installs it for the \
         tests); {variable} names another"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_the_search_path_is_found() {
        let found = tool("LASTSEAT_TEST_NO_SUCH_VARIABLE", &["no-such-program", "sh"], "dash").unwrap();
        assert!(found.ends_with("sh") && found.is_file());
    }

    #[test]
    fn a_missing_program_says_which_package_brings_it() {
        let error =
            tool("LASTSEAT_TEST_NO_SUCH_VARIABLE", &["no-such-program"], "no-such-package").unwrap_err();
        let said = error.to_string();
        assert!(said.contains("no-such-program") && said.contains("`no-such-package`"), "{said}");
    }
}
