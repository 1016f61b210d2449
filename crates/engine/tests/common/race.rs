//! Several clients at once. What a race may end in depends on who comes first, so each race is run in both
//! orders, with every command in a transaction of its own and with all of them in one, and then with the
//! clients really at the same time, in an order that a seed shuffles.

use lastseat_core::command::Command;
use lastseat_engine::{DueWorker, EngineConfig};
use lastseat_store_sqlite::FILE_NAME;
use rusqlite::Connection;

use super::{Answer, House, ask};

/// How many shuffled runs each race has.
const SHUFFLED: u64 = 6;

/// Who comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// All of the left side.
    Left,
    /// All of the right side.
    Right,
    /// They come mixed.
    Nobody,
}

/// How a race is run.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub first: First,
    /// All in one transaction, or each in its own.
    pub together: bool,
    seed: u64,
}

/// Every way in which a race is run.
pub fn ways() -> impl Iterator<Item = Way> {
    let ordered = [First::Left, First::Right]
        .into_iter()
        .flat_map(|first| [true, false].map(|together| Way { first, together, seed: 0 }));
    let shuffled = (0..SHUFFLED).map(|seed| Way { first: First::Nobody, together: seed % 2 == 0, seed });
    ordered.chain(shuffled)
}

impl Way {
    /// An engine that runs commands as this way wants it.
    pub fn house(self) -> House {
        let batch_limit = if self.together { 1_024 } else { 1 };
        House::with(EngineConfig { batch_limit, due_worker: DueWorker::Off, ..EngineConfig::default() })
    }
}

impl House {
    /// Runs both sides against each other; gives the answers of each, in the order of its commands.
    pub async fn race(
        &self,
        way: Way,
        left: Vec<Command>,
        right: Vec<Command>,
    ) -> (Vec<Answer>, Vec<Answer>) {
        let lefts = left.len();
        let commands: Vec<(usize, Command)> = left.into_iter().chain(right).enumerate().collect();
        let mut answers = match way.first {
            First::Left => self.in_order(commands).await,
            First::Right => {
                let (mut first, mut second) = (commands, Vec::new());
                second.extend(first.drain(..lefts));
                self.in_order(first.into_iter().chain(second).collect()).await
            }
            First::Nobody => self.at_once(shuffled(commands, way.seed)).await,
        };
        answers.sort_by_key(|(index, _)| *index);
        let mut left: Vec<Answer> = answers.into_iter().map(|(_, answer)| answer).collect();
        let right = left.split_off(lefts);
        (left, right)
    }

    /// All wait in the queue, in order, before the first of them is begun: they are one batch as far as the
    /// engine's limit allows.
    async fn in_order(&self, commands: Vec<(usize, Command)>) -> Vec<(usize, Answer)> {
        // While another connection writes, the engine's first transaction waits, and all others behind it.
        let gate = Connection::open(self.path().join(FILE_NAME)).unwrap();
        gate.execute_batch("BEGIN IMMEDIATE").unwrap();
        let waits = tokio::spawn({
            let engine = self.engine.clone();
            async move { engine.submit(ask::settle()).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        let mut queued = Vec::new();
        for (index, command) in commands {
            let mut answer = Box::pin(self.submit(command));
            // Once polled, it is in the queue.
            let early = std::future::poll_fn(|context| {
                std::task::Poll::Ready(answer.as_mut().poll(context).is_ready())
            });
            assert!(!early.await, "the gate is open");
            queued.push((index, answer));
        }
        gate.execute_batch("ROLLBACK").unwrap();
        waits.await.unwrap().unwrap();
        let mut answers = Vec::new();
        for (index, answer) in queued {
            answers.push((index, answer.await));
        }
        answers
    }

    async fn at_once(&self, commands: Vec<(usize, Command)>) -> Vec<(usize, Answer)> {
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(commands.len()));
        let clients: Vec<_> = commands
            .into_iter()
            .map(|(index, command)| {
                let (engine, start) = (self.engine.clone(), std::sync::Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    (index, engine.submit(command).await.map(|done| done.outcome))
                })
            })
            .collect();
        let mut answers = Vec::new();
        for client in clients {
            answers.push(client.await.unwrap());
        }
        answers
    }
}

/// The commands in an order that the seed decides (Fisher and Yates, with a linear congruence).
fn shuffled<T>(mut items: Vec<T>, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap() % (last + 1);
        items.swap(last, other);
    }
    items
}

/// How many were carried out.
pub fn won(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// The codes of those that were refused.
pub fn codes(answers: &[Answer]) -> Vec<&'static str> {
    answers.iter().filter_map(|answer| answer.as_ref().err()).map(|refusal| refusal.code.as_str()).collect()
}

/// Asserts that so many were carried out, and all others refused with this code.
#[track_caller]
pub fn assert_won(answers: &[Answer], count: usize, code: &str, way: Way) {
    assert_eq!(won(answers), count, "{way:?}: {answers:?}");
    assert!(codes(answers).iter().all(|found| *found == code), "{way:?}: {answers:?}");
}
