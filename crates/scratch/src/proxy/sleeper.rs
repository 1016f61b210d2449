//! Sleeping until something happens, and knowing when it did.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The last moment before something is due, in which the thread does not sleep: waking up takes about as long.
const AWAKE: Duration = Duration::from_micros(50);

/// The longest that waking up is believed to take. What takes longer is the machine being busy.
const LAG_LIMIT: Duration = Duration::from_micros(100);

/// By which part of what was seen last the estimate of the lag follows it.
const LAG_SHARE: u32 = 16;

/// A socket to wait for.
pub(super) struct Watched<T> {
    pub(super) socket: Arc<dyn AsFd>,
    pub(super) events: PollFlags,
    /// Whose it is.
    pub(super) who: T,
}

/// What sleeps. What arrives while it does is noticed too late by the time that waking up takes; how long that is shows
/// when it wakes by the clock.
#[derive(Debug, Default)]
pub(super) struct Sleeper {
    lag: Duration,
}

impl Sleeper {
    /// Sleeps until something happens at a socket or at `woken`, or until shortly before `next`. Gives what happened at
    /// each, and when that was.
    pub(super) fn sleep<T>(
        &mut self,
        woken: &UnixStream,
        watched: &[Watched<T>],
        next: Option<Instant>,
    ) -> (Vec<PollFlags>, Instant) {
        let mut fds = Vec::with_capacity(watched.len() + 1);
        fds.push(PollFd::new(woken, PollFlags::IN));
        fds.extend(watched.iter().map(|Watched { socket, events, .. }| PollFd::new(socket, *events)));
        let start = Instant::now();
        let limit = next.map(|next| next.saturating_duration_since(start).saturating_sub(AWAKE));
        // A delay is far from the limits of a timespec.
        let timeout = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let ready = poll(&mut fds, timeout.as_ref());
        let now = Instant::now();
        let slept = now - start;
        match (ready, limit) {
            // A signal came in between: nothing is known, so the caller asks again.
            (Err(_), _) => return (Vec::new(), now),
            (Ok(0), Some(limit)) if limit > Duration::ZERO => self.learn(slept.saturating_sub(limit)),
            _ => {}
        }
        if !fds[0].revents().is_empty() {
            // However often it was woken, once is enough.
            let _ = (&*woken).read(&mut [0; 64]);
        }
        // What was there before it slept did not have to wake it.
        (fds[1..].iter().map(PollFd::revents).collect(), now - self.lag.min(slept))
    }

    fn learn(&mut self, lag: Duration) {
        self.lag = (self.lag * (LAG_SHARE - 1) + lag.min(LAG_LIMIT)) / LAG_SHARE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_follows_what_is_seen_and_forgets_what_was_out_of_the_way() {
        let mut sleeper = Sleeper::default();
        (0..100).for_each(|_| sleeper.learn(Duration::from_micros(40)));
        assert!(sleeper.lag.abs_diff(Duration::from_micros(40)) < Duration::from_micros(1), "{sleeper:?}");
        sleeper.learn(Duration::from_secs(1));
        assert!(sleeper.lag < Duration::from_micros(50), "{sleeper:?}");
    }
}
