//! The form with a receipt in it, read as it comes in.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use lastseat_core::customer::MAX_NOTE_CHARS;
use lastseat_core::refusal::{Code, FieldError};
use multer::{Field, Multipart};
use sha2::{Digest as _, Sha256};

use crate::body::Chunks;
use crate::problem::Problem;
use crate::receipts::MAX_RECEIPT_BYTES;
use crate::uploads::{Share, Uploads};

/// What a form may hold beside the file: boundaries, headers, the note. In bytes.
const MAX_EXTRA_BYTES: usize = 64 * 1024;
/// Longest note in bytes; the engine counts its characters.
const MAX_NOTE_BYTES: usize = MAX_NOTE_CHARS * 4;

/// Whether the content is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// Yes: the caller may hand something in.
    Kept,
    /// No: the form is only checked for being one.
    Dropped,
}

/// A form with a receipt.
#[derive(Debug)]
pub(crate) struct ReceiptForm {
    /// The file as it was sent.
    pub(crate) receipt: Bytes,
    /// What the customer wrote beside it.
    pub(crate) note: Option<String>,
    /// Names and content hashes of the fields.
    pub(crate) digests: Vec<(&'static str, [u8; 32])>,
    /// The memory that it takes.
    pub(crate) share: Share,
}

/// Reads a form to its end: what it holds, or what is wrong with its fields.
///
/// # Errors
/// `413 too_large`, `400 malformed`, `503 overloaded` when too much is being uploaded.
pub(crate) async fn read(
    head: &Parts,
    body: Body,
    uploads: &Uploads,
    content: Content,
) -> Result<Result<ReceiptForm, Vec<FieldError>>, Problem> {
    let chunks = Chunks::new(&head.headers, body, MAX_RECEIPT_BYTES + MAX_EXTRA_BYTES).await?;
    let declared = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = declared
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or_else(|| malformed("Content-Type names no boundary"))?;
    let bytes = stream::unfold(Some(chunks), |chunks| async {
        let mut chunks = chunks?;
        match chunks.next().await {
            Ok(bytes) => bytes.map(|bytes| (Ok(bytes), Some(chunks))),
            Err(problem) => Some((Err(problem), None)),
        }
    });
    let mut form = Multipart::new(bytes, boundary);
    let mut reading =
        Reading { content, share: uploads.share(), receipt: None, note: None, problems: Vec::new() };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        reading.field(field).await?;
    }
    Ok(reading.finish())
}

struct Reading {
    content: Content,
    share: Share,
    receipt: Option<BytesMut>,
    note: Option<BytesMut>,
    problems: Vec<FieldError>,
}

impl Reading {
    async fn field(&mut self, field: Field<'_>) -> Result<(), Problem> {
        match field.name() {
            Some("receipt") if self.receipt.is_none() => {
                self.receipt = Some(self.bytes(field, MAX_RECEIPT_BYTES).await?);
            }
            Some("note") if self.note.is_none() => {
                self.note = Some(self.bytes(field, MAX_NOTE_BYTES).await?);
            }
            name => {
                let known = matches!(name, Some("receipt" | "note"));
                let text = if known { "stands twice" } else { "is not a field of this form" };
                let name = name.unwrap_or("body").to_owned();
                self.problems.push(FieldError::new(name, text));
                self.bytes(field, 0).await?;
            }
        }
        Ok(())
    }

    /// The content of a field, up to and with the byte that is too much.
    async fn bytes(&mut self, mut field: Field<'_>, most: usize) -> Result<BytesMut, Problem> {
        let mut all = BytesMut::new();
        while let Some(chunk) = field.chunk().await.map_err(broken)? {
            let room = (most + 1).saturating_sub(all.len()).min(chunk.len());
            if self.content == Content::Kept && room > 0 {
                self.share.grow(room)?;
                all.extend_from_slice(&chunk[..room]);
            }
        }
        Ok(all)
    }

    fn finish(mut self) -> Result<ReceiptForm, Vec<FieldError>> {
        let note = self.note.map(|note| String::from_utf8(note.into()));
        let note = match note {
            None => None,
            Some(Ok(note)) if note.len() <= MAX_NOTE_BYTES => Some(note),
            Some(Ok(_)) => {
                self.problems
                    .push(FieldError::new("note", format!("must have at most {MAX_NOTE_CHARS} characters")));
                None
            }
            Some(Err(_)) => {
                self.problems.push(FieldError::new("note", "is not UTF-8"));
                None
            }
        };
        let Some(receipt) = self.receipt.map(BytesMut::freeze) else {
            self.problems.insert(0, FieldError::new("receipt", "is missing"));
            return Err(self.problems);
        };
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let mut digests = vec![("receipt", Sha256::digest(&receipt).into())];
        digests.extend(note.as_ref().map(|note| ("note", Sha256::digest(note).into())));
        let note = note.filter(|note| !note.trim().is_empty());
        Ok(ReceiptForm { receipt, note, digests, share: self.share })
    }
}

fn malformed(why: &str) -> Problem {
    Problem::new(Code::Malformed, format!("The body is not a form with fields: {why}."))
}

/// What the reader of forms complains about; what stopped the body is told as it is.
fn broken(error: multer::Error) -> Problem {
    match error {
        multer::Error::StreamReadFailed(inner) => match inner.downcast::<Problem>() {
            Ok(problem) => *problem,
            Err(other) => malformed(&other.to_string()),
        },
        other => malformed(&other.to_string()),
    }
}
