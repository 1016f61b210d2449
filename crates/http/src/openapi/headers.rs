//! Headers that many requests take, described once.

use utoipa::IntoParams;

/// The header that makes a request count once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "a description, never made")]
pub(crate) struct IdempotencyKey {
    /// Any text that is this request's own: repeated, the request is carried out once
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    key: Option<String>,
}

/// The header that names the version which was seen.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "a description, never made")]
pub(crate) struct IfMatch {
    /// ETag of the version that was seen; another one is refused
    #[param(rename = "If-Match", pattern = "^(\\*|\"[0-9]{1,18}(\\+[0-9]{1,18})?\")$")]
    tag: Option<String>,
}
