//! As much of Markdown as the check needs: links, headings and code between backticks, outside of code blocks.

/// The lines that are not part of a fenced code block, with their numbers from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// The line without what stands between backticks, and what stands there.
fn split_code(line: &str) -> (String, Vec<&str>) {
    let (mut rest, mut code) = (String::new(), Vec::new());
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 0 {
            rest.push_str(part);
        } else {
            code.push(part);
        }
    }
    (rest, code)
}

/// The targets of all links, with their lines.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let (line, _) = split_code(line);
        let mut rest = line.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else { break };
            found.push((number, target.to_owned()));
            rest = after;
        }
    }
    found
}

/// What stands between backticks, with its lines.
pub(super) fn code(text: &str) -> Vec<(usize, &str)> {
    prose(text)
        .flat_map(|(number, line)| split_code(line).1.into_iter().map(move |code| (number, code)))
        .collect()
}

/// The anchors of all headings, as GitHub makes them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The contents of the first code block of that language.
pub(super) fn block<'a>(text: &'a str, language: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("```{language}\n"))?;
    rest.split_once("```").map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# One, two\n\nSee [a](a.md) and [b](b.md#c), not `[x](y)`.\n```json\n[no](no.md)\n```\n## It's `so`\n";

    #[test]
    fn links_in_code_are_no_links() {
        assert_eq!(links(PAGE), [(3, "a.md".to_owned()), (3, "b.md#c".to_owned())]);
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchors(PAGE), ["one-two", "its-so"]);
    }

    #[test]
    fn code_and_blocks_are_found() {
        assert_eq!(code(PAGE), [(3, "[x](y)"), (7, "so")]);
        assert_eq!(block(PAGE, "json"), Some("[no](no.md)\n"));
    }
}
