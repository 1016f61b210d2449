//! What is taken out of an upload before it is stored or shown to anybody.

use super::sniff::begins_like;
use super::{ReceiptError, ReceiptType, jpeg, pdf, png, webp};

/// Copies a file without its metadata. The image data is copied byte for byte, never re-encoded, so nothing is
/// lost and nothing is decoded. Everything that is not on the list of what stays is gone.
///
/// | | stays | goes, among others |
/// | --- | --- | --- |
/// | JPEG | image data and its tables, JFIF density, Adobe colour transform, ICC profile, EXIF orientation | EXIF with place and time, XMP, IPTC, comments, thumbnails, further pictures |
/// | PNG | header, palette, transparency, image data, colour space, ICC profile up to 64 KiB, pixel size, EXIF orientation | texts, compressed or not, times, EXIF, animation frames, unknown chunks |
/// | WebP | picture, alpha plane, ICC profile, EXIF orientation | EXIF, XMP, unknown chunks |
/// | PDF | everything up to the last end marker, **its metadata and scripts included** | bytes after the end |
///
/// Bytes after the end of the file go in all four. An ICC profile is kept whole, with the texts inside it, which
/// name the profile and its maker. Where the orientation stays, it is written as a new EXIF block that holds
/// nothing else; an upright image gets none. The result is never longer than the upload, is recognised as the
/// same type again, and stripping it once more changes nothing.
///
/// # Errors
/// [`ReceiptError::Unrecognised`] if the bytes do not begin like `kind`; otherwise as [`sniff`](super::sniff()).
pub fn strip(kind: ReceiptType, bytes: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    if begins_like(bytes) != Some(kind) {
        return Err(ReceiptError::Unrecognised);
    }
    match kind {
        ReceiptType::Jpeg => jpeg::strip(bytes),
        ReceiptType::Png => png::strip(bytes),
        ReceiptType::WebP => webp::strip(bytes),
        ReceiptType::Pdf => pdf::strip(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::{samples, sniff};
    use super::*;

    #[test]
    fn bytes_after_the_end_are_cut_in_every_type() {
        for (kind, file) in samples::all() {
            let page = [&file[..], b"PK\x03\x04<script>alert(1)</script>"].concat();
            assert_eq!(strip(kind, &page), strip(kind, &file), "{kind}");
        }
    }

    #[test]
    fn a_file_is_not_stripped_as_another_type() {
        assert_eq!(strip(ReceiptType::Png, &samples::jpeg()), Err(ReceiptError::Unrecognised));
        assert_eq!(strip(ReceiptType::Pdf, b""), Err(ReceiptError::Unrecognised));
    }

    /// What holds for any bytes: no panic; what is recognised can be stripped; and the result is a fixed point.
    fn holds_for(bytes: &[u8]) {
        let Ok(kind) = sniff(bytes) else {
            for kind in ReceiptType::ALL {
                assert!(strip(kind, bytes).is_err(), "refused and yet stripped as {kind}");
            }
            return;
        };
        let clean = strip(kind, bytes).unwrap();
        assert!(clean.len() <= bytes.len());
        assert_eq!(sniff(&clean), Ok(kind));
        assert_eq!(strip(kind, &clean).unwrap(), clean);
    }

    /// One change of the kind that broken uploads and attackers make.
    #[derive(Debug, Clone)]
    enum Mutation {
        Set(Index, u8),
        Cut(Index),
        Remove(Index, usize),
        Insert(Index, Vec<u8>),
        Repeat(Index, usize),
    }

    fn mutation() -> impl Strategy<Value = Mutation> {
        prop_oneof![
            4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
            1 => any::<Index>().prop_map(Mutation::Cut),
            1 => (any::<Index>(), 1..20usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
            1 => (any::<Index>(), any::<Vec<u8>>()).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
            1 => (any::<Index>(), 1..60usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        ]
    }

    fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match mutation {
            Mutation::Set(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
            }
            Mutation::Cut(at) => bytes.truncate(place(at)),
            Mutation::Remove(at, length) => {
                let at = place(at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Mutation::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Mutation::Repeat(at, length) => {
                let at = place(at);
                let again = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_survived(bytes in any::<Vec<u8>>()) {
            holds_for(&bytes);
        }

        #[test]
        fn any_bytes_after_a_true_beginning_are_survived(
            file in prop::sample::select(samples::all()), at in any::<Index>(), bytes in any::<Vec<u8>>(),
        ) {
            holds_for(&[&file.1[..at.index(file.1.len())], &bytes].concat());
        }

        #[test]
        fn any_mutation_of_a_true_file_is_survived(
            file in prop::sample::select(samples::all()), mutations in prop::collection::vec(mutation(), 1..6),
        ) {
            let mut bytes = file.1;
            for change in &mutations {
                mutate(&mut bytes, change);
            }
            holds_for(&bytes);
        }

        #[test]
        fn any_contents_of_metadata_are_removed(payload in any::<Vec<u8>>(), marker in 0xE0..=0xFEu8) {
            let marker = if marker > 0xEF { 0xFE } else { marker };
            let secret = [samples::PLACE, &payload].concat();
            let jpeg = samples::jpeg_with(&[samples::jpeg_segment(marker, &secret)]);
            prop_assert_eq!(strip(ReceiptType::Jpeg, &jpeg).unwrap(), samples::jpeg());
            let png = samples::png_with(&[samples::png_chunk(b"tEXt", &secret)]);
            prop_assert_eq!(strip(ReceiptType::Png, &png).unwrap(), samples::png());
        }
    }
}
