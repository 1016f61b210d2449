//! PDF (ISO 32000-1, section 7.5): a header, and at the end where to begin reading.
//!
//! A PDF is not rewritten. Its objects may be compressed, encrypted or signed; banks sign their receipts, and a
//! changed byte would break the signature that the reviewer may want to check. So its metadata (author, program,
//! dates) and whatever it contains, scripts included, stay as they were sent; only bytes after the end are cut.
//! What protects the reader is how it is served: as a download, sandboxed (see
//! [`serving_headers`](super::serving_headers)), to be opened by a viewer that is up to date.

use super::{ReceiptError, ReceiptType};

/// How a PDF file begins; the version follows. Readers tolerate other bytes in front, we do not.
pub(super) const SIGNATURE: &[u8] = b"%PDF-";
/// The end marker must begin in the last 1,024 bytes, as readers expect it.
const TAIL_BYTES: usize = 1024;
const END: &[u8] = b"%%EOF";

fn damaged(what: &'static str) -> ReceiptError {
    ReceiptError::Damaged { kind: ReceiptType::Pdf, what }
}

/// Checks the header and answers where the file ends: after its last end marker and that marker's line end.
pub(super) fn end(bytes: &[u8]) -> Result<usize, ReceiptError> {
    let version = bytes.get(SIGNATURE.len()..SIGNATURE.len() + 3).unwrap_or_default();
    if !matches!(version, [b'1' | b'2', b'.', digit] if digit.is_ascii_digit()) {
        return Err(damaged("it has no version"));
    }
    let tail = bytes.len().saturating_sub(TAIL_BYTES);
    let mut ends = (tail..bytes.len()).rev().filter(|&at| bytes[at..].starts_with(END));
    let marker = ends.find(|&at| says_where_to_begin(&bytes[..at]));
    let end = marker.ok_or_else(|| damaged("it does not end like a PDF"))? + END.len();
    let line_end = match &bytes[end..] {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    Ok(end + line_end)
}

/// Whether the bytes before an end marker close with `startxref` and an offset inside the file.
fn says_where_to_begin(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (keyword, offset) = before.split_at(before.len() - digits);
    let offset = std::str::from_utf8(offset).ok().and_then(|text| text.parse::<usize>().ok());
    keyword.trim_ascii_end().ends_with(b"startxref") && offset.is_some_and(|offset| offset < before.len())
}

/// The file up to its end.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    Ok(bytes[..end(bytes)?].to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_pdf_is_kept_to_the_last_byte_so_that_its_signature_holds() {
        assert_eq!(strip(&samples::pdf()).unwrap(), samples::pdf());
    }

    #[test]
    fn what_follows_the_end_is_cut() {
        let junk = [&samples::pdf()[..], b"<script>alert(1)</script>"].concat();
        assert_eq!(strip(&junk).unwrap(), samples::pdf());
        let twice = [&samples::pdf()[..], b"%%EOF\n"].concat();
        assert_eq!(strip(&twice).unwrap(), samples::pdf());
        let far = [&samples::pdf()[..], &[b' '; TAIL_BYTES]].concat();
        assert_eq!(strip(&far), Err(damaged("it does not end like a PDF")));
    }

    #[test]
    fn an_update_that_was_appended_is_part_of_the_file() {
        let updated = [&samples::pdf()[..], b"1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\r\n"].concat();
        assert_eq!(strip(&updated).unwrap(), updated);
    }

    #[test]
    fn a_header_alone_is_no_pdf() {
        for file in [
            "%PDF-",
            "%PDF-1.7",
            "%PDF-1.7\n%%EOF",
            "%PDF-1.7\nstartxref\n999\n%%EOF",
            "%PDF-x.y\nstartxref\n0\n%%EOF",
        ] {
            assert!(matches!(strip(file.as_bytes()), Err(ReceiptError::Damaged { .. })), "{file}");
        }
    }
}
