//! The report as a page of the documentation.

use crate::figure::Figure;
use crate::figures::Entry;
use crate::lab::Lab;
use crate::machine::Machine;
use crate::table::TITLES;

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`; do not edit. Each figure stands beside its baseline, measured in turns with it in the
same run on the same disk, so that what counts is the ratio: absolute numbers are those of one small machine, and the
load generator shares its cores. Where there are several rounds the median is given, and the smallest and largest.
";

/// The page.
pub(crate) fn render(machine: &Machine, lab: &Lab, measured: &[(&Entry, Vec<Figure>)]) -> String {
    let mut out = format!("{HEAD}\n{machine}\n");
    out.push_str(&format!("- rounds: {}\n", lab.rounds()));
    out.push_str(&summary(measured));
    for (entry, figures) in measured {
        out.push_str(&format!("\n## {}\n\n{}\n\n", entry.title, entry.how));
        out.push_str(&row(&TITLES.map(str::to_owned)));
        out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for figure in figures {
            out.push_str(&row(&figure.cells()));
        }
        let notes: Vec<_> = figures.iter().filter_map(|figure| figure.note.as_ref()).collect();
        if !notes.is_empty() {
            out.push('\n');
        }
        for note in notes {
            out.push_str(&format!("- {note}\n"));
        }
    }
    out
}

fn summary(measured: &[(&Entry, Vec<Figure>)]) -> String {
    let misses: Vec<String> = measured
        .iter()
        .flat_map(|(entry, figures)| {
            figures
                .iter()
                .filter_map(Figure::shortfall)
                .map(move |shortfall| format!("- {} – {shortfall}\n", entry.title))
        })
        .collect();
    if misses.is_empty() {
        return "\nEvery target is met.\n".to_owned();
    }
    format!("\nTargets missed:\n\n{}", misses.concat())
}

fn row(cells: &[String; 7]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Bound, Samples, Unit};

    #[test]
    fn misses_are_named_first_and_by_how_much() {
        let entry = &crate::figures::ALL[0];
        let figure =
            |seconds| Figure::limit("start", &Samples::once(seconds, Unit::Seconds), Bound::AtMost(2.0));
        assert_eq!(summary(&[(entry, vec![figure(1.0)])]), "\nEvery target is met.\n");
        let text = summary(&[(entry, vec![figure(1.0), figure(3.0)])]);
        assert!(text.ends_with("start: 50 % above the target\n"), "{text}");
        assert_eq!(text.matches("- ").count(), 1, "{text}");
    }
}
