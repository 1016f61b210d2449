//! WebP (RFC 9649): a RIFF container with one picture, `VP8 ` or `VP8L`, and for anything beyond it a `VP8X`
//! header in front.

use super::{ReceiptError, ReceiptType, check_dimensions, exif};

/// Bytes before the first chunk: `RIFF`, the size of the rest, `WEBP`.
const FILE_HEADER_BYTES: usize = 12;
/// Bytes of a chunk before its contents: name and size.
const CHUNK_HEADER_BYTES: usize = 8;

const FLAG_PROFILE: u8 = 0b0010_0000;
const FLAG_ALPHA: u8 = 0b0001_0000;
const FLAG_EXIF: u8 = 0b0000_1000;
const FLAG_ANIMATION: u8 = 0b0000_0010;

/// Width and height in pixels.
type Size = (u32, u32);

fn damaged(what: &'static str) -> ReceiptError {
    ReceiptError::Damaged { kind: ReceiptType::WebP, what }
}

/// Whether the bytes begin like a WebP file.
pub(super) fn matches(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..FILE_HEADER_BYTES) == Some(b"WEBP")
}

/// Visits the name and the contents of each chunk inside the RIFF size, and refuses what is not one complete
/// still image. What follows the RIFF size is not looked at.
pub(super) fn walk<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(&'a [u8; 4], &'a [u8]),
) -> Result<(), ReceiptError> {
    let cut = || damaged("it is shorter than it says");
    let size = bytes.get(4..8).and_then(|size| size.first_chunk()).ok_or_else(cut)?;
    let end = usize::try_from(u32::from_le_bytes(*size))
        .ok()
        .and_then(|size| size.checked_add(8))
        .ok_or_else(cut)?;
    let mut rest = bytes.get(FILE_HEADER_BYTES..end).ok_or_else(cut)?;
    let (mut canvas, mut picture, mut first) = (None, None, true);
    while !rest.is_empty() {
        let (name, contents) = take_chunk(&mut rest)?;
        match name {
            b"VP8X" if first => canvas = Some(check_canvas(contents)?),
            b"VP8 " | b"VP8L" if picture.is_none() && (first || canvas.is_some()) => {
                let size = if name == b"VP8 " { lossy_size(contents) } else { lossless_size(contents) };
                let size = size.ok_or_else(|| damaged("a picture header that makes no sense"))?;
                check_dimensions(ReceiptType::WebP, size.0, size.1)?;
                picture = Some(size);
            }
            b"VP8X" | b"VP8 " | b"VP8L" => return Err(damaged("a second picture or header")),
            b"ANIM" | b"ANMF" => return Err(animated()),
            _ if first => return Err(damaged("it does not begin with a picture or a header")),
            _ => {}
        }
        visit(name, contents);
        first = false;
    }
    let picture = picture.ok_or_else(|| damaged("it has no picture"))?;
    if canvas.is_some_and(|canvas| canvas != picture) { Err(damaged("two different sizes")) } else { Ok(()) }
}

fn animated() -> ReceiptError {
    ReceiptError::Unsupported { kind: ReceiptType::WebP, what: "animation" }
}

fn take_chunk<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8; 4], &'a [u8]), ReceiptError> {
    let cut = || damaged("it ends inside a chunk");
    let (name, tail) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let (size, tail) = tail.split_first_chunk::<4>().ok_or_else(cut)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| cut())?;
    let (contents, tail) = tail.split_at_checked(size).ok_or_else(cut)?;
    *rest = tail.get(size % 2..).ok_or_else(cut)?; // chunks of odd size are padded with one byte
    Ok((name, contents))
}

/// The canvas of a `VP8X` header: flags, three reserved bytes, width and height less one in 24 bits each.
fn check_canvas(contents: &[u8]) -> Result<Size, ReceiptError> {
    let &[flags, _, _, _, w0, w1, w2, h0, h1, h2] = contents else {
        return Err(damaged("a header of the wrong length"));
    };
    if flags & FLAG_ANIMATION != 0 {
        return Err(animated());
    }
    let (width, height) = (u32::from_le_bytes([w0, w1, w2, 0]) + 1, u32::from_le_bytes([h0, h1, h2, 0]) + 1);
    check_dimensions(ReceiptType::WebP, width, height)?;
    Ok((width, height))
}

/// The size of a VP8 key frame (RFC 6386, section 9.1), if the contents begin with one.
fn lossy_size(contents: &[u8]) -> Option<Size> {
    let &[t0, t1, t2, 0x9D, 0x01, 0x2A, w0, w1, h0, h1] = contents.first_chunk()? else { return None };
    let tag = u32::from_le_bytes([t0, t1, t2, 0]);
    let first_partition = usize::try_from(tag >> 5).ok()?;
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    (tag & 1 == 0 && first_partition <= contents.len() - 10).then_some((side(w0, w1), side(h0, h1)))
}

/// The size of a lossless picture (RFC 9649, section 3.4), if the contents begin with one.
fn lossless_size(contents: &[u8]) -> Option<Size> {
    let &[0x2F, b0, b1, b2, b3] = contents.first_chunk()? else { return None };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    (bits >> 29 == 0).then_some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
}

/// The file without metadata; see [`strip`](super::strip()) for what stays.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    let (mut extended, mut flags) = (false, 0);
    walk(bytes, |name, contents| match name {
        b"VP8X" => {
            extended = true;
            flags = contents[0] & FLAG_ALPHA;
            push_chunk(&mut out, name, &[&[0; 4], &contents[4..]].concat());
        }
        b"VP8 " | b"VP8L" => push_chunk(&mut out, name, contents),
        b"ALPH" if extended => push_chunk(&mut out, name, contents),
        b"ICCP" if extended && flags & FLAG_PROFILE == 0 => {
            flags |= FLAG_PROFILE;
            push_chunk(&mut out, name, contents);
        }
        b"EXIF" if extended && flags & FLAG_EXIF == 0 => {
            if let Some(value) = exif::orientation(contents.strip_prefix(b"Exif\0\0").unwrap_or(contents)) {
                flags |= FLAG_EXIF;
                push_chunk(&mut out, name, &exif::only_orientation(value));
            }
        }
        _ => {}
    })?;
    if extended {
        out[FILE_HEADER_BYTES + CHUNK_HEADER_BYTES] = flags; // the header is always the first chunk
    }
    let size = u32::try_from(out.len() - 8).expect("no longer than the file it was read from");
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(out)
}

fn push_chunk(out: &mut Vec<u8>, name: &[u8; 4], contents: &[u8]) {
    let size = u32::try_from(contents.len()).expect("no longer than the chunk it was read from");
    out.extend_from_slice(name);
    out.extend(size.to_le_bytes());
    out.extend_from_slice(contents);
    out.resize(out.len().next_multiple_of(2), 0);
}

#[cfg(test)]
mod tests {
    use img_parts::webp::WebP;
    use img_parts::{ImageEXIF, ImageICC};

    use super::super::samples::{self, contains, webp_chunk, webp_of};
    use super::*;

    fn refused_because(chunks: &[Vec<u8>]) -> &'static str {
        match strip(&webp_of(chunks)) {
            Err(ReceiptError::Damaged { what, .. } | ReceiptError::Unsupported { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn exif_and_xmp_are_gone_while_orientation_and_profile_stay() {
        let clean = strip(&samples::webp_of_a_phone()).unwrap();
        for secret in samples::SECRETS {
            assert!(!contains(&clean, secret), "{secret:?}");
        }
        let reader = WebP::from_bytes(clean.clone().into()).unwrap();
        assert_eq!(reader.exif().unwrap(), exif::only_orientation(6)[..]);
        assert_eq!(reader.icc_profile().unwrap(), samples::ICC);
        assert_eq!(clean[20], FLAG_PROFILE | FLAG_ALPHA | FLAG_EXIF);
    }

    #[test]
    fn simple_files_stay_as_they_are() {
        for file in [samples::webp_lossy(), samples::webp_lossless()] {
            assert_eq!(strip(&file).unwrap(), file);
        }
    }

    #[test]
    fn flags_promise_nothing_that_was_removed() {
        let chunks = [samples::vp8x(!FLAG_ANIMATION), samples::vp8(), webp_chunk(b"XMP ", b"<x/>")];
        let clean = strip(&webp_of(&chunks)).unwrap();
        assert_eq!(clean, webp_of(&[samples::vp8x(FLAG_ALPHA), samples::vp8()]));
    }

    #[test]
    fn sizes_that_do_not_agree_are_refused() {
        let mut canvas = samples::vp8x(0);
        canvas[12] = 1; // two pixels wide
        assert_eq!(refused_because(&[canvas, samples::vp8()]), "two different sizes");
        let mut short = samples::webp_lossy();
        short[4] += 2;
        assert_eq!(strip(&short), Err(damaged("it is shorter than it says")));
    }

    #[test]
    fn animations_and_files_without_a_picture_are_refused() {
        assert_eq!(refused_because(&[samples::vp8x(FLAG_ANIMATION), samples::vp8()]), "animation");
        assert_eq!(refused_because(&[samples::vp8x(0), webp_chunk(b"ANMF", &[0; 16])]), "animation");
        assert_eq!(refused_because(&[]), "it has no picture");
        assert_eq!(refused_because(&[samples::vp8x(0)]), "it has no picture");
        assert_eq!(refused_because(&[samples::vp8(), samples::vp8()]), "a second picture or header");
        let late = [webp_chunk(b"XMP ", b"<x/>"), samples::vp8()];
        assert_eq!(refused_because(&late), "it does not begin with a picture or a header");
        assert_eq!(refused_because(&[webp_chunk(b"VP8L", b"\x2f")]), "a picture header that makes no sense");
    }
}
