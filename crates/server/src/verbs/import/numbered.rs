//! Bytes on their way to a parser, with the numbers of the lines that they stand in. The parser counts neither empty
//! lines nor those that end in CR LF as people do, so what it says of lines is not used.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

/// Passes bytes on, and keeps in mind where each line begins that is not empty.
pub(super) struct Numbered {
    from: Box<dyn BufRead>,
    /// Bytes that were passed on.
    passed: u64,
    /// The number of the line that the next byte stands in, from 1.
    line: u64,
    /// Whether nothing of that line was passed on yet.
    is_start: bool,
    /// Whether the last byte was a CR: a LF after it belongs to the same end of a line.
    after_cr: bool,
    /// The place of the first byte of each line, and its number, from the last place that was asked for.
    starts: VecDeque<(u64, u64)>,
}

impl Numbered {
    pub(super) fn new(from: Box<dyn BufRead>) -> Self {
        Self { from, passed: 0, line: 1, is_start: true, after_cr: false, starts: VecDeque::new() }
    }

    /// The number of the first line that is not empty from the place `byte` on. Places are asked for in order.
    pub(super) fn line_from(&mut self, byte: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }
}

impl Read for Numbered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        for byte in &buffer[..read] {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.is_start = true;
                }
                _ if self.is_start => {
                    self.starts.push_back((self.passed, self.line));
                    self.is_start = false;
                }
                _ => {}
            }
            self.after_cr = *byte == b'\r';
            self.passed += 1;
        }
        Ok(read)
    }
}
