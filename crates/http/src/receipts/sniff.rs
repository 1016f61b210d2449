//! What an upload really is, by its content alone.

use super::{MAX_RECEIPT_BYTES, ReceiptError, ReceiptType, jpeg, pdf, png, webp};

/// Recognises an upload. The file must begin like its type and be complete: all segments or chunks up to the end
/// marker are walked, so that a cut-off upload is refused while the sender can still send it again. No pixel is
/// decoded and nothing is inflated.
///
/// What follows the end marker does not matter here; [`strip`](super::strip()) cuts it.
///
/// # Errors
/// Every variant of [`ReceiptError`].
pub fn sniff(bytes: &[u8]) -> Result<ReceiptType, ReceiptError> {
    if bytes.len() > MAX_RECEIPT_BYTES {
        return Err(ReceiptError::TooLarge);
    }
    let kind = begins_like(bytes).ok_or(ReceiptError::Unrecognised)?;
    match kind {
        ReceiptType::Jpeg => jpeg::walk(bytes, |_| {})?,
        ReceiptType::Png => png::walk(bytes, |_| {})?,
        ReceiptType::WebP => webp::walk(bytes, |_, _| {})?,
        ReceiptType::Pdf => pdf::end(bytes).map(|_| ())?,
    }
    Ok(kind)
}

/// The type whose signature stands at the very first byte.
pub(super) fn begins_like(bytes: &[u8]) -> Option<ReceiptType> {
    match bytes {
        _ if bytes.starts_with(jpeg::SIGNATURE) => Some(ReceiptType::Jpeg),
        _ if bytes.starts_with(png::SIGNATURE) => Some(ReceiptType::Png),
        _ if bytes.starts_with(pdf::SIGNATURE) => Some(ReceiptType::Pdf),
        _ if webp::matches(bytes) => Some(ReceiptType::WebP),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_four_types_are_recognised() {
        assert_eq!(sniff(&samples::jpeg()), Ok(ReceiptType::Jpeg));
        assert_eq!(sniff(&samples::png()), Ok(ReceiptType::Png));
        assert_eq!(sniff(&samples::webp_lossy()), Ok(ReceiptType::WebP));
        assert_eq!(sniff(&samples::webp_lossless()), Ok(ReceiptType::WebP));
        assert_eq!(sniff(&samples::pdf()), Ok(ReceiptType::Pdf));
    }

    #[test]
    fn a_web_page_a_drawing_a_script_and_an_archive_are_refused_whatever_their_name() {
        let others: [&[u8]; 10] = [
            b"",
            b"<!doctype html><html><body>receipt.jpg</body></html>",
            b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"#!/bin/sh\necho receipt",
            b"PK\x03\x04\x14\0\0\0\0\0",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"BM\x3a\0\0\0",
            b"\0\0\0\x18ftypheic",
            b"RIFF\x04\0\0\0WAVE",
        ];
        for bytes in others {
            assert_eq!(sniff(bytes), Err(ReceiptError::Unrecognised), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_file_that_begins_with_something_else_is_refused() {
        for (_, file) in samples::all() {
            for before in [&b"<script>"[..], b"PK\x03\x04", b"\n", b"\0"] {
                assert_eq!(sniff(&[before, &file].concat()), Err(ReceiptError::Unrecognised));
            }
        }
    }

    #[test]
    fn a_signature_alone_is_not_enough() {
        for (kind, file) in samples::all() {
            let page = [&file[..12], b"<script>alert(1)</script>"].concat();
            assert!(matches!(sniff(&page), Err(ReceiptError::Damaged { .. })), "{kind}");
        }
    }

    #[test]
    fn a_cut_off_file_is_refused_wherever_it_was_cut() {
        for (kind, file) in samples::all() {
            // The last line end of a PDF is not needed.
            let needed = if kind == ReceiptType::Pdf { file.len() - 1 } else { file.len() };
            for length in 0..needed {
                assert!(sniff(&file[..length]).is_err(), "{kind} of {length} bytes");
            }
        }
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
        let mut file = samples::jpeg();
        file.resize(MAX_RECEIPT_BYTES, 0);
        assert_eq!(sniff(&file), Ok(ReceiptType::Jpeg));
        file.push(0);
        assert_eq!(sniff(&file), Err(ReceiptError::TooLarge));
    }

    #[test]
    fn pixels_that_would_fill_the_memory_are_refused_unread() {
        let mut file = samples::jpeg();
        let frame = file.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
        file[frame + 5..frame + 9].copy_from_slice(&[0x4E, 0x20, 0x4E, 0x20]);
        assert_eq!(sniff(&file), Err(ReceiptError::TooManyPixels { width: 20_000, height: 20_000 }));
        let mut file = samples::webp_lossless();
        file[21..25].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0x1F]);
        assert_eq!(sniff(&file), Err(ReceiptError::TooManyPixels { width: 16_384, height: 16_384 }));
    }
}
