//! Every refusal code has its page in `docs/errors/`, with the right status and an example that is one.

use std::path::Path;

use anyhow::bail;

use super::{markdown, read};

/// Where the codes are.
const CODES: &str = "crates/core/src/refusal.rs";
/// Where the pages are.
const PAGES: &str = "docs/errors";
/// The page that lists them all.
const INDEX: &str = "README.md";

/// A line like `SoldOut = "sold_out", 409, "Sold out";`.
struct Code<'a> {
    name: &'a str,
    status: u64,
    title: &'a str,
}

/// Everything that is wrong with the pages.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let source = read(&root.join(CODES))?;
    let codes: Vec<Code<'_>> = source.lines().filter_map(code).collect();
    if codes.is_empty() {
        bail!("no refusal codes were found in {CODES}");
    }
    let mut complaints = Vec::new();
    for code in &codes {
        match std::fs::read_to_string(root.join(PAGES).join(format!("{}.md", code.name))) {
            Ok(text) => complaints.extend(about(code, &text)),
            Err(error) => complaints.push(format!("{PAGES}/{}.md cannot be read: {error}", code.name)),
        }
    }
    for entry in std::fs::read_dir(root.join(PAGES))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        if file != INDEX && !codes.iter().any(|code| file.strip_suffix(".md") == Some(code.name)) {
            complaints.push(format!("{PAGES}/{file} is about a code that does not exist"));
        }
    }
    let index = read(&root.join(PAGES).join(INDEX))?;
    let listed: Vec<String> =
        index.lines().filter(|line| line.contains(".md): ")).map(str::to_owned).collect();
    let wanted: Vec<String> = codes
        .iter()
        .zip(1..)
        .map(|(Code { name, status, .. }, number)| format!("{number}. [`{name}`]({name}.md): {status}, "))
        .collect();
    if listed.len() != wanted.len()
        || !listed.iter().zip(&wanted).all(|(line, wanted)| line.starts_with(wanted))
    {
        complaints.push(format!("{PAGES}/{INDEX} does not list the codes of {CODES} in their order"));
    }
    Ok(complaints)
}

fn code(line: &str) -> Option<Code<'_>> {
    let (_, rest) = line.trim().strip_suffix("\";")?.split_once(" = \"")?;
    let (name, rest) = rest.split_once("\", ")?;
    let (status, title) = rest.split_once(", \"")?;
    Some(Code { name, status: status.parse().ok()?, title })
}

fn about(code: &Code<'_>, text: &str) -> Vec<String> {
    let Code { name, status, title } = code;
    let mut complaints = Vec::new();
    if !text.starts_with(&format!("# {name} ({status})\n")) {
        complaints.push(format!("{PAGES}/{name}.md does not begin with `# {name} ({status})`"));
    }
    let example =
        markdown::block(text, "json").and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let right = example.is_some_and(|example| {
        example["type"] == format!("/errors/{name}")
            && example["title"] == *title
            && example["status"] == *status
            && example["code"] == *name
            && example["detail"].is_string()
    });
    if !right {
        complaints.push(format!("{PAGES}/{name}.md has no example with the code's type, title and status"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"    SoldOut = "sold_out", 409, "Sold out";"#;
    const PAGE: &str = "# sold_out (409)\n\n```json\n{\"type\": \"/errors/sold_out\", \"title\": \"Sold out\", \
        \"status\": 409, \"detail\": \"It is.\", \"code\": \"sold_out\"}\n```\n";

    #[test]
    fn a_page_with_another_status_or_a_stale_example_is_found() {
        let code = code(LINE).unwrap();
        assert!(about(&code, PAGE).is_empty());
        assert_eq!(about(&code, &PAGE.replace("(409)", "(410)")).len(), 1);
        assert_eq!(about(&code, &PAGE.replace("Sold out", "Gone")).len(), 1);
        assert_eq!(about(&code, "").len(), 2);
    }

    #[test]
    fn all_codes_of_the_core_are_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let source = read(&root.join(CODES)).unwrap();
        let documented =
            source.lines().filter(|line| line.trim().ends_with("\";") && line.contains(" = \"")).count();
        assert_eq!(source.lines().filter_map(code).count(), documented);
        assert!(documented > 20);
    }
}
