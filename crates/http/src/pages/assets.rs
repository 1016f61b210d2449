//! Style sheets, scripts and the icon: embedded in the binary, served under a name that changes with the content
//! of all of them, so that browsers keep them for good and modules import each other by relative names.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::error::PageError;

/// Bytes of the digest that go into the addresses.
const DIGEST_BYTES: usize = 6;
/// An address with the right digest never changes its content.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Others (of a page that an earlier version served) get what there is now.
const BRIEFLY: &str = "public, max-age=60";

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The digest of all assets, in hex.
static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for file in names.iter().filter_map(|name| Assets::get(name)) {
        hasher.update(&file.data);
    }
    hasher.finalize()[..DIGEST_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
});

/// The address of an asset: `/assets/0123456789ab/base.css`.
#[must_use]
pub(crate) fn url(name: &str) -> String {
    debug_assert!(Assets::get(name).is_some(), "there is no asset {name}");
    format!("/assets/{}/{name}", *DIGEST)
}

/// `GET /assets/{digest}/{name}`
pub(crate) async fn serve(Path((digest, name)): Path<(String, String)>) -> Response {
    let Some(file) = Assets::get(&name) else { return PageError::not_found("file").into_response() };
    let caching = if digest == *DIGEST { FOR_GOOD } else { BRIEFLY };
    let headers =
        [(CONTENT_TYPE, media_type(&name)), (CACHE_CONTROL, caching), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, file.data.into_owned()).into_response()
}

/// `GET /favicon.ico`, which browsers ask for on their own.
pub(crate) async fn favicon() -> Response {
    serve(Path((DIGEST.clone(), "favicon.svg".to_owned()))).await
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_has_a_media_type() {
        for name in Assets::iter() {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
    }

    #[tokio::test]
    async fn an_asset_is_kept_for_good_under_its_own_digest_only() {
        let caching = |digest: String| async move {
            let answer = serve(Path((digest, "base.css".to_owned()))).await;
            answer.headers()[CACHE_CONTROL].to_str().unwrap().to_owned()
        };
        assert_eq!(caching(DIGEST.clone()).await, FOR_GOOD);
        assert_eq!(caching("000000000000".to_owned()).await, BRIEFLY);
    }
}
