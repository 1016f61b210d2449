//! Bytes of a body, within limits of size and time.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use lastseat_core::refusal::Code;
use tokio::time::{Instant, timeout, timeout_at};

use crate::problem::Problem;
use crate::uploads::{Share, Uploads};

/// Longest pause within a body.
const PAUSE: Duration = Duration::from_secs(20);
/// Longest time for a body, in milliseconds per KiB of what it may hold, on top of the pause: 10 MiB may take
/// three minutes, which is 60 KiB/s.
const MILLIS_PER_KIB: u64 = 16;
/// How much of a body that is too large is taken in and thrown away, so that its sender hears the answer
/// instead of a broken connection.
const DRAIN_BYTES: usize = 2 * super::MAX_IMPORT_BYTES;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Bodies up to so many bytes are not counted: one for each connection there may always be.
const SMALL_BYTES: usize = 64 * 1024;
/// The memory for all bodies beyond that. It is the process that runs out of memory, so it is one for all.
static LARGE: LazyLock<Uploads> = LazyLock::new(Uploads::default);

/// A body as it comes in.
pub(crate) struct Chunks {
    body: Body,
    left: usize,
    limit: usize,
    deadline: Option<Instant>,
    awaits_continue: bool,
}

impl Chunks {
    /// The chunks of a body of at most `limit` bytes.
    ///
    /// # Errors
    /// `413 too_large` if it is declared larger.
    pub(crate) async fn new(headers: &HeaderMap, body: Body, limit: usize) -> Result<Self, Problem> {
        let awaits_continue = headers.contains_key(EXPECT);
        let mut chunks = Self { body, left: limit, limit, deadline: None, awaits_continue };
        if declared_length(headers).is_some_and(|length| length > limit as u64) {
            return Err(chunks.too_large().await);
        }
        Ok(chunks)
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// `413 too_large` beyond the limit, `400 malformed` for a body that breaks off or comes too slowly.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(bytes) = self.take().await? else { return Ok(None) };
        match self.left.checked_sub(bytes.len()) {
            Some(left) => {
                self.left = left;
                Ok(Some(bytes))
            }
            None => Err(self.too_large().await),
        }
    }

    async fn take(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            // Most bodies arrive together with their head: they need no timer.
            let frame = match self.body.frame().now_or_never() {
                Some(frame) => frame,
                None => self.wait().await?,
            };
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(_)) => {
                    let text = "The body broke off before its end. Send it again.";
                    return Err(Problem::new(Code::Malformed, text));
                }
            }
        }
    }

    async fn wait(&mut self) -> Result<Option<Result<http_body::Frame<Bytes>, axum::Error>>, Problem> {
        let allowance = Duration::from_millis(self.limit as u64 / 1024 * MILLIS_PER_KIB);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + PAUSE + allowance);
        let until = deadline.min(Instant::now() + PAUSE);
        timeout_at(until, self.body.frame())
            .await
            .map_err(|_| Problem::new(Code::Malformed, "The body came too slowly. Send it again."))
    }

    async fn too_large(&mut self) -> Problem {
        if !self.awaits_continue {
            let drain = async {
                let mut drained = 0;
                while drained < DRAIN_BYTES {
                    match self.body.frame().await {
                        Some(Ok(frame)) => drained += frame.data_ref().map_or(0, Bytes::len),
                        _ => return,
                    }
                }
            };
            // Whoever is slower than that hears nothing; it does not matter which of the two it was.
            let _ = timeout(DRAIN_TIME, drain).await;
        }
        let most = match self.limit {
            limit if limit >= 1024 * 1024 => format!("{} MiB", limit / (1024 * 1024)),
            limit => format!("{} KiB", limit / 1024),
        };
        Problem::new(Code::TooLarge, format!("At most {most} are taken here."))
    }
}

/// A whole body, with the memory that it takes of what there is for all large ones.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// Empty for small bodies.
    pub(crate) share: Option<Share>,
}

/// The whole body.
///
/// # Errors
/// As [`Chunks::new`] and [`Chunks::next`]; `503 overloaded` when there is no room for another large one.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Whole, Problem> {
    let mut chunks = Chunks::new(headers, body, limit).await?;
    let first = chunks.next().await?.unwrap_or_default();
    if chunks.body.is_end_stream() {
        return Ok(Whole { bytes: first, share: None });
    }
    let mut all = BytesMut::from(first);
    let mut share: Option<Share> = None;
    while let Some(more) = chunks.next().await? {
        if all.len() + more.len() > SMALL_BYTES {
            share.get_or_insert_with(|| LARGE.share()).grow(more.len())?;
        }
        all.extend_from_slice(&more);
    }
    Ok(Whole { bytes: all.freeze(), share })
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::HeaderValue;

    use super::*;

    fn body(chunks: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|text| Ok::<_, std::io::Error>(Bytes::from(*text)))))
    }

    #[tokio::test]
    async fn a_body_of_several_chunks_is_put_together() {
        let all = read(&HeaderMap::new(), body(&["ab", "", "cd", "e"]), 5).await.unwrap();
        assert_eq!(all.bytes, "abcde");
        assert_eq!(read(&HeaderMap::new(), body(&[]), 5).await.unwrap().bytes, "");
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused_whether_declared_or_not() {
        let refused = read(&HeaderMap::new(), body(&["abc", "def"]), 5).await.unwrap_err();
        assert_eq!(refused.0.code, Code::TooLarge);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(6));
        let refused = read(&headers, body(&["abc"]), 5).await.unwrap_err();
        assert_eq!(refused.0.code, Code::TooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_given_up() {
        let drops = stream::iter([Ok::<_, std::io::Error>(Bytes::from("a"))]);
        let stuck = Body::from_stream(futures_util::StreamExt::chain(drops, stream::pending()));
        let refused = read(&HeaderMap::new(), stuck, 5).await.unwrap_err();
        assert_eq!(refused.0.code, Code::Malformed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_for_ever_is_given_up() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from("a")), ()))
        });
        let before = Instant::now();
        let refused = read(&HeaderMap::new(), Body::from_stream(drip), 1024).await.unwrap_err();
        assert_eq!(refused.0.code, Code::Malformed);
        assert!(before.elapsed() < Duration::from_secs(30));
    }
}
