//! `lastseat copy`: from a data directory to PostgreSQL and back.
//!
//! - `shop`: a shop with everything in it that a store can hold
//! - `seen`: all that can be seen of a store, to be compared
#![allow(unreachable_pub, reason = "the modules of a test program are for each other")]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

#[path = "../real/mod.rs"]
mod real;

mod seen;
mod shop;

mod interrupted;
mod refused;
mod there_and_back;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lastseat_testkit::lastseat_command;

/// `lastseat copy` between two places, as JSON, in a directory without a configuration file.
fn copying(from: &str, to: &str) -> Command {
    let mut command = lastseat_command().unwrap();
    command.current_dir(std::env::temp_dir()).args(["copy", "--json", "--from", from, "--to", to]);
    command.stdin(Stdio::null());
    command
}

/// Copies; gives what the command printed.
#[track_caller]
fn copy(from: &str, to: &str) -> serde_json::Value {
    let output = copying(from, to).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asserts that a copy is refused with a code and these words.
#[track_caller]
fn refused(from: &str, to: &str, code: i32, words: &str) {
    let output = copying(from, to).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{words:?} is not in {said:?}");
    assert!(output.stdout.is_empty(), "{said}");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
