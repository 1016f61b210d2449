//! Figures as a table for a terminal.

use crate::figure::Figure;
use crate::figures::Entry;

/// Titles of the columns of [`Figure::cells`].
pub(crate) const TITLES: [&str; 7] = ["figure", "measured", "beside", "baseline", "ratio", "target", ""];

/// A table under the entry's title.
pub(crate) fn render(entry: &Entry, figures: &[Figure]) -> String {
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(figures.iter().map(Figure::cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut out = format!("\n{} ({})\n", entry.title, entry.name);
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
    }
    for note in figures.iter().filter_map(|figure| figure.note.as_ref()) {
        out.push_str(&format!("  - {note}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Bound, Samples, Unit};

    #[test]
    fn columns_line_up() {
        let entry = &crate::figures::ALL[0];
        let limit = |what: &str| Figure::limit(what, &Samples::once(1.0, Unit::Seconds), Bound::AtMost(2.0));
        let text = render(entry, &[limit("short").with_note("so it is"), limit("a longer name")]);
        let columns: Vec<_> = text.lines().filter_map(|line| line.find("1.00 s")).collect();
        assert_eq!(columns.len(), 2);
        assert_eq!(columns[0], columns[1]);
        assert!(text.contains("- so it is"));
    }
}
