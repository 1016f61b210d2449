//! What a server says of a listing: what it is, and what of it is taken.

use anyhow::{Context, bail};
use lastseat_core::listing::Kind;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest wait for one of these answers.
const ANSWER_DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);

/// A listing, as far as a load generator needs it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct ListingView {
    /// Its id.
    pub id: String,
    /// What is scarce.
    pub kind: Kind,
    /// Shortest stay (`nights`).
    #[serde(default)]
    pub min_nights: Option<u32>,
}

/// The counters of a pool.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct PoolView {
    /// Its key.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units that can be booked.
    pub available: i64,
    /// Units on hold.
    pub held: i64,
    /// Units sold.
    pub confirmed: i64,
    /// Units withheld.
    pub blocked: i64,
    /// Its start.
    pub starts_at: Option<String>,
}

/// The pools of a listing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Inventory {
    /// In the server's order.
    pub pools: Vec<PoolView>,
}

impl Inventory {
    /// Units that are held or sold.
    #[must_use]
    pub fn taken(&self) -> i64 {
        self.pools.iter().map(|pool| pool.held + pool.confirmed).sum()
    }

    /// Units that can still be booked.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.pools.iter().map(|pool| pool.available).sum()
    }

    /// Keys of the pools of which more is taken than exists.
    #[must_use]
    pub fn oversold(&self) -> Vec<String> {
        let over = |pool: &&PoolView| pool.held + pool.confirmed + pool.blocked > pool.capacity;
        self.pools.iter().filter(over).map(|pool| pool.key.clone()).collect()
    }
}

/// Asks a server, without any proxy.
#[derive(Clone, Debug)]
pub struct Server {
    base: String,
    api_key: Option<String>,
    client: reqwest::Client,
}

impl Server {
    /// The server at `base` (`http://HOST:PORT`), asked with an API key or as the public.
    ///
    /// # Errors
    /// If the client cannot be set up.
    pub fn new(base: &str, api_key: Option<&str>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_DEADLINE);
        // No TLS is spoken here: a system without authorities must do.
        let client = client.tls_certs_only([]).build()?;
        Ok(Self { base: base.to_owned(), api_key: api_key.map(str::to_owned), client })
    }

    /// A listing.
    ///
    /// # Errors
    /// If the server cannot be reached or does not show it.
    pub async fn listing(&self, id: &str) -> anyhow::Result<ListingView> {
        self.get(&format!("/v1/listings/{id}")).await
    }

    /// Its pools.
    ///
    /// # Errors
    /// If the server cannot be reached or does not show them.
    pub async fn inventory(&self, id: &str) -> anyhow::Result<Inventory> {
        self.get(&format!("/v1/listings/{id}/availability")).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.get(&url);
        if let Some(key) = &self.api_key {
            request = request.bearer_auth(key);
        }
        let response =
            request.send().await.with_context(|| format!("cannot reach {url}; is the server running?"))?;
        let status = response.status();
        let body = response.bytes().await.with_context(|| format!("{url} broke off"))?;
        if !status.is_success() {
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            bail!("{url} answers {status}: {}", problem["detail"].as_str().unwrap_or("no reason given"));
        }
        serde_json::from_slice(&body).with_context(|| format!("{url} answers something else than expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_taken_than_there_is_is_oversold_and_exactly_all_is_not() {
        let pool = |key: &str, held, confirmed| PoolView {
            key: key.to_owned(),
            capacity: 10,
            available: 0,
            held,
            confirmed,
            blocked: 1,
            starts_at: None,
        };
        let inventory = Inventory { pools: vec![pool("full", 4, 5), pool("over", 5, 5)] };
        assert_eq!(inventory.oversold(), ["over"]);
        assert_eq!(inventory.taken(), 19);
    }
}
