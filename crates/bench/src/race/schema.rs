//! A schema of our own in somebody's PostgreSQL, with the connection that made it and drops it again.

use std::time::Duration;

use anyhow::Context;
use lastseat_engine::ids;
use lastseat_store_postgres::Tls;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

/// How long connecting may take where the URL does not say so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How names of schemas begin.
const PREFIX: &str = "lastseat_race_";
/// How often dropping is tried.
const DROPS: u32 = 4;
/// What connections are called in `pg_stat_activity`.
const APPLICATION: &str = "lastseat bench race";

/// The schema.
pub(super) struct Schema {
    /// Its name, which needs no quotes.
    pub(super) name: String,
    /// A connection that works in it.
    pub(super) client: Client,
}

impl Schema {
    /// Makes it, with these tables.
    ///
    /// # Errors
    /// If the server cannot be reached, or does not let us.
    pub(super) async fn create(line: &Line, tables: &str) -> anyhow::Result<Self> {
        let name = format!("{PREFIX}{:016x}", ids::bits() >> 64);
        let connected = line.named().connect(line.tls.clone()).await;
        let (client, connection) = connected.context("cannot connect to the PostgreSQL to race on")?;
        tokio::spawn(connection);
        // Several statements in one message are one transaction: all of it is there, or nothing.
        let sql = format!("CREATE SCHEMA {name}; SET search_path TO {name};\n{tables}");
        client.batch_execute(&sql).await.context("cannot make a schema to race in")?;
        Ok(Self { name, client })
    }

    /// Drops it with all that is in it.
    ///
    /// # Errors
    /// If that cannot be done; the sentence says how to do it by hand.
    pub(super) async fn drop(&self) -> anyhow::Result<()> {
        let sql = format!("DROP SCHEMA {} CASCADE", self.name);
        let mut left = DROPS;
        let dropped = loop {
            left -= 1;
            match self.client.batch_execute(&sql).await {
                // What looks after the tables, or who has not heard yet that the race is over, locks them in another order.
                Err(error) if left > 0 && error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
                dropped => break dropped,
            }
        };
        dropped.with_context(|| format!("cannot clean up; do it by hand: {sql}"))
    }
}

/// How connections of a race are made.
#[derive(Clone)]
pub(super) struct Line {
    /// What the URL says.
    pub(super) config: Config,
    /// What speaks TLS, if it says so.
    pub(super) tls: Tls,
}

impl Line {
    /// The settings for connections of a race.
    pub(super) fn named(&self) -> Config {
        let mut config = self.config.clone();
        config.application_name(APPLICATION);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config
    }
}
