//! The one EXIF field that survives. Phones store a portrait photograph as landscape pixels plus an orientation;
//! without it the receipt would lie on its side. Everything else in EXIF (place, time, device, thumbnail) goes.
//! Layout: TIFF 6.0, section 2, and the tag `Orientation` (0x0112) of EXIF 2.3.

const ORIENTATION_TAG: u16 = 0x0112;
const TYPE_SHORT: u16 = 3;
/// Bytes of the TIFF header: byte order, 42, offset of the first directory.
const HEADER_BYTES: usize = 8;
/// Bytes of one directory entry: tag, type, count, value.
const ENTRY_BYTES: usize = 12;
/// Bytes of a TIFF block with one directory entry: header, count, entry, no next directory.
const ONE_ENTRY_BYTES: usize = HEADER_BYTES + 2 + ENTRY_BYTES + 4;

/// The orientation in a TIFF block, if it has one that is not the default: 2 to 8.
///
/// Only a directory that lies wholly inside the block counts, so the replacement is never longer.
pub(super) fn orientation(tiff: &[u8]) -> Option<u8> {
    let reader = match tiff.get(..4)? {
        b"II*\0" => Reader { tiff, little: true },
        b"MM\0*" => Reader { tiff, little: false },
        _ => return None,
    };
    let directory = usize::try_from(reader.u32(4)?).ok().filter(|&at| at >= HEADER_BYTES)?;
    let entries = directory.checked_add(2)?;
    let count = usize::from(reader.u16(directory)?);
    reader.u32(entries.checked_add(count * ENTRY_BYTES)?)?; // the offset of the next directory
    let at =
        (0..count).map(|n| entries + n * ENTRY_BYTES).find(|&at| reader.u16(at) == Some(ORIENTATION_TAG))?;
    if reader.u16(at + 2)? != TYPE_SHORT || reader.u32(at + 4)? != 1 {
        return None;
    }
    u8::try_from(reader.u16(at + 8)?).ok().filter(|value| (2..=8).contains(value))
}

/// A TIFF block that says the orientation and nothing else.
pub(super) fn only_orientation(value: u8) -> [u8; ONE_ENTRY_BYTES] {
    #[rustfmt::skip]
    let block = [
        b'M', b'M', 0, 42, 0, 0, 0, 8,
        0, 1,
        0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0,
        0, 0, 0, 0,
    ];
    block
}

struct Reader<'a> {
    tiff: &'a [u8],
    little: bool,
}

impl Reader<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.tiff.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(if self.little { u16::from_le_bytes } else { u16::from_be_bytes })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(if self.little { u32::from_le_bytes } else { u32::from_be_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_orientation_is_found_beside_other_fields() {
        assert_eq!(orientation(&samples::exif_with_gps(6)), Some(6));
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        for value in 2..=8 {
            assert_eq!(orientation(&only_orientation(value)), Some(value));
        }
    }

    #[test]
    fn upright_and_nonsense_orientations_are_not_worth_keeping() {
        for value in [0, 1, 9, 255] {
            assert_eq!(orientation(&only_orientation(value)), None);
        }
    }

    #[test]
    fn a_cut_or_pointless_block_has_no_orientation() {
        let block = samples::exif_with_gps(6);
        for length in 0..HEADER_BYTES + 2 + 2 * ENTRY_BYTES + 4 {
            assert_eq!(orientation(&block[..length]), None, "{length} bytes");
        }
        let mut far = only_orientation(6);
        far[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(orientation(&far), None);
    }
}
