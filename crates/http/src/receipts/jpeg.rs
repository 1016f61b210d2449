//! JPEG (ITU-T T.81, annex B): segments that say their length, and scans that end at the next marker.
//!
//! The walk is our own because metadata can also stand between the scans of a progressive file, where most
//! readers take everything from the first scan to the end as opaque.

use std::borrow::Cow;

use super::{ReceiptError, ReceiptType, check_dimensions, exif};

/// Scans in one file. Progressive encoders write about 10; thousands make a viewer repaint for minutes.
const MAX_SCANS: u32 = 200;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

/// Bytes of a JFIF segment up to the size of its thumbnail.
const JFIF_BYTES: usize = 12;
/// Bytes of an Adobe segment.
const ADOBE_BYTES: usize = 12;

/// How a JPEG file begins.
pub(super) const SIGNATURE: &[u8] = &[0xFF, SOI, 0xFF];

/// One piece of the file between the start and the end marker.
pub(super) enum Part<'a> {
    /// A marker and what follows its length.
    Segment(u8, &'a [u8]),
    /// The entropy-coded data after a scan header.
    Scan(&'a [u8]),
}

fn damaged(what: &'static str) -> ReceiptError {
    ReceiptError::Damaged { kind: ReceiptType::Jpeg, what }
}

fn unsupported(what: &'static str) -> ReceiptError {
    ReceiptError::Unsupported { kind: ReceiptType::Jpeg, what }
}

/// Visits the parts in order, up to the end marker, and refuses what is not a complete image.
pub(super) fn walk<'a>(bytes: &'a [u8], mut visit: impl FnMut(Part<'a>)) -> Result<(), ReceiptError> {
    let mut rest = bytes.get(SIGNATURE.len() - 1..).unwrap_or_default();
    let (mut framed, mut scans) = (false, 0u32);
    loop {
        let marker = take_marker(&mut rest)?;
        if marker == EOI {
            return if scans > 0 { Ok(()) } else { Err(damaged("it has no image data")) };
        }
        let body = match marker {
            SOS | DQT | DRI | DHT | APP0..=APP15 | COM | 0xC0..=0xC2 => take_body(&mut rest)?,
            0xC3..=0xCF => return Err(unsupported("lossless, hierarchical or arithmetic coding")),
            _ => return Err(damaged("an unexpected marker")),
        };
        match marker {
            0xC0..=0xC2 if framed => return Err(damaged("it has two frames")),
            0xC0..=0xC2 => {
                check_frame(body)?;
                framed = true;
            }
            SOS if !framed => return Err(damaged("image data before its frame header")),
            SOS if body.len() != 4 + 2 * usize::from(body.first().copied().unwrap_or(0)) => {
                return Err(damaged("a scan header of the wrong length"));
            }
            SOS => scans += 1,
            _ => {}
        }
        if scans > MAX_SCANS {
            return Err(unsupported("too many scans"));
        }
        visit(Part::Segment(marker, body));
        if marker == SOS {
            visit(Part::Scan(take_scan(&mut rest)?));
        }
    }
}

/// Takes `FF`, any number of fill bytes, and the marker.
fn take_marker(rest: &mut &[u8]) -> Result<u8, ReceiptError> {
    let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
    match rest.get(fill) {
        None => Err(damaged("it ends without its end marker")),
        Some(_) if fill == 0 => Err(damaged("stray bytes between segments")),
        Some(&marker) => {
            *rest = &rest[fill + 1..];
            Ok(marker)
        }
    }
}

/// Takes the two bytes of the length, which count themselves, and the body.
fn take_body<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ReceiptError> {
    let cut = || damaged("it ends inside a segment");
    let (length, tail) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let length = usize::from(u16::from_be_bytes(*length))
        .checked_sub(2)
        .ok_or_else(|| damaged("a segment of no length"))?;
    let (body, tail) = tail.split_at_checked(length).ok_or_else(cut)?;
    *rest = tail;
    Ok(body)
}

/// Takes everything before the next marker that is neither a stuffed `FF 00` nor a restart.
fn take_scan<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ReceiptError> {
    let mut pairs = rest.windows(2);
    let end = pairs.position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF));
    let (scan, tail) = rest.split_at(end.ok_or_else(|| damaged("it ends inside its image data"))?);
    *rest = tail;
    Ok(scan)
}

fn check_frame(body: &[u8]) -> Result<(), ReceiptError> {
    let &[precision, h1, h0, w1, w0, components, ref list @ ..] = body else {
        return Err(damaged("a frame header that is too short"));
    };
    if precision != 8 {
        return Err(unsupported("more than 8 bits per sample"));
    }
    if !matches!(components, 1 | 3 | 4) || list.len() != 3 * usize::from(components) {
        return Err(damaged("a frame header of the wrong length"));
    }
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    check_dimensions(ReceiptType::Jpeg, width.into(), height.into())
}

/// The file without metadata; see [`strip`](super::strip()) for what stays.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>, ReceiptError> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend([0xFF, SOI]);
    walk(bytes, |part| match part {
        Part::Scan(data) => out.extend_from_slice(data),
        Part::Segment(marker, body) => {
            if let Some(body) = kept(marker, body) {
                let length =
                    u16::try_from(body.len() + 2).expect("no longer than the segment it was read from");
                out.extend([0xFF, marker]);
                out.extend(length.to_be_bytes());
                out.extend_from_slice(&body);
            }
        }
    })?;
    out.extend([0xFF, EOI]);
    Ok(out)
}

/// What stays of a segment: all of it, a part, or nothing.
fn kept(marker: u8, body: &[u8]) -> Option<Cow<'_, [u8]>> {
    match marker {
        APP0 if body.starts_with(b"JFIF\0") && body.len() >= JFIF_BYTES + 2 => {
            Some([&body[..JFIF_BYTES], &[0, 0]].concat().into())
        }
        APP1 if body.starts_with(b"Exif\0") => {
            let value = exif::orientation(body.get(6..)?)?;
            Some([b"Exif\0\0", &exif::only_orientation(value)[..]].concat().into())
        }
        APP2 if body.starts_with(b"ICC_PROFILE\0") => Some(body.into()),
        APP14 if body.starts_with(b"Adobe") => body.get(..ADOBE_BYTES).map(Cow::from),
        APP0..=APP15 | COM => None,
        _ => Some(body.into()),
    }
}

#[cfg(test)]
mod tests {
    use img_parts::jpeg::Jpeg;
    use img_parts::{ImageEXIF, ImageICC};

    use super::super::samples::{self, contains, jpeg_segment, jpeg_with};
    use super::*;

    fn damaged_because(bytes: &[u8]) -> &'static str {
        match strip(bytes) {
            Err(ReceiptError::Damaged { what, .. } | ReceiptError::Unsupported { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn place_time_device_and_comments_are_gone_and_the_image_data_is_untouched() {
        let clean = strip(&samples::jpeg_of_a_phone()).unwrap();
        for secret in samples::SECRETS {
            assert!(!contains(&clean, secret), "{secret:?}");
        }
        let scans = |bytes: &[u8]| {
            let mut scans = Vec::new();
            walk(bytes, |part| {
                if let Part::Scan(data) = part {
                    scans.push(data.to_vec());
                }
            })
            .unwrap();
            scans
        };
        assert_eq!(scans(&clean), scans(&samples::jpeg()));
    }

    #[test]
    fn orientation_profile_and_colour_transform_stay() {
        let clean = strip(&samples::jpeg_of_a_phone()).unwrap();
        let reader = Jpeg::from_bytes(clean.into()).unwrap();
        assert_eq!(reader.exif().unwrap(), exif::only_orientation(6)[..]);
        assert_eq!(reader.icc_profile().unwrap(), samples::ICC);
        assert_eq!(reader.segment_by_marker(APP14).unwrap().contents().len(), ADOBE_BYTES);
        assert_eq!(reader.dimensions(), Some((1, 1)));
    }

    #[test]
    fn a_file_without_metadata_stays_as_it_is() {
        assert_eq!(strip(&samples::jpeg()).unwrap(), samples::jpeg());
    }

    #[test]
    fn exif_of_an_upright_photograph_goes_altogether() {
        let upright = [&b"Exif\0\0"[..], &samples::exif_with_gps(1)].concat();
        assert_eq!(strip(&jpeg_with(&[jpeg_segment(APP1, &upright)])).unwrap(), samples::jpeg());
    }

    #[test]
    fn the_thumbnail_of_the_uncropped_picture_goes() {
        let jfif = [&b"JFIF\0\x01\x02\0\0\x01\0\x01\x02\x01"[..], b"pixels"].concat();
        let clean = strip(&jpeg_with(&[jpeg_segment(APP0, &jfif)])).unwrap();
        assert!(!contains(&clean, b"pixels"));
        assert!(contains(&clean, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"));
    }

    #[test]
    fn what_is_not_a_complete_image_is_refused() {
        assert_eq!(damaged_because(&[0xFF, SOI, 0xFF, EOI]), "it has no image data");
        let mut no_frame = samples::jpeg();
        let frame = no_frame.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
        no_frame[frame + 1] = COM;
        assert_eq!(damaged_because(&no_frame), "image data before its frame header");
        assert_eq!(damaged_because(&jpeg_with(&[b"junk".to_vec()])), "stray bytes between segments");
        let frame = jpeg_segment(0xC2, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
        assert_eq!(damaged_because(&jpeg_with(&[frame])), "it has two frames");
        assert_eq!(
            damaged_because(&jpeg_with(&[jpeg_segment(0xC3, &[])])),
            "lossless, hierarchical or arithmetic coding"
        );
    }

    #[test]
    fn a_file_of_endless_scans_is_refused() {
        let scan = [jpeg_segment(SOS, &[1, 1, 0, 0, 0x3F, 0]), vec![0x7F]].concat();
        let mut file = samples::jpeg();
        file.truncate(file.len() - 2);
        file.extend(scan.repeat(MAX_SCANS as usize));
        file.extend([0xFF, EOI]);
        assert_eq!(damaged_because(&file), "too many scans");
    }
}
