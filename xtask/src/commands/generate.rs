//! `cargo xtask generate`: the files that the program itself writes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{Workspace, capture, run as run_program};

/// One checked-in file, and the `lastseat` command line whose standard output it is. To add one, add a line to
/// [`FILES`].
struct Generated {
    path: &'static str,
    args: &'static [&'static str],
}

const FILES: &[Generated] = &[
    Generated { path: "docs/openapi.json", args: &["openapi"] },
    Generated { path: "docs/cli.md", args: &["reference", "cli"] },
    Generated { path: "docs/configuration.md", args: &["reference", "config"] },
    Generated { path: "docs/metrics.md", args: &["reference", "metrics"] },
];

/// Write the generated files: the API's description and the references.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if a file is not what it would be written as.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    run_program(&mut workspace.cargo(["build", "-p", "lastseat-server"]))?;
    if args.check { check(workspace) } else { write(workspace) }
}

/// Compares every file with what the program built last prints.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for file in FILES {
        let found =
            output_of(workspace, file).and_then(|text| compare(&workspace.root.join(file.path), &text));
        match found {
            Ok(()) => println!("{} is current", file.path),
            Err(error) => wrong.push(format!("{}: {error:#}", file.path)),
        }
    }
    if !wrong.is_empty() {
        bail!("not current (`cargo xtask generate` writes them):\n{}", wrong.join("\n"));
    }
    Ok(())
}

fn write(workspace: &Workspace) -> anyhow::Result<()> {
    for file in FILES {
        let text = output_of(workspace, file).with_context(|| format!("cannot generate {}", file.path))?;
        let path = workspace.root.join(file.path);
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", file.path))?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

/// What the program prints for a file. The settings of whoever runs this must not get into it.
fn output_of(workspace: &Workspace, file: &Generated) -> anyhow::Result<String> {
    let mut command = Command::new(workspace.lastseat());
    command.current_dir(&workspace.root).args(file.args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LASTSEAT_") {
            command.env_remove(name);
        }
    }
    let mut text =
        String::from_utf8(capture(&mut command)?.stdout).context("it printed something that is no text")?;
    if text.trim().is_empty() {
        bail!("`lastseat {}` printed nothing", file.args.join(" "));
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn compare(path: &Path, wanted: &str) -> anyhow::Result<()> {
    let present = std::fs::read_to_string(path).context("it is missing")?;
    if present == wanted {
        return Ok(());
    }
    let same = present.lines().zip(wanted.lines()).take_while(|(present, wanted)| present == wanted).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    bail!("line {} is {:?}, and should be {:?}", same + 1, line(&present), line(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_named_with_its_first_wrong_line() {
        let path = std::env::temp_dir().join(format!("lastseat-xtask-{}", std::process::id()));
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert!(compare(&path, "one\ntwo\n").is_ok());
        let error = compare(&path, "one\n2\n").unwrap_err().to_string();
        assert_eq!(error, r#"line 2 is "two", and should be "2""#);
        std::fs::remove_file(&path).unwrap();
        assert!(compare(&path, "one\n").is_err());
    }
}
