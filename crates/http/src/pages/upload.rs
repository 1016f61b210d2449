//! Forms with a file in them (`multipart/form-data`).

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use http::StatusCode;

use super::error::PageError;
use super::form::Form;

/// Most bytes of a text field.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Most fields.
const MAX_FIELDS: usize = 1_000;
/// What a form may have beyond its file, in bytes: the other fields, and the lines between them.
const MAX_REST_BYTES: usize = 1024 * 1024;

/// The limit on the whole body of a form with a file of at most `file` bytes. A file that is a little larger is
/// still read, so that the page can say so.
#[must_use]
pub(crate) const fn body_limit(file: usize) -> usize {
    file + file / 4 + MAX_REST_BYTES
}

/// A form with the file that was in it.
pub(crate) struct Upload {
    /// The other fields.
    pub form: Form,
    /// The content of the file; none if none was chosen.
    pub file: Option<Bytes>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|_| PageError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
        let mut upload = Self { form: Form::default(), file: None };
        for _ in 0..MAX_FIELDS {
            let Some(part) = parts.next_field().await.map_err(unreadable)? else { return Ok(upload) };
            let Some(name) = part.name().map(str::to_owned) else { continue };
            if part.file_name().is_some() {
                let file = part.bytes().await.map_err(unreadable)?;
                if !file.is_empty() {
                    upload.file = Some(file);
                }
            } else {
                let bytes = part.bytes().await.map_err(unreadable)?;
                if bytes.len() > MAX_TEXT_BYTES {
                    return Err(PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE));
                }
                upload.form.push(name, String::from_utf8_lossy(&bytes));
            }
        }
        Err(PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE))
    }
}

fn unreadable(error: MultipartError) -> PageError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => PageError::of_status(StatusCode::BAD_REQUEST),
    }
}
