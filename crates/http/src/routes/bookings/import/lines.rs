//! A body, cut into lines.

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream;
use lastseat_core::refusal::Code;

use crate::body::{Chunks, MAX_JSON_BYTES};
use crate::problem::Problem;

/// What some programs write at the very beginning of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a body, with their numbers from 1. Empty ones are passed over.
pub(super) struct Lines {
    chunks: Option<Chunks>,
    buffer: BytesMut,
    /// How far the buffer was searched for the end of a line.
    searched: usize,
    line: u64,
    /// Whether the line that is being read is too long, and is thrown away as it comes.
    too_long: bool,
}

/// A line, or what is wrong with it.
type Line = (u64, Result<Bytes, Problem>);

impl Lines {
    pub(super) fn new(chunks: Chunks) -> Self {
        Self { chunks: Some(chunks), buffer: BytesMut::new(), searched: 0, line: 0, too_long: false }
    }

    pub(super) fn stream(self) -> impl Stream<Item = Line> {
        stream::unfold(self, |mut lines| async { lines.next().await.map(|line| (line, lines)) })
    }

    async fn next(&mut self) -> Option<Line> {
        loop {
            while let Some(line) = self.cut() {
                if let Some(found) = self.finish(line) {
                    return Some(found);
                }
            }
            let chunks = self.chunks.as_mut()?;
            match chunks.next().await {
                Ok(Some(bytes)) => self.buffer.extend_from_slice(&bytes),
                Ok(None) => {
                    self.chunks = None;
                    let rest = self.buffer.split();
                    self.searched = 0;
                    return self.finish(rest);
                }
                Err(problem) => {
                    self.chunks = None;
                    self.buffer.clear();
                    self.searched = 0;
                    self.line += 1;
                    return Some((self.line, Err(problem)));
                }
            }
        }
    }

    /// The next whole line of the buffer.
    fn cut(&mut self) -> Option<BytesMut> {
        let unsearched = &self.buffer[self.searched..];
        let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            if self.searched > MAX_JSON_BYTES {
                self.too_long = true;
                self.buffer.clear();
                self.searched = 0;
            }
            return None;
        };
        let line = self.buffer.split_to(self.searched + end);
        self.buffer.advance(1);
        self.searched = 0;
        Some(line)
    }

    /// Counts a line; nothing if it is empty.
    fn finish(&mut self, mut line: BytesMut) -> Option<Line> {
        self.line += 1;
        if self.line == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        if std::mem::take(&mut self.too_long) || line.len() > MAX_JSON_BYTES {
            let text = format!("A line may have at most {MAX_JSON_BYTES} bytes.");
            return Some((self.line, Err(Problem::new(Code::TooLarge, text))));
        }
        let blank = line.iter().all(u8::is_ascii_whitespace);
        (!blank).then(|| (self.line, Ok(line.freeze())))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::StreamExt as _;
    use http::HeaderMap;

    use super::*;

    async fn lines(chunks: Vec<Vec<u8>>, limit: usize) -> Vec<(u64, Result<String, Code>)> {
        let chunks =
            stream::iter(chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk))));
        let body = Body::from_stream(chunks);
        let chunks = Chunks::new(&HeaderMap::new(), body, limit).await.unwrap();
        let text = |bytes: Bytes| String::from_utf8(bytes.into()).unwrap();
        let lines = Lines::new(chunks).stream();
        lines.map(|(line, read)| (line, read.map(text).map_err(|problem| problem.0.code))).collect().await
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_chunks_end() {
        let chunks = ["a\nb", "c", "\n\n \r\nd"].map(|text| text.as_bytes().to_vec()).to_vec();
        let found = lines(chunks, 100).await;
        let expected = [(1, "a"), (2, "bc"), (5, "d")].map(|(line, text)| (line, Ok(text.to_owned())));
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over_at_the_very_beginning_only() {
        let found = lines(vec![b"\xef\xbb".to_vec(), b"\xbfa\n\xef\xbb\xbfb\n".to_vec()], 100).await;
        assert_eq!(found, [(1, Ok("a".to_owned())), (2, Ok("\u{feff}b".to_owned()))]);
        assert_eq!(lines(vec!["\u{feff}\na".into()], 100).await, [(2, Ok("a".to_owned()))]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_told_and_the_next_is_read() {
        let long = vec![b'x'; MAX_JSON_BYTES / 2 + 1];
        let found =
            lines(vec![long.clone(), long.clone(), long, b"\nb\n".to_vec()], 10 * MAX_JSON_BYTES).await;
        assert_eq!(found, [(1, Err(Code::TooLarge)), (2, Ok("b".to_owned()))]);
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_ends_with_a_line_that_says_so() {
        let found = lines(vec![b"a\n".to_vec(), b"bbbb\n".to_vec()], 4).await;
        assert_eq!(found, [(1, Ok("a".to_owned())), (2, Err(Code::TooLarge))]);
    }
}
