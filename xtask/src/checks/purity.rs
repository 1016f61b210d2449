//! The core stays pure: nothing it is built from can run tasks, talk to a database or to a network.

use anyhow::bail;

use crate::run::{Workspace, capture};

/// The package that must stay pure.
const PACKAGE: &str = "lastseat-core";

/// Packages that it must not be built from, directly or not.
const FORBIDDEN: &[&str] = &[
    "axum",
    "crossbeam-channel",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "tokio",
    "tokio-postgres",
    "tower",
];

/// Looks through the core's dependency tree.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let tree = ["tree", "-p", PACKAGE, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let output = capture(&mut workspace.cargo(tree))?;
    let found = forbidden_in(&String::from_utf8_lossy(&output.stdout));
    if !found.is_empty() {
        bail!(
            "{PACKAGE} is built from {}; `cargo tree -p {PACKAGE} -e normal -i NAME` shows why",
            found.join(", ")
        );
    }
    println!("{PACKAGE} is built from no runtime, no database and no network library");
    Ok(())
}

/// The forbidden packages in a tree with one package per line, `NAME vVERSION`.
fn forbidden_in(tree: &str) -> Vec<&'static str> {
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    FORBIDDEN.iter().copied().filter(|forbidden| names.contains(forbidden)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_in_the_tree_is_found_and_a_similar_name_is_not() {
        let tree = "lastseat-core v0.1.0 (/somewhere)\nserde v1.0.0\nrand_core v0.9.0\ntokio v1.54.0 (*)\n";
        assert_eq!(forbidden_in(tree), ["tokio"]);
    }
}
