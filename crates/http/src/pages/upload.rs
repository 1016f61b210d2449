//! Forms with a file in them (`multipart/form-data`).

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use http::StatusCode;

use super::error::PageError;
use super::form::Form;
use crate::state::AppState;
use crate::uploads::Share;

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
    pub file: Option<Vec<u8>>,
    /// What it takes of the memory for all uploads, until it is dropped.
    pub share: Share,
}

impl FromRequest<AppState> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|_| PageError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
        let mut upload = Self { form: Form::default(), file: None, share: state.uploads.share() };
        for _ in 0..MAX_FIELDS {
            let Some(mut part) = parts.next_field().await.map_err(|error| unreadable(&error))? else {
                return Ok(upload);
            };
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let is_file = part.file_name().is_some();
            let mut content = Vec::new();
            while let Some(chunk) = part.chunk().await.map_err(|error| unreadable(&error))? {
                upload.share.grow(chunk.len()).map_err(|problem| *problem.0)?;
                content.extend_from_slice(&chunk);
            }
            match (is_file, content.is_empty()) {
                (true, true) => {}
                (true, false) => upload.file = Some(content),
                (false, _) => upload.form.push(name, String::from_utf8_lossy(&content)),
            }
        }
        Err(PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE))
    }
}

fn unreadable(error: &MultipartError) -> PageError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => PageError::of_status(StatusCode::BAD_REQUEST),
    }
}
