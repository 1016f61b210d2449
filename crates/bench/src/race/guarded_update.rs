//! One conditional statement, which is its own transaction: it counts if there is a place left, and inserts the rows if
//! it has counted. One way to the database and back; the row is locked from the update to the commit.

use std::sync::Arc;

use super::rows::{self, POOL};
use super::shop::Shop;
use super::users::{Answer, Request, Way};

pub(super) struct GuardedUpdate {
    shop: Arc<Shop>,
    sql: String,
}

impl GuardedUpdate {
    pub(super) async fn new(shop: Arc<Shop>) -> anyhow::Result<Self> {
        let sql = rows::in_one_statement(&format!(
            "UPDATE pools SET taken = taken + 1
            WHERE id = {POOL} AND taken < capacity AND NOT EXISTS (SELECT FROM known)
            RETURNING id"
        ));
        shop.warm(&[&sql]).await?;
        Ok(Self { shop, sql })
    }
}

impl Way for GuardedUpdate {
    async fn book(&self, request: &Request) -> anyhow::Result<Answer> {
        let client = self.shop.client().await?;
        let (known, taken) = rows::run_in_one_statement(&client, &self.sql, request).await?;
        Ok(if known || taken { Answer::Sold } else { Answer::SoldOut })
    }
}
