//! No dependency has a known vulnerability, as far as the advisory database can be had.

use anyhow::{Context, bail};

use crate::run::Workspace;
use crate::steps::Outcome;

/// What cargo-deny says when the database is out of reach.
const UNREACHABLE: &[&str] = &["failed to fetch advisory database", "failed to load advisory database"];

/// Runs `cargo deny check advisories`; without a database there is nothing to compare with, and that is said.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    println!("$ cargo deny check advisories");
    let mut command = workspace.cargo(["deny", "check", "advisories"]);
    let output = command.output().context("cannot start cargo deny")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(Outcome::Passed);
    }
    if UNREACHABLE.iter().any(|sign| said.contains(sign)) {
        return Ok(Outcome::Skipped(
            "the advisory database cannot be reached from here, so nobody has looked for known vulnerabilities".to_owned(),
        ));
    }
    println!("{said}");
    bail!("a dependency has a known problem")
}
