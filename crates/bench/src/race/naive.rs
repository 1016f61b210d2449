//! Read, think, write: the page shows that a place is left, the user thinks, and the booking is written because a place
//! was left when the page was made. This is what most first versions do, and it sells one place to everybody who was
//! thinking at the same time.
//!
//! It counts in the database (`taken = taken + 1`), which is the milder form: whoever writes back the number that was
//! read loses counts as well, and does not even stop.

use std::sync::Arc;

use super::rows::{self, POOL};
use super::shop::Shop;
use super::users::{Answer, Request, Seen, Way};

const LEFT: &str = "SELECT capacity - taken FROM pools WHERE id = $1";
const COUNT: &str = "UPDATE pools SET taken = taken + 1 WHERE id = $1";

pub(super) struct Naive(Arc<Shop>);

impl Naive {
    pub(super) async fn new(shop: Arc<Shop>) -> anyhow::Result<Self> {
        shop.warm(&[[LEFT, COUNT].as_slice(), &rows::STATEMENTS].concat()).await?;
        Ok(Self(shop))
    }
}

impl Way for Naive {
    async fn look(&self) -> anyhow::Result<Seen> {
        let client = self.0.client().await?;
        let statement = client.prepare_cached(LEFT).await?;
        let left: i64 = client.query_one(&statement, &[&POOL]).await?.try_get(0)?;
        Ok(if left > 0 { Seen::PlacesLeft } else { Seen::SoldOut })
    }

    async fn book(&self, request: &Request) -> anyhow::Result<Answer> {
        let mut client = self.0.client().await?;
        let tx = client.transaction().await?;
        if rows::known(&tx, request).await? {
            return Ok(Answer::Sold);
        }
        rows::run(&tx, COUNT, &[&POOL]).await?;
        rows::insert(&tx, request).await?;
        tx.commit().await?;
        Ok(Answer::Sold)
    }
}
