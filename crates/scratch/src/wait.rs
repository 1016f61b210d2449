//! Waiting for something that happens elsewhere, never longer than said.

use std::time::{Duration, Instant};

use anyhow::bail;

/// How long to wait between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Calls `look` until it gives a value, at most for `limit`; it is called at least once.
///
/// # Errors
/// When the time is up; `what` says what was waited for.
pub fn wait_until<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if start.elapsed() >= limit {
            bail!("waited {limit:?} in vain for {what}");
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// The same for async tests: awaits `look` until it gives a value, at most for `limit`.
///
/// # Errors
/// When the time is up; `what` says what was waited for.
pub async fn wait_until_async<T>(
    limit: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if start.elapsed() >= limit {
            bail!("waited {limit:?} in vain for {what}");
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_first_value() {
        let mut looks = 0;
        let found = wait_until(Duration::from_secs(5), "the third look", || {
            looks += 1;
            (looks == 3).then_some("there")
        });
        assert_eq!(found.unwrap(), "there");
    }

    #[tokio::test]
    async fn waiting_in_vain_says_for_what() {
        let waited = wait_until_async(Duration::from_millis(20), "a miracle", async || None::<()>).await;
        assert_eq!(waited.unwrap_err().to_string(), "waited 20ms in vain for a miracle");
    }
}
