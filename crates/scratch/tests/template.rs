//! The cluster that all others are copied from.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use lastseat_scratch::Postgres;

/// Set in the process that has a temporary directory of its own.
const ALONE: &str = "LASTSEAT_TEST_ALONE";

/// Runs the rest of the test of this name in a process of its own, whose temporary directory nobody else uses: `true`
/// there.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let dir = tempfile::tempdir().unwrap();
    // The user that PostgreSQL runs as has to pass.
    set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env("TMPDIR", dir.path()).env(ALONE, "yes");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    false
}

/// The only thing in a directory besides the lock file.
fn only_entry(dir: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.is_dir()).unwrap()
}

#[test]
fn a_template_of_which_something_is_missing_is_made_again() {
    if is_alone("a_template_of_which_something_is_missing_is_made_again") {
        let first = Postgres::start().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let shared = std::env::temp_dir().join(format!("lastseat-scratch-{user}")).join("postgres");
        let template = only_entry(&shared);
        let missing = template.join("data/pg_notify");
        std::fs::remove_dir(&missing).unwrap();
        let second = Postgres::start().unwrap();
        assert!(missing.is_dir());
        assert_ne!(first.url(), second.url(), "it has another password too");
        for server in [first, second] {
            server.sql("postgres", "SELECT 1").unwrap();
        }
    }
}

#[test]
fn a_template_that_others_may_write_to_is_not_used() {
    if is_alone("a_template_that_others_may_write_to_is_not_used") {
        let user = rustix::process::geteuid().as_raw();
        let dir = std::env::temp_dir().join(format!("lastseat-scratch-{user}"));
        std::fs::create_dir(&dir).unwrap();
        set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        let error = Postgres::start().unwrap_err().to_string();
        assert!(error.contains("open to others"), "{error}");
    }
}
