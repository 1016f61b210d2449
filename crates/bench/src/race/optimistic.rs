//! Optimistic: the pool's row carries a version. Read it, and write under the condition that it is still the same; if it
//! is not, somebody else was first, so begin again, a bounded number of times.

use std::sync::Arc;
use std::time::Duration;

use lastseat_engine::ids;

use super::rows::{self, POOL};
use super::shop::Shop;
use super::users::{Answer, Request, Way};

/// How often a booking is tried before the user is told to try again.
const MAX_TRIES: u32 = 10;
/// Longest pause between two tries, in microseconds. It is a random part of this, so that those who collided do not
/// collide again.
const MAX_PAUSE_MICROS: u64 = 10_000;

const READ: &str = "SELECT capacity - taken, version FROM pools WHERE id = $1";
const COUNT: &str =
    "UPDATE pools SET taken = taken + 1, version = version + 1 WHERE id = $1 AND version = $2";

pub(super) struct Optimistic(Arc<Shop>);

impl Optimistic {
    pub(super) async fn new(shop: Arc<Shop>) -> anyhow::Result<Self> {
        shop.warm(&[[READ, COUNT].as_slice(), &rows::STATEMENTS].concat()).await?;
        Ok(Self(shop))
    }

    /// One try; `Busy` if somebody else was first.
    async fn attempt(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut client = self.0.client().await?;
        let tx = client.transaction().await?;
        if rows::known(&tx, request).await? {
            return Ok(Answer::Sold);
        }
        let read = tx.prepare_cached(READ).await?;
        let row = tx.query_one(&read, &[&POOL]).await?;
        let (left, version): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if left <= 0 {
            tx.rollback().await?;
            return Ok(Answer::SoldOut);
        }
        if rows::run(&tx, COUNT, &[&POOL, &version]).await? == 0 {
            tx.rollback().await?;
            return Ok(Answer::Busy);
        }
        rows::insert(&tx, request).await?;
        tx.commit().await?;
        Ok(Answer::Sold)
    }
}

impl Way for Optimistic {
    async fn book(&self, request: &Request) -> anyhow::Result<Answer> {
        for attempt in 1..=MAX_TRIES {
            let answer = self.attempt(request).await?;
            if answer != Answer::Busy {
                return Ok(answer);
            }
            if attempt < MAX_TRIES {
                tokio::time::sleep(random_pause()).await;
            }
        }
        Ok(Answer::Busy)
    }
}

fn random_pause() -> Duration {
    let micros = ids::bits() % u128::from(MAX_PAUSE_MICROS);
    Duration::from_micros(u64::try_from(micros).unwrap_or(MAX_PAUSE_MICROS))
}
