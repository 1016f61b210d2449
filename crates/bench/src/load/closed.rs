//! A closed loop: so many connections, each asking again as soon as it is answered. It finds the most that a server
//! can do; what a customer waits at a given rate is for an open loop to say ([`crate::book`]).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::{Address, Connection, LoadError, Template, limits};
use crate::tally::Tally;

/// Connections that are being opened at the same time.
const OPENING: usize = 64;
/// How long a connection waits for its last answer after the end, before it is given up.
const GRACE: Duration = Duration::from_secs(30);
/// Bits of a request's number that count within its connection.
const COUNT_BITS: u32 = 40;

/// How the loop runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loop {
    /// Connections.
    pub connections: usize,
    /// What is left out of the count at the beginning.
    pub warm_up: Duration,
    /// What is counted.
    pub measure: Duration,
}

/// What was answered within [`Loop::measure`].
#[derive(Clone, Debug)]
pub struct Answered {
    /// By kind.
    pub tally: Tally,
    /// Within so many seconds.
    pub seconds: f64,
}

impl Answered {
    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.tally.answered() as f64 / self.seconds
    }
}

/// Opens connections, a few at a time.
///
/// # Errors
/// If one cannot be opened.
pub async fn open(address: &Address, connections: usize) -> anyhow::Result<Vec<Connection>> {
    limits::allow(connections)?;
    let opening = futures_util::stream::iter((0..connections).map(|_| Connection::open(address)));
    Ok(opening.buffer_unordered(OPENING).try_collect().await?)
}

/// Opens the connections, lets them ask, and counts.
///
/// # Errors
/// If a connection cannot be opened. What fails later is counted.
pub async fn run(address: &Address, template: &Template, how: Loop) -> anyhow::Result<Answered> {
    let connections = open(address, how.connections).await?;
    let from = Instant::now() + how.warm_up;
    let until = from + how.measure;
    let template = Arc::new(template.clone());
    let mut tasks = JoinSet::new();
    for (index, connection) in connections.into_iter().enumerate() {
        let template = Template::clone(&template);
        let first = (index as u64) << COUNT_BITS;
        tasks.spawn(ask(connection, template, first, from, until));
    }
    let mut tally = Tally::default();
    while let Some(one) = tasks.join_next().await {
        tally.merge(one?);
    }
    Ok(Answered { tally, seconds: how.measure.as_secs_f64() })
}

async fn ask(
    mut connection: Connection,
    mut template: Template,
    first: u64,
    from: Instant,
    until: Instant,
) -> Tally {
    let mut tally = Tally::default();
    let asking = async {
        let mut number = first;
        loop {
            let sent = Instant::now();
            if sent >= until {
                break;
            }
            let answer = connection.exchange(template.stamped(number)).await;
            let done = Instant::now();
            if done >= from && done < until {
                tally.add(answer.as_ref(), done - sent);
            }
            if let Err(LoadError::Connect { .. }) = answer {
                break;
            }
            number += 1;
        }
    };
    let patience = tokio::time::Instant::from_std(until) + GRACE;
    if tokio::time::timeout_at(patience, asking).await.is_err() {
        tally.fail("no_answer");
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn every_connection_asks_until_the_end_and_numbers_never_repeat() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::resolve(&format!("http://{}", listener.local_addr().unwrap())).await.unwrap();
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let keep = Arc::clone(&keep);
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while let Ok(1..) = stream.read(&mut request).await {
                        let text = String::from_utf8_lossy(&request);
                        let key = text.split("idempotency-key: ").nth(1).unwrap()[..20].to_owned();
                        keep.lock().unwrap().push(key);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        stream.write_all(b"HTTP/1.1 201 x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                    }
                });
            }
        });
        let template = Template::post(&address, "/v1/bookings", None, "run", "{}");
        let how =
            Loop { connections: 5, warm_up: Duration::from_millis(50), measure: Duration::from_millis(200) };
        let answered = run(&address, &template, how).await.unwrap();
        let keys = seen.lock().unwrap().clone();
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(answered.tally.created, answered.tally.answered());
        assert!(
            answered.tally.created >= 5 && answered.tally.created < keys.len() as u64,
            "warm-up is left out"
        );
        assert!(answered.tally.percentiles().p50_ms >= 5.0);
    }
}
