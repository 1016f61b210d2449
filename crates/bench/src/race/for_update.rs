//! Pessimistic: `SELECT ... FOR UPDATE` locks the pool's row, and everybody else waits until the booking is committed.
//! Thinking is done before: nobody keeps a row locked while a person thinks.
//!
//! The lock is taken as late as it can be, behind the look-up of the idempotency key.

use std::sync::Arc;

use super::rows::{self, POOL};
use super::shop::Shop;
use super::users::{Answer, Request, Way};

const LOCK: &str = "SELECT capacity - taken FROM pools WHERE id = $1 FOR UPDATE";
const COUNT: &str = "UPDATE pools SET taken = taken + 1 WHERE id = $1";

pub(super) struct ForUpdate(Arc<Shop>);

impl ForUpdate {
    pub(super) async fn new(shop: Arc<Shop>) -> anyhow::Result<Self> {
        shop.warm(&[[LOCK, COUNT].as_slice(), &rows::STATEMENTS].concat()).await?;
        Ok(Self(shop))
    }
}

impl Way for ForUpdate {
    async fn book(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut client = self.0.client().await?;
        let tx = client.transaction().await?;
        if rows::known(&tx, request).await? {
            return Ok(Answer::Sold);
        }
        let lock = tx.prepare_cached(LOCK).await?;
        let left: i64 = tx.query_one(&lock, &[&POOL]).await?.try_get(0)?;
        if left <= 0 {
            tx.rollback().await?;
            return Ok(Answer::SoldOut);
        }
        rows::run(&tx, COUNT, &[&POOL]).await?;
        rows::insert(&tx, request).await?;
        tx.commit().await?;
        Ok(Answer::Sold)
    }
}
