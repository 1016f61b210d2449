//! PNG (ISO/IEC 15948): a signature, then chunks with a length, a name, contents and a checksum.
//!
//! Only a list of known chunks is copied, so text and unknown ones are gone without ever being inflated.

use bytes::Bytes;
use img_parts::png::PngChunk;

use super::{ReceiptError, ReceiptType, check_dimensions, exif};

/// The largest colour profile that is kept, in compressed bytes. A display's takes a few KiB; a larger one is left
/// out, because it may inflate to a thousand times its size in whatever shows the image.
const MAX_PROFILE_BYTES: usize = 64 * 1024;
/// Bytes of a chunk beside its contents: length, name, checksum.
const FRAME_BYTES: usize = 12;

/// How a PNG file begins.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// How far the walk has come: the image data is one uninterrupted run.
#[derive(PartialEq, Eq)]
enum ImageData {
    Ahead,
    Running,
    Behind,
}

fn damaged(what: &'static str) -> ReceiptError {
    ReceiptError::Damaged { kind: ReceiptType::Png, what }
}

/// One chunk, its checksum already found right.
pub(super) struct Chunk<'a> {
    kind: [u8; 4],
    contents: &'a [u8],
    /// The length, the name, the contents and the checksum, as they stand in the file.
    whole: &'a [u8],
}

/// Visits each chunk, `IEND` included, and refuses what is not a complete image. What follows `IEND` is not
/// looked at.
pub(super) fn walk<'a>(bytes: &'a [u8], mut visit: impl FnMut(&Chunk<'a>)) -> Result<(), ReceiptError> {
    let mut rest = bytes.get(SIGNATURE.len()..).unwrap_or_default();
    let mut colour = None;
    let (mut palette, mut data) = (false, ImageData::Ahead);
    loop {
        let chunk = take_chunk(&mut rest)?;
        let Chunk { kind, contents, .. } = chunk;
        if colour.is_none() != (&kind == b"IHDR") {
            return Err(damaged("its header is not the first chunk, and the only one"));
        }
        if &kind != b"IDAT" && data == ImageData::Running {
            data = ImageData::Behind;
        }
        match &kind {
            b"IHDR" => colour = Some(check_header(contents)?),
            b"PLTE" if palette || data != ImageData::Ahead || matches!(colour, Some(0 | 4)) => {
                return Err(damaged("a palette in the wrong place"));
            }
            b"PLTE"
                if contents.is_empty() || contents.len() > 3 * 256 || !contents.len().is_multiple_of(3) =>
            {
                return Err(damaged("a palette of the wrong length"));
            }
            b"PLTE" => palette = true,
            b"IDAT" if data == ImageData::Behind => return Err(damaged("its image data is interrupted")),
            b"IDAT" if colour == Some(3) && !palette => return Err(damaged("it has no palette")),
            b"IDAT" => data = ImageData::Running,
            b"IEND" if data == ImageData::Ahead || !contents.is_empty() => {
                return Err(damaged("it has no image data"));
            }
            b"IEND" => {}
            // The fifth bit of the first letter says whether an image can be shown without the chunk.
            [first, ..] if first & 0x20 == 0 => {
                return Err(ReceiptError::Unsupported {
                    kind: ReceiptType::Png,
                    what: "an unknown critical chunk",
                });
            }
            _ => {}
        }
        visit(&chunk);
        if &kind == b"IEND" {
            return Ok(());
        }
    }
}

/// Takes one chunk whose length fits and whose checksum is right.
fn take_chunk<'a>(rest: &mut &'a [u8]) -> Result<Chunk<'a>, ReceiptError> {
    let cut = || damaged("it ends inside a chunk");
    let length = u32::from_be_bytes(*rest.first_chunk().ok_or_else(cut)?);
    let total =
        usize::try_from(length).ok().and_then(|length| length.checked_add(FRAME_BYTES)).ok_or_else(cut)?;
    let (whole, tail) = rest.split_at_checked(total).ok_or_else(cut)?;
    let chunk =
        PngChunk::from_bytes(&mut Bytes::copy_from_slice(whole)).map_err(|_| damaged("a wrong checksum"))?;
    if !chunk.kind().iter().all(u8::is_ascii_alphabetic) {
        return Err(damaged("a chunk without a name"));
    }
    *rest = tail;
    Ok(Chunk { kind: chunk.kind(), contents: &whole[8..total - 4], whole })
}

/// Checks `IHDR` and answers the colour type.
fn check_header(contents: &[u8]) -> Result<u8, ReceiptError> {
    let &[w3, w2, w1, w0, h3, h2, h1, h0, depth, colour, compression, filter, interlace] = contents else {
        return Err(damaged("a header of the wrong length"));
    };
    let sane = matches!((colour, depth), (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) | (2 | 4 | 6, 8 | 16));
    if !sane || compression != 0 || filter != 0 || interlace > 1 {
        return Err(damaged("a header that makes no sense"));
    }
    let (width, height) = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
    check_dimensions(ReceiptType::Png, width, height)?;
    Ok(colour)
}

/// The file without metadata; see [`strip`](super::strip()) for what stays.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(SIGNATURE);
    walk(bytes, |&Chunk { kind, contents, whole }| match &kind {
        b"IHDR" | b"PLTE" | b"IDAT" | b"IEND" | b"tRNS" => out.extend_from_slice(whole),
        b"cHRM" | b"gAMA" | b"sRGB" | b"cICP" | b"sBIT" | b"pHYs" => out.extend_from_slice(whole),
        b"iCCP" if contents.len() <= MAX_PROFILE_BYTES => out.extend_from_slice(whole),
        b"eXIf" => {
            if let Some(value) = exif::orientation(contents) {
                let block = Bytes::copy_from_slice(&exif::only_orientation(value));
                out.extend_from_slice(&PngChunk::new(kind, block).encoder().bytes());
            }
        }
        _ => {}
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use img_parts::png::Png;

    use super::super::samples::{self, contains, png_chunk, png_with};
    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<String> {
        let reader = Png::from_bytes(Bytes::copy_from_slice(bytes)).unwrap();
        reader.chunks().iter().map(|chunk| String::from_utf8(chunk.kind().to_vec()).unwrap()).collect()
    }

    fn refused_because(bytes: &[u8]) -> &'static str {
        match strip(bytes) {
            Err(ReceiptError::Damaged { what, .. } | ReceiptError::Unsupported { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_times_and_exif_are_gone() {
        let clean = strip(&samples::png_of_a_screen()).unwrap();
        for secret in samples::SECRETS {
            assert!(!contains(&clean, secret), "{secret:?}");
        }
        assert_eq!(kinds(&clean), ["IHDR", "sRGB", "pHYs", "eXIf", "IDAT", "IEND"]);
    }

    #[test]
    fn a_compressed_text_bomb_is_left_out_without_being_inflated() {
        let bomb = samples::zlib_bomb(1 << 30);
        assert!(bomb.len() < 10 << 20);
        let text = [&b"Comment\0\0"[..], &bomb].concat();
        assert_eq!(strip(&png_with(&[png_chunk(b"zTXt", &text)])).unwrap(), samples::png());
    }

    #[test]
    fn a_profile_stays_unless_it_is_suspiciously_large() {
        let small = png_with(&[png_chunk(b"iCCP", b"Display P3\0\0x")]);
        assert_eq!(strip(&small).unwrap(), small);
        let large = png_with(&[png_chunk(b"iCCP", &vec![0; MAX_PROFILE_BYTES + 1])]);
        assert_eq!(strip(&large).unwrap(), samples::png());
    }

    #[test]
    fn the_frames_of_an_animation_go_and_the_still_image_stays() {
        let animated = png_with(&[png_chunk(b"acTL", &[0; 8]), png_chunk(b"fcTL", &[0; 26])]);
        assert_eq!(strip(&animated).unwrap(), samples::png());
    }

    #[test]
    fn a_header_that_makes_no_sense_is_refused() {
        let header = |contents: [u8; 13]| {
            let image = samples::png();
            [SIGNATURE, &png_chunk(b"IHDR", &contents), &image[33..]].concat()
        };
        assert!(strip(&header([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])).is_ok());
        for [depth, colour, interlace] in [[3, 2, 0], [16, 3, 0], [8, 5, 0], [8, 2, 2]] {
            let bytes = header([0, 0, 0, 1, 0, 0, 0, 1, depth, colour, 0, 0, interlace]);
            assert_eq!(refused_because(&bytes), "a header that makes no sense");
        }
        let huge = header([0, 1, 0, 0, 0, 1, 0, 0, 8, 2, 0, 0, 0]);
        assert_eq!(strip(&huge), Err(ReceiptError::TooManyPixels { width: 65_536, height: 65_536 }));
        assert_eq!(refused_because(&header([0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0])), "it has no palette");
    }

    #[test]
    fn chunks_out_of_order_are_refused() {
        let (image, text) = (samples::png(), png_chunk(b"tEXt", b"a\0b"));
        let (data, end) = (&image[33..image.len() - 12], png_chunk(b"IEND", &[]));
        let header_late = [SIGNATURE, &text, &image[8..]].concat();
        assert_eq!(refused_because(&header_late), "its header is not the first chunk, and the only one");
        assert_eq!(
            refused_because(&[&image[..33], data, &text, data, &end].concat()),
            "its image data is interrupted"
        );
        assert_eq!(refused_because(&[&image[..33], &end].concat()), "it has no image data");
        assert_eq!(refused_because(&png_with(&[png_chunk(b"CgBI", &[0; 4])])), "an unknown critical chunk");
        let mut flipped = image;
        flipped[45] ^= 1;
        assert_eq!(refused_because(&flipped), "a wrong checksum");
    }
}
