//! The documents are true as far as a program can tell: links lead somewhere, files and names that they mention are
//! there, and every refusal code has its page.

mod markdown;
mod refusals;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Where the documents are, relative to the workspace's root; in the root itself only the files are looked at.
const DOCS_DIR: &str = "docs";

/// Where the names come from that documents may mention.
const SOURCE_DIRS: &[&str] = &["crates", "xtask", ".github", ".config"];

/// The kinds of files that names come from.
const SOURCE_EXTENSIONS: &[&str] = &["rs", "sql", "toml", "html", "js", "css", "yml"];

/// Where paths like `core/src/lib.rs` begin, relative to the workspace's root.
const PATH_ROOTS: &[&str] = &["", "crates"];

/// The program writes these and `generate` compares them; they only add to the names that are known.
const GENERATED: &[&str] =
    &["docs/cli.md", "docs/configuration.md", "docs/metrics.md", "docs/openapi.json", "docs/benchmarks.md"];

/// Looks through all documents.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let pages = pages(root)?;
    let words = words(root)?;
    let mut complaints = refusals::check(root)?;
    for page in &pages {
        let text = read(&root.join(page))?;
        let name = page.display();
        complaints.extend(broken_links(root, page, &text)?.into_iter().map(|what| format!("{name}:{what}")));
        for (line, code) in markdown::code(&text) {
            if let Some(what) = unknown(root, &words, code) {
                complaints.push(format!("{name}:{line}: {what}"));
            }
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!(
        "{} documents: links, paths and names lead somewhere; every refusal code has its page",
        pages.len()
    );
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// All documents that people write, relative to the root.
fn pages(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).with_context(|| format!("cannot list {}", root.display()))? {
        found.push(entry?.path());
    }
    collect(&root.join(DOCS_DIR), &mut found)?;
    let mut pages: Vec<PathBuf> = found
        .iter()
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|path| path.strip_prefix(root).ok().map(Path::to_owned))
        .filter(|page| !GENERATED.iter().any(|generated| page == Path::new(generated)))
        .collect();
    pages.sort();
    Ok(pages)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Every word of the sources and of what the program writes about itself.
fn words(root: &Path) -> anyhow::Result<HashSet<String>> {
    let mut files: Vec<PathBuf> =
        GENERATED.iter().map(|path| root.join(path)).filter(|path| path.exists()).collect();
    for dir in SOURCE_DIRS.iter().map(|dir| root.join(dir)).filter(|dir| dir.exists()) {
        let mut found = Vec::new();
        collect(&dir, &mut found)?;
        files.extend(found.into_iter().filter(|path| {
            path.extension().is_some_and(|found| SOURCE_EXTENSIONS.iter().any(|wanted| found == *wanted))
        }));
    }
    let mut words = HashSet::new();
    for file in files {
        let text = read(&file)?;
        words.extend(text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_owned));
    }
    Ok(words)
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Links to files that are not there, and to headings that are not in them. Addresses elsewhere are not tried.
fn broken_links(root: &Path, page: &Path, text: &str) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    for (line, target) in markdown::links(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) =
            target.split_once('#').map_or((target.as_str(), None), |(path, rest)| (path, Some(rest)));
        let file = if path.is_empty() {
            root.join(page)
        } else {
            root.join(page.parent().unwrap_or(Path::new(""))).join(path)
        };
        if !file.exists() {
            broken.push(format!("{line}: the link to {target} leads nowhere"));
        } else if let Some(anchor) = anchor
            && !markdown::anchors(&read(&file)?).iter().any(|found| found == anchor)
        {
            broken.push(format!("{line}: there is no heading for the link to {target}"));
        }
    }
    Ok(broken)
}

/// What is wrong with a piece of code that names a file of ours or something in them.
fn unknown(root: &Path, words: &HashSet<String>, code: &str) -> Option<String> {
    let is_path = [".rs", ".sql"].iter().any(|end| code.ends_with(end))
        && code.contains('/')
        && !code.contains(['<', 'N']);
    if is_path {
        let there = PATH_ROOTS.iter().any(|dir| root.join(dir).join(code).exists());
        return (!there).then(|| format!("there is no file {code}"));
    }
    let is_name = code.starts_with(|c: char| c.is_ascii_alphabetic())
        && code.chars().all(|c| is_word(c) || c == ':')
        && (code.contains('_') || code.contains("::"))
        && !code.ends_with('_');
    let missing = |part: &&str| !part.is_empty() && !words.contains(*part);
    let unknown = code.split(':').find(missing).filter(|_| is_name)?;
    Some(format!("nothing in the sources is called {unknown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> HashSet<String> {
        ["World", "insert_booking", "no_oversell"].map(str::to_owned).into()
    }

    #[test]
    fn names_that_the_sources_do_not_have_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let wrong = |code: &str| unknown(root, &known(), code);
        assert_eq!(wrong("World::insert_booking"), None);
        assert_eq!(wrong("no_oversell"), None);
        assert_eq!(
            wrong("World::insert_bookings").unwrap(),
            "nothing in the sources is called insert_bookings"
        );
        assert_eq!(wrong("no_overselling").unwrap(), "nothing in the sources is called no_overselling");
        assert_eq!(wrong("cargo xtask"), None, "a command is no name");
        assert_eq!(wrong("held"), None, "a word is no name");
    }

    #[test]
    fn files_that_are_not_there_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(unknown(root, &known(), "xtask/src/main.rs"), None);
        assert_eq!(unknown(root, &known(), "core/src/lib.rs"), None);
        assert_eq!(
            unknown(root, &known(), "core/src/nothing.rs").unwrap(),
            "there is no file core/src/nothing.rs"
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let broken = |text: &str| broken_links(root, Path::new("docs/page.md"), text).unwrap();
        assert!(broken("[a](../CONTRIBUTING.md#tests) [b](https://example.org/x)").is_empty());
        assert_eq!(broken("[a](nothing.md)"), ["1: the link to nothing.md leads nowhere"]);
        assert_eq!(
            broken("\n[a](../CONTRIBUTING.md#nothing)"),
            ["2: there is no heading for the link to ../CONTRIBUTING.md#nothing"]
        );
    }
}
