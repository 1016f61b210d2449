//! Files stay short, and nothing half done is checked in.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The longest that a file of our own may be, in lines. Over that it is two things.
const FILE_LIMIT_LINES: usize = 500;

/// Files that may be longer, each with its reason in a comment beside it.
const LONG_FILES: &[&str] = &[];

/// What is looked at, relative to the workspace's root.
const SOURCE_DIRS: &[&str] = &["crates", "xtask"];

/// The kinds of files that are looked at.
const EXTENSIONS: &[&str] = &["rs", "sql", "html", "css", "js"];

/// Directories with the work of others, which is taken as it is.
const VENDOR_DIR: &str = "vendor";

/// What must not be in a Rust file. Written in two parts, so that this file does not hold it.
const UNFINISHED: &[&str] = &[concat!("todo", "!"), concat!("unimplemented", "!"), concat!("#[", "ignore")];

/// Looks through all sources.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for dir in SOURCE_DIRS {
        collect(&root.join(dir), &mut files)?;
    }
    files.sort();
    let mut complaints = Vec::new();
    for path in &files {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        complaints.extend(complaints_about(&name, &text));
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!("{} files, none over {FILE_LIMIT_LINES} lines, none half done", files.len());
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if entry.file_name() != VENDOR_DIR {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|found| EXTENSIONS.iter().any(|wanted| found == *wanted)) {
            files.push(path);
        }
    }
    Ok(())
}

fn complaints_about(name: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LIMIT_LINES && !LONG_FILES.contains(&name) {
        complaints.push(format!("{name} has {lines} lines, and the limit is {FILE_LIMIT_LINES}"));
    }
    if name.ends_with(".rs") {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(found) = UNFINISHED.iter().find(|word| line.contains(**word)) {
                complaints.push(format!("{name}:{number} holds {found}"));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_named() {
        assert!(complaints_about("a.rs", &"x\n".repeat(500)).is_empty());
        assert_eq!(
            complaints_about("a.rs", &"x\n".repeat(501)),
            ["a.rs has 501 lines, and the limit is 500"]
        );
    }

    #[test]
    fn unfinished_work_is_named_with_its_line() {
        let text = format!("fn a() {{}}\nfn b() {{ {}() }}\n", UNFINISHED[0]);
        assert_eq!(complaints_about("a.rs", &text), [format!("a.rs:2 holds {}", UNFINISHED[0])]);
        assert!(complaints_about("a.css", &text).is_empty());
    }
}
