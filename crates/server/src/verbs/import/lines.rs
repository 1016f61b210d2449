//! From a file to the lines that a server reads, each with its number in the file.

use std::io::{BufRead, Read};

use clap::ValueEnum;

use super::columns::Columns;
use super::numbered::Numbered;
use crate::failure::Failure;
use crate::options::Input;

/// Longest line, in bytes: far more than any booking.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// How the file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values under a line with the columns' names.
    Csv,
}

/// A line of the file.
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// A JSON object for the server, or a sentence why the line cannot become one.
    pub(super) text: Result<String, String>,
}

/// The lines of a file.
pub(super) enum Lines {
    /// As they stand there.
    Jsonl { name: String, from: Box<dyn BufRead>, number: u64 },
    /// Made of columns.
    Csv { name: String, from: Box<csv::Reader<Numbered>>, columns: Columns },
}

impl Lines {
    /// The lines of what `input` names and `from` reads, written as `format` or as it looks.
    ///
    /// # Errors
    /// `Usage` if it cannot be read, or a column is not known.
    pub(super) fn new(
        input: &Input,
        from: impl BufRead + 'static,
        format: Option<Format>,
    ) -> Result<Self, Failure> {
        let name = input.to_string();
        let mut from: Box<dyn BufRead> = Box::new(from);
        let format = match format {
            Some(format) => format,
            None => guess(&name, &mut *from).map_err(|error| unreadable(&name, &error))?,
        };
        match format {
            Format::Jsonl => Ok(Self::Jsonl { name, from, number: 0 }),
            Format::Csv => {
                let mut options = csv::ReaderBuilder::new();
                let mut from = options.trim(csv::Trim::All).flexible(true).from_reader(Numbered::new(from));
                let heading = from.headers().map_err(|error| unreadable(&name, &error))?;
                let columns = Columns::of(heading)
                    .map_err(|wrong| Failure::usage(format_args!("{name}, line 1: {wrong}")))?;
                Ok(Self::Csv { name, from: Box::new(from), columns })
            }
        }
    }

    /// The next line that is not empty. One that cannot become a booking says so.
    ///
    /// # Errors
    /// `Usage` if it cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Failure> {
        match self {
            Self::Jsonl { name, from, number } => loop {
                let mut text = String::new();
                let read = from.by_ref().take(MAX_LINE_BYTES + 1).read_line(&mut text);
                if read.map_err(|error| unreadable(name, &error))? == 0 {
                    return Ok(None);
                }
                *number += 1;
                if text.len() as u64 > MAX_LINE_BYTES {
                    return Err(Failure::usage(format_args!(
                        "{name}, line {number}: it is longer than {MAX_LINE_BYTES} bytes; is this a file of JSON lines?"
                    )));
                }
                let text = text.trim().trim_start_matches('\u{feff}');
                if !text.is_empty() {
                    return Ok(Some(Line { number: *number, text: Ok(text.to_owned()) }));
                }
            },
            Self::Csv { name, from, columns } => {
                let mut record = csv::ByteRecord::new();
                if !from.read_byte_record(&mut record).map_err(|error| unreadable(name, &error))? {
                    return Ok(None);
                }
                let start = record.position().map_or(0, csv::Position::byte);
                let number = from.get_mut().line_from(start);
                let booking = csv::StringRecord::from_byte_record(record)
                    .map_err(|_| "it is not written in UTF-8".to_owned())
                    .and_then(|record| columns.booking(&record));
                Ok(Some(Line { number, text: booking.map(|booking| booking.to_string()) }))
            }
        }
    }
}

/// By the name's ending; else by whether the content begins like an object.
fn guess(name: &str, from: &mut dyn BufRead) -> std::io::Result<Format> {
    let name = name.to_lowercase();
    if name.ends_with(".csv") {
        return Ok(Format::Csv);
    }
    if [".jsonl", ".ndjson", ".json"].iter().any(|ending| name.ends_with(ending)) {
        return Ok(Format::Jsonl);
    }
    let first = from.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(if first.is_none_or(|byte| *byte == b'{') { Format::Jsonl } else { Format::Csv })
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format_args!("cannot read {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &'static str) -> Result<Vec<(u64, String)>, String> {
        let mut lines =
            Lines::new(&Input::File(name.into()), text.as_bytes(), None).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        while let Some(line) = lines.next().map_err(|e| e.to_string())? {
            all.push((line.number, line.text.unwrap_or_else(|why| format!("refused: {why}"))));
        }
        Ok(all)
    }

    #[test]
    fn json_lines_keep_their_numbers_past_empty_ones() {
        let all = lines("a.jsonl", "\u{feff}{\"a\":1}\n\n  {\"b\":2}").unwrap();
        assert_eq!(all, [(1, "{\"a\":1}".to_owned()), (3, "{\"b\":2}".to_owned())]);
    }

    #[test]
    fn what_a_file_is_shows_in_its_name_or_its_beginning() {
        assert_eq!(lines("-", " {}").unwrap().len(), 1);
        let csv = lines("export", "listing_id,pool,customer.name\nlst_1,standard,Sample").unwrap();
        assert_eq!(csv[0].0, 2);
        let wrong = lines("a.csv", "listing_id,pools\nlst_1,standard").unwrap_err();
        assert!(wrong.starts_with("a.csv, line 1: ") && wrong.contains("`pools`"), "{wrong}");
    }

    #[test]
    fn a_bad_line_of_csv_is_told_by_its_number_in_the_file_and_the_next_is_read() {
        for end in ["\n", "\r\n", "\r"] {
            let text = [
                "\u{feff}listing_id,pool,quantity,customer.name",
                "lst_1,standard,1,\"two",
                "",
                "lines\"",
                "",
                "",
                "lst_1,standard,x,Sample",
                "lst_1",
                "lst_1,standard,1,Sample,more",
                "lst_1,standard,2,Sample",
            ];
            let all = lines("a.csv", text.join(end).leak()).unwrap();
            let numbers: Vec<u64> = all.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers, [2, 7, 8, 9, 10], "{end:?}");
            assert_eq!(all[1].1, "refused: `quantity` must be a whole number, not `x`");
            assert_eq!(all[2].1, "refused: it has 1 cells, and there are 4 columns");
            assert_eq!(all[3].1, "refused: it has 5 cells, and there are 4 columns");
            assert!(all[0].1.starts_with('{') && all[4].1.starts_with('{'), "{all:?}");
        }
        let mut lines =
            Lines::new(&Input::File("a.csv".into()), b"pool,quantity\n\xff,1\nvip,1\n".as_slice(), None)
                .unwrap();
        let line = lines.next().unwrap().unwrap();
        assert_eq!((line.number, line.text.unwrap_err().as_str()), (2, "it is not written in UTF-8"));
        assert_eq!(lines.next().unwrap().unwrap().number, 3);
    }
}
