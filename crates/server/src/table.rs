//! Tables for people: columns as wide as their longest entry, the last one as long as it is.

use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
const GAP: usize = 2;

/// A table with a heading. Line breaks and other control characters of entries become blanks.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let clean = |text: &str| text.replace(|c: char| c.is_control(), " ");
    let heading: Vec<String> = heading.iter().map(|text| (*text).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(&heading)
        .chain(rows)
        .map(|row| row.iter().map(|text| clean(text)).collect())
        .collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| text.width()).max();
    let widths: Vec<usize> = (0..heading.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (text, width) in row.iter().zip(&widths) {
            line.push_str(text);
            line.push_str(&" ".repeat(width - text.width() + GAP));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = [vec!["a".to_owned(), "x\ny".to_owned()], vec!["東京".to_owned(), String::new()]];
        assert_eq!(table(&["ID", "TITLE"], &rows), "ID    TITLE\na     x y\n東京\n");
    }
}
