//! Threads that work now and then, below everything else.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Context;

use crate::failure::Failure;

/// How far such a thread stands back for others: 0 is like the others, 19 is last.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A thread that is told to end when this is dropped. Nobody waits for it: what it does may be broken off.
pub(crate) struct Background {
    _alive: Sender<()>,
}

impl Background {
    /// Starts a thread that does `work` after the pause `first`, and then again and again after `pause`.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(
        name: &str,
        first: Duration,
        pause: Duration,
        mut work: impl FnMut() + Send + 'static,
    ) -> Result<Self, Failure> {
        let (alive, ended) = channel::<()>();
        let run = move || {
            stand_back();
            let mut wait = first;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                work();
                wait = pause;
            }
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .with_context(|| format!("cannot start the thread {name}"))?;
        Ok(Self { _alive: alive })
    }
}

/// Lowers the priority of this thread. On Linux a thread has one of its own; elsewhere it would be the process's.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "cannot lower a background thread's priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_again_and_again_until_it_is_dropped() {
        let (count, counted) = channel();
        let soon = Duration::from_millis(1);
        let background = Background::start("test", soon, soon, move || {
            let _ = count.send(());
        })
        .unwrap();
        for _ in 0..3 {
            counted.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        drop(background);
        // The thread drops its end of the channel when it ends.
        while counted.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(counted.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
    }
}
