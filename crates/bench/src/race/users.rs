//! The users of a race: each looks, thinks, books, and begins again until refused as sold out.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lastseat_engine::ids;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Options;
use crate::latency::micros;

/// How long a user waits before asking again after an error; twice as long after each further one. It counts as waiting
/// for the answer.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);
/// But no longer than this: what a server would ask for in `Retry-After`.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Failures in a row after which a user gives up. Being told to try again is no failure.
const MAX_FAILURES: u32 = 20;

/// A way to book.
pub(super) trait Way: Send + Sync + 'static {
    /// What a user sees before thinking. Only who decides by it needs to look.
    fn look(&self) -> impl Future<Output = anyhow::Result<Seen>> + Send {
        ready(Ok(Seen::PlacesLeft))
    }

    /// Books one place.
    fn book(&self, request: &Request) -> impl Future<Output = anyhow::Result<Answer>> + Send;
}

/// What the page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    PlacesLeft,
    SoldOut,
}

/// What a user is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Sold,
    SoldOut,
    /// Too many wanted it at the same time; ask again.
    Busy,
}

/// One wish to book, under the same idempotency key however often it is asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) booking: Uuid,
    pub(super) key: Uuid,
    pub(super) fingerprint: [u8; 16],
    pub(super) name: String,
    pub(super) email: String,
}

impl Request {
    pub(super) fn new() -> Self {
        let bits = ids::bits();
        Self {
            booking: Uuid::from_u128(ids::booking_id().bits()),
            key: Uuid::from_u128(bits),
            fingerprint: bits.rotate_left(64).to_be_bytes(),
            name: format!("Customer {:016x}", bits >> 64),
            email: format!("customer-{:016x}@example.org", bits >> 64),
        }
    }
}

/// Counts of a race.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    pub(super) sold: i64,
    pub(super) refused: u64,
    pub(super) errors: u64,
    /// Of each booking that was accepted or refused, in microseconds, thinking left out.
    pub(super) latencies: Vec<u32>,
    /// When the last place was sold, from the start.
    pub(super) last_sold: Duration,
    /// The first error that was no mere "try again".
    pub(super) failure: Option<String>,
    /// Whether it was ended before everybody was refused.
    pub(super) cut_short: bool,
}

impl Count {
    fn merge(&mut self, other: Self) {
        self.sold += other.sold;
        self.refused += other.refused;
        self.errors += other.errors;
        self.latencies.extend(other.latencies);
        self.last_sold = self.last_sold.max(other.last_sold);
        self.failure = self.failure.take().or(other.failure);
        self.cut_short |= other.cut_short;
    }

    fn failed(&mut self, failure: &anyhow::Error) {
        self.errors += 1;
        self.failure.get_or_insert_with(|| format!("{failure:#}"));
    }
}

/// Lets all users begin at the same time, and waits until the last of them is refused, or until it is stopped.
pub(super) async fn race<W: Way>(
    way: &Arc<W>,
    options: &Options,
    stop: &CancellationToken,
) -> anyhow::Result<Count> {
    let stop = stop.child_token();
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for _ in 0..options.users {
        let (way, stop, think) = (Arc::clone(way), stop.clone(), options.think);
        tasks.spawn(async move {
            let mut count = Count::default();
            let cut_short = tokio::select! {
                () = stop.cancelled() => true,
                () = user(&*way, think, start, &mut count) => false,
            };
            Count { cut_short, ..count }
        });
    }
    if let Some(limit) = options.limit {
        let stop = stop.clone();
        // It ends with the race or with the limit, whichever is later, and is in nobody's way.
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            stop.cancel();
        });
    }
    let mut count = Count::default();
    while let Some(done) = tasks.join_next().await {
        count.merge(done?);
    }
    Ok(count)
}

async fn user<W: Way>(way: &W, think: Duration, start: Instant, count: &mut Count) {
    let mut failures = 0;
    let mut pause = PAUSE_AFTER_ERROR;
    while count.refused == 0 && failures < MAX_FAILURES {
        let asked = Instant::now();
        let seen = way.look().await;
        let looked = asked.elapsed();
        match seen {
            Ok(Seen::PlacesLeft) => {}
            Ok(Seen::SoldOut) => {
                count.refused += 1;
                count.latencies.push(micros(looked));
                break;
            }
            Err(failure) => {
                count.failed(&failure);
                failures += 1;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
                continue;
            }
        }
        if !think.is_zero() {
            tokio::time::sleep(think).await;
        }
        let request = Request::new();
        let asked = Instant::now();
        while failures < MAX_FAILURES {
            let answer = way.book(&request).await;
            match answer {
                Ok(Answer::Busy) => count.errors += 1,
                Ok(answer) => {
                    count.latencies.push(micros(looked + asked.elapsed()));
                    (failures, pause) = (0, PAUSE_AFTER_ERROR);
                    if answer == Answer::Sold {
                        count.sold += 1;
                        count.last_sold = start.elapsed();
                    } else {
                        count.refused += 1;
                    }
                    break;
                }
                Err(failure) => {
                    count.failed(&failure);
                    failures += 1;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

    /// Sells what there is, but is busy or fails every now and then.
    struct Moody {
        left: AtomicI64,
        asked: AtomicU32,
    }

    impl Way for Moody {
        async fn book(&self, _request: &Request) -> anyhow::Result<Answer> {
            match self.asked.fetch_add(1, Ordering::Relaxed) % 4 {
                0 => return Ok(Answer::Busy),
                1 => anyhow::bail!("the line is dead"),
                _ => {}
            }
            Ok(if self.left.fetch_sub(1, Ordering::Relaxed) > 0 { Answer::Sold } else { Answer::SoldOut })
        }
    }

    fn options(users: usize) -> Options {
        Options { users, capacity: 30, think: Duration::ZERO, limit: None }
    }

    #[tokio::test]
    async fn errors_are_asked_again_and_everybody_is_refused_once_in_the_end() {
        let way = Arc::new(Moody { left: 30.into(), asked: 0.into() });
        let count = race(&way, &options(10), &CancellationToken::new()).await.unwrap();
        assert_eq!((count.sold, count.refused, count.cut_short), (30, 10, false));
        assert_eq!(count.latencies.len(), 40, "one for each answer");
        assert!(count.errors >= 30, "{}", count.errors);
        assert_eq!(count.failure.as_deref(), Some("the line is dead"));
        assert!(count.latencies.iter().any(|&micros| micros > 10_000), "asking again is waiting");
    }

    /// Never has an answer.
    struct Dead;

    impl Way for Dead {
        async fn book(&self, _request: &Request) -> anyhow::Result<Answer> {
            anyhow::bail!("nobody there")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_meets_failures_gives_up() {
        let count = race(&Arc::new(Dead), &options(2), &CancellationToken::new()).await.unwrap();
        assert_eq!((count.sold, count.refused, count.errors), (0, 0, 2 * u64::from(MAX_FAILURES)));
    }

    /// Has an endless supply.
    struct Endless;

    impl Way for Endless {
        async fn book(&self, _request: &Request) -> anyhow::Result<Answer> {
            tokio::task::yield_now().await;
            Ok(Answer::Sold)
        }
    }

    #[tokio::test]
    async fn a_race_ends_at_its_limit_or_when_it_is_stopped() {
        let limited = Options { limit: Some(Duration::from_millis(50)), ..options(3) };
        let count = race(&Arc::new(Endless), &limited, &CancellationToken::new()).await.unwrap();
        assert!(count.sold > 0 && count.cut_short && count.last_sold >= Duration::from_millis(40));
        let stop = CancellationToken::new();
        stop.cancel();
        assert!(race(&Arc::new(Endless), &options(3), &stop).await.unwrap().cut_short);
    }
}
