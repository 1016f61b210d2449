//! Uploaded payment receipts: what is accepted, what is taken out of it, where it is kept, how it is shown.
//!
//! | file | holds |
//! | --- | --- |
//! | `sniff.rs` | which of the four types the bytes really are |
//! | `strip.rs` | the metadata that is removed, type by type, and what stays |
//! | `jpeg.rs`, `png.rs`, `webp.rs`, `pdf.rs` | one container each: a strict walk, and the copy without metadata |
//! | `exif.rs` | the one EXIF field that survives: the orientation |
//! | `store.rs` | the durable home of the cleaned files; their names are in `key.rs`, its failures in `outage.rs` |
//! | `bucket.rs` | an S3-compatible store as that home |
//! | `carry.rs` | all of them, from one home to another |
//!
//! One upload, step by step: the body is read up to [`MAX_RECEIPT_BYTES`]; [`Receipt::accept`] decides by the
//! content alone what it is and copies it without metadata; [`ReceiptStore::put`] makes it durable under a fresh
//! random key; only then does a booking name the key. What no booking names a day later is removed. The file
//! name and the type that the sender declared are never looked at.
//!
//! Pixels are never decoded and nothing is decompressed, so the cost of an upload is linear in its size. Cleaning
//! 10 MiB takes milliseconds of CPU; a caller on an async thread may want `spawn_blocking`.

mod bucket;
mod carry;
mod exif;
mod jpeg;
mod key;
mod outage;
mod pdf;
mod png;
#[cfg(test)]
mod samples;
mod sniff;
mod store;
mod strip;
mod webp;

use std::fmt;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

pub use bucket::{Bucket, BucketError};
pub use carry::Carried;
pub use key::{InvalidReceiptKey, ReceiptKey};
pub use outage::{Outage, ReceiptStoreError};
pub use sniff::sniff;
pub use store::ReceiptStore;
pub use strip::strip;

/// The largest upload that is accepted, in bytes: 10 MiB.
pub const MAX_RECEIPT_BYTES: usize = 10 * 1024 * 1024;
/// The longest side of an accepted image, in pixels.
pub const MAX_IMAGE_SIDE_PIXELS: u32 = 20_000;
/// The largest area of an accepted image, in pixels: 100 megapixels, 400 MB once a browser has decoded it.
pub const MAX_IMAGE_AREA_PIXELS: u64 = 100_000_000;

/// Nothing in a receipt may run, load or submit anything, also when it is opened by itself. `style-src` is for
/// the page that browsers put around an image.
const RECEIPT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The kinds of files that are accepted as receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptType {
    /// JPEG: baseline, extended sequential or progressive, 8 bits.
    Jpeg,
    /// PNG. Of an animated one, the still image.
    Png,
    /// WebP, lossy or lossless, not animated.
    WebP,
    /// PDF.
    Pdf,
}

impl ReceiptType {
    /// All accepted types.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::WebP, Self::Pdf];

    /// The media type, as it is stored and served: `image/jpeg` for example.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// The type whose [`media_type`](Self::media_type) this is.
    #[must_use]
    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == text)
    }

    const fn disposition(self) -> &'static str {
        match self {
            Self::Jpeg => "inline; filename=\"receipt.jpg\"",
            Self::Png => "inline; filename=\"receipt.png\"",
            Self::WebP => "inline; filename=\"receipt.webp\"",
            Self::Pdf => "attachment; filename=\"receipt.pdf\"",
        }
    }
}

impl fmt::Display for ReceiptType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Pdf => "PDF",
        })
    }
}

/// Why an upload is refused. All of them are the sender's to mend; the texts are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// More than [`MAX_RECEIPT_BYTES`].
    #[error("the receipt is larger than {} MiB", MAX_RECEIPT_BYTES / (1024 * 1024))]
    TooLarge,
    /// The content begins like none of the accepted types.
    #[error("the receipt is not a JPEG, PNG, WebP or PDF file")]
    Unrecognised,
    /// The content begins like the type, but is cut off or breaks the rules of the format.
    #[error("the {kind} file is damaged: {what}")]
    Damaged {
        /// What the file begins like.
        kind: ReceiptType,
        /// Where it breaks the format.
        what: &'static str,
    },
    /// A sound file that uses a part of the format which common browsers do not show, or an animation.
    #[error("this kind of {kind} file is not accepted: {what}")]
    Unsupported {
        /// What the file is.
        kind: ReceiptType,
        /// What it uses.
        what: &'static str,
    },
    /// More than [`MAX_IMAGE_SIDE_PIXELS`] or [`MAX_IMAGE_AREA_PIXELS`].
    #[error("the image is too large: {width} x {height} pixels")]
    TooManyPixels {
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
    },
}

/// A file that has been recognised and cleaned: the only thing that [`ReceiptStore::put`] takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    kind: ReceiptType,
    bytes: Bytes,
}

impl Receipt {
    /// Recognises an upload by its content ([`sniff`]) and removes its metadata ([`strip`]).
    ///
    /// # Errors
    /// Every variant of [`ReceiptError`].
    pub fn accept(upload: &[u8]) -> Result<Self, ReceiptError> {
        let kind = sniff(upload)?;
        Ok(Self { kind, bytes: strip(kind, upload)?.into() })
    }

    /// What the file is.
    #[must_use]
    pub const fn kind(&self) -> ReceiptType {
        self.kind
    }

    /// The cleaned content, never longer than the upload.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// The headers with which a stored receipt is served. All of them must be set.
///
/// Images may be shown in place. A PDF is a program for its viewer, so it is only ever offered as a download, and
/// sandboxed should a browser open it anyway. Receipts are private: no cache keeps them, no other site embeds them.
#[must_use]
pub fn serving_headers(kind: ReceiptType) -> [(HeaderName, HeaderValue); 6] {
    [
        (CONTENT_TYPE, HeaderValue::from_static(kind.media_type())),
        (CONTENT_DISPOSITION, HeaderValue::from_static(kind.disposition())),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(RECEIPT_POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ]
}

/// Refuses empty images as damaged and those beyond the limits as too large.
fn check_dimensions(kind: ReceiptType, width: u32, height: u32) -> Result<(), ReceiptError> {
    if width == 0 || height == 0 {
        return Err(ReceiptError::Damaged { kind, what: "it declares no width or no height" });
    }
    let area = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_IMAGE_SIDE_PIXELS || area > MAX_IMAGE_AREA_PIXELS {
        return Err(ReceiptError::TooManyPixels { width, height });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: ReceiptType, name: &str) -> String {
        let headers = serving_headers(kind);
        let (_, value) = headers.iter().find(|(header, _)| header == name).unwrap();
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_pdf_is_only_ever_a_sandboxed_download() {
        assert!(header(ReceiptType::Pdf, "content-disposition").starts_with("attachment;"));
        for kind in ReceiptType::ALL {
            assert!(
                header(kind, "content-security-policy").split("; ").any(|directive| directive == "sandbox")
            );
            assert_eq!(header(kind, "x-content-type-options"), "nosniff");
            assert_eq!(header(kind, "cache-control"), "private, no-store");
            assert_eq!(ReceiptType::from_media_type(&header(kind, "content-type")), Some(kind));
        }
    }

    #[test]
    fn the_limits_themselves_are_still_accepted() {
        let check = |width, height| check_dimensions(ReceiptType::Png, width, height);
        assert_eq!(check(20_000, 5_000), Ok(()));
        assert_eq!(check(10_000, 10_000), Ok(()));
        assert!(matches!(check(20_001, 1), Err(ReceiptError::TooManyPixels { width: 20_001, height: 1 })));
        assert!(matches!(check(10_001, 10_000), Err(ReceiptError::TooManyPixels { .. })));
        assert!(matches!(check(u32::MAX, u32::MAX), Err(ReceiptError::TooManyPixels { .. })));
        assert!(matches!(check(0, 5), Err(ReceiptError::Damaged { .. })));
    }

    #[test]
    fn an_accepted_receipt_knows_its_type_and_holds_cleaned_bytes() {
        let upload = samples::jpeg_of_a_phone();
        let receipt = Receipt::accept(&upload).unwrap();
        assert_eq!(receipt.kind(), ReceiptType::Jpeg);
        assert_eq!(receipt.bytes(), &strip(ReceiptType::Jpeg, &upload).unwrap());
    }

    #[test]
    fn refusals_can_be_shown_to_the_sender() {
        let refusal = Receipt::accept(&vec![0; MAX_RECEIPT_BYTES + 1]).unwrap_err();
        assert_eq!(refusal.to_string(), "the receipt is larger than 10 MiB");
        let refusal = Receipt::accept(&samples::jpeg()[..100]).unwrap_err();
        assert_eq!(refusal.to_string(), "the JPEG file is damaged: it ends inside a segment");
    }
}
