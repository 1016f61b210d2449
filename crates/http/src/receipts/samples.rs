//! Real files of one pixel, and files as phones make them, for the tests of this module.

use bytes::Bytes;
use img_parts::png::PngChunk;

use super::{ReceiptType, exif};

/// The place that the samples give away.
pub(super) const PLACE: &[u8] = b"41.2995N 69.2401E";
/// What no cleaned file may contain.
pub(super) const SECRETS: [&[u8]; 4] = [PLACE, b"CASIO QV-10", b"2026:12-24", b"transfer for Dilnoza"];
/// Stands for a colour profile.
pub(super) const ICC: &[u8] = b"a colour profile";

/// A progressive grey JPEG of one pixel with seven scans.
const JPEG: &[&[u8]] = &[
    b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xdb\0\x43\0",
    &[0xFF; 64],
    b"\xff\xc2\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0",
    b"\xff\xc4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xff\xda\0\x08\x01\x01\0\0\0\x01\x3f",
    b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xda\0\x08\x01\x01\0\x01\x05\x02\x7f",
    b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xda\0\x08\x01\x01\0\x06\x3f\x02\x7f",
    b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xda\0\x08\x01\x01\0\x01\x3f\x21\x7f",
    b"\xff\xda\0\x08\x01\x01\0\0\0\x10\x7f",
    b"\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xda\0\x08\x01\x01\0\x01\x3f\x10\x7f",
    b"\xff\xd9",
];
/// Bytes of the start marker and the JFIF segment of [`JPEG`].
const JPEG_HEAD_BYTES: usize = 20;

pub(super) fn jpeg() -> Vec<u8> {
    JPEG.concat()
}

pub(super) fn jpeg_segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap();
    [&[0xFF, marker], &length.to_be_bytes()[..], body].concat()
}

/// [`jpeg`] with more segments after its JFIF segment.
pub(super) fn jpeg_with(segments: &[Vec<u8>]) -> Vec<u8> {
    let file = jpeg();
    [&file[..JPEG_HEAD_BYTES], &segments.concat(), &file[JPEG_HEAD_BYTES..]].concat()
}

/// Place, device and time in EXIF, XMP, IPTC, comments before and between the scans, and a second picture.
pub(super) fn jpeg_of_a_phone() -> Vec<u8> {
    let exif = [&b"Exif\0\0"[..], &exif_with_gps(6)].concat();
    let segments = [
        jpeg_segment(0xE1, &exif),
        jpeg_segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", PLACE].concat()),
        jpeg_segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", ICC].concat()),
        jpeg_segment(0xE2, &[b"MPF\0", PLACE].concat()),
        jpeg_segment(0xED, &[b"Photoshop 3.0\08BIM", PLACE].concat()),
        jpeg_segment(0xEE, &[b"Adobe\0\x64\0\0\0\0\x01", PLACE].concat()),
        jpeg_segment(0xFE, b"transfer for Dilnoza"),
    ];
    let mut file = jpeg_with(&segments);
    let last_table = file.windows(2).rposition(|pair| pair == [0xFF, 0xC4]).unwrap();
    file.splice(last_table..last_table, jpeg_segment(0xFE, PLACE));
    file.extend(jpeg_with(&[jpeg_segment(0xE1, &exif)]));
    file
}

/// A little-endian EXIF block with orientation, device, place and time.
pub(super) fn exif_with_gps(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x02\0".to_vec();
    block.extend(b"\x0f\x01\x02\0\x0b\0\0\0\x26\0\0\0");
    block.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    block.extend([0; 4]);
    block.extend(b"CASIO QV-10\0");
    block.extend_from_slice(PLACE);
    block.extend(b"2026:12-24");
    block
}

pub(super) fn png() -> Vec<u8> {
    png_with(&[])
}

pub(super) fn png_chunk(kind: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    PngChunk::new(*kind, Bytes::copy_from_slice(contents)).encoder().bytes().to_vec()
}

/// An RGB PNG of one pixel with more chunks after its header.
pub(super) fn png_with(chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = png_chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
    let data = png_chunk(b"IDAT", b"\x78\x9c\x63\x60\x64\x62\x06\0\0\x0e\0\x07");
    [&b"\x89PNG\r\n\x1a\n"[..], &header, &chunks.concat(), &data, &png_chunk(b"IEND", &[])].concat()
}

/// A screenshot with texts of all three kinds, a time and EXIF.
pub(super) fn png_of_a_screen() -> Vec<u8> {
    png_with(&[
        png_chunk(b"sRGB", &[0]),
        png_chunk(b"pHYs", &[0, 0, 0x0B, 0x13, 0, 0, 0x0B, 0x13, 1]),
        png_chunk(b"tEXt", &[b"Comment\0", PLACE].concat()),
        png_chunk(b"zTXt", &[b"Comment\0\0", &zlib_bomb(1 << 20)[..]].concat()),
        png_chunk(b"iTXt", b"Title\0\0\0\0\0transfer for Dilnoza"),
        png_chunk(b"tIME", &[0x07, 0xEA, 12, 24, 17, 0, 0]),
        png_chunk(b"eXIf", &exif_with_gps(8)),
        png_chunk(b"prVt", PLACE),
    ])
}

/// A zlib stream that inflates to about `zeros` zero bytes: one literal, then matches of 258 bytes at distance 1,
/// in fixed Huffman codes (RFC 1951, section 3.2.6). The checksum at its end is left out.
pub(super) fn zlib_bomb(zeros: usize) -> Vec<u8> {
    const MATCH: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
    let (mut out, mut byte, mut filled) = (vec![0x78, 0x9C], 0u8, 0);
    let head = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]; // last block, fixed codes, literal 0
    let matches = MATCH.iter().cycle().take(MATCH.len() * (zeros / 258));
    for bit in head.iter().chain(matches).chain(&[0; 7]) {
        byte |= bit << filled;
        filled += 1;
        if filled == 8 {
            out.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    out.push(byte);
    out
}

pub(super) fn webp_chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let size = u32::try_from(contents.len()).unwrap();
    let padding = &[0][..contents.len() % 2];
    [name, &size.to_le_bytes()[..], contents, padding].concat()
}

pub(super) fn webp_of(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WEBP".to_vec(), chunks.concat()].concat();
    [b"RIFF", &u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

/// The picture chunk of a lossy WebP of one pixel.
pub(super) fn vp8() -> Vec<u8> {
    let frame = b"\x30\x01\0\x9d\x01\x2a\x01\0\x01\0\x0e\xc0\xfe\x25\xa4\0\x03\x70\0\0\0\0";
    webp_chunk(b"VP8 ", frame)
}

/// The extended header of a WebP of one pixel.
pub(super) fn vp8x(flags: u8) -> Vec<u8> {
    webp_chunk(b"VP8X", &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

pub(super) fn webp_lossy() -> Vec<u8> {
    webp_of(&[vp8()])
}

pub(super) fn webp_lossless() -> Vec<u8> {
    webp_of(&[webp_chunk(b"VP8L", b"\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07")])
}

pub(super) fn webp_of_a_phone() -> Vec<u8> {
    webp_of(&[
        vp8x(0b0011_1100),
        webp_chunk(b"ICCP", ICC),
        vp8(),
        webp_chunk(b"EXIF", &exif_with_gps(6)),
        webp_chunk(b"XMP ", &[b"<x:xmpmeta>", PLACE].concat()),
        webp_chunk(b"ABCD", PLACE),
    ])
}

pub(super) fn pdf() -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    ];
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", file.len());
        file.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let start = file.len();
    file.extend(format!("{table}trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}

/// Samples of all types, with and without metadata.
pub(super) fn all() -> Vec<(ReceiptType, Vec<u8>)> {
    let oriented = webp_of(&[vp8x(0), vp8(), webp_chunk(b"EXIF", &exif::only_orientation(3))]);
    vec![
        (ReceiptType::Jpeg, jpeg()),
        (ReceiptType::Jpeg, jpeg_with(&[jpeg_segment(0xE1, &[b"Exif\0\0", &exif_with_gps(6)[..]].concat())])),
        (ReceiptType::Png, png()),
        (ReceiptType::Png, png_of_a_screen()),
        (ReceiptType::WebP, webp_lossy()),
        (ReceiptType::WebP, webp_lossless()),
        (ReceiptType::WebP, webp_of_a_phone()),
        (ReceiptType::WebP, oriented),
        (ReceiptType::Pdf, pdf()),
    ]
}

/// Whether `needle` occurs in `bytes`.
pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
