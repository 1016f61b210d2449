//! The shop that the classical strategies run: a schema of its own in somebody's PostgreSQL, and a web application's
//! pool of connections to it. The schema is dropped when the race is over, however it ended.

use std::sync::Arc;

use anyhow::{Context, bail};
use deadpool_postgres::{Client, Hook, HookError, Manager, Pool};
use futures_util::future::try_join_all;

use super::rows::POOL;
use super::schema::{Line, Schema};

/// Most connections, as a web application on a large server would have them. Users beyond wait for one.
pub const MAX_CONNECTIONS: usize = 128;
/// Connections that are left to others where the server has few.
const SPARE_CONNECTIONS: i64 = 2;

const TABLES: &str = include_str!("schema.sql");
const FREE_CONNECTIONS: &str = "SELECT current_setting('max_connections')::bigint
    - current_setting('superuser_reserved_connections')::bigint
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";
const INSERT_POOL: &str = "INSERT INTO pools (id, capacity) VALUES ($1, $2)";
const INSERT_UNITS: &str = "INSERT INTO units (no, pool_id)
    SELECT no, pools.id FROM pools, generate_series(1, capacity) AS no WHERE pools.id = $1";
/// Waits for what is not committed yet, so that no booking is overlooked.
const LOCK_BOOKINGS: &str = "LOCK TABLE bookings IN SHARE MODE";
const COUNT_BOOKINGS: &str = "SELECT count(*) FROM bookings";

/// The shop.
pub(super) struct Shop {
    schema: Schema,
    connections: usize,
    pool: Pool,
    /// What to know about its server.
    pub(super) notes: Vec<String>,
}

impl Shop {
    /// Makes the schema, with one pool of so many places.
    ///
    /// # Errors
    /// If the server cannot be reached, or does not let us make a schema.
    pub(super) async fn open(line: &Line, users: usize, capacity: i64) -> anyhow::Result<Arc<Self>> {
        let schema = Schema::create(line, TABLES).await?;
        match Self::furnish(line, &schema, users, capacity).await {
            Ok((connections, pool, notes)) => Ok(Arc::new(Self { schema, connections, pool, notes })),
            Err(error) => {
                schema.drop().await?;
                Err(error)
            }
        }
    }

    /// Makes the pool of places, and the pool of connections: how many, and what to know about the server.
    async fn furnish(
        line: &Line,
        schema: &Schema,
        users: usize,
        capacity: i64,
    ) -> anyhow::Result<(usize, Pool, Vec<String>)> {
        let client = &schema.client;
        client.execute(INSERT_POOL, &[&POOL, &capacity]).await?;
        let free: i64 = client.query_one(FREE_CONNECTIONS, &[]).await?.try_get(0)?;
        let free = usize::try_from(free - SPARE_CONNECTIONS).unwrap_or_default();
        if free == 0 {
            bail!("this PostgreSQL has no connection left; raise its max_connections");
        }
        let wanted = users.min(MAX_CONNECTIONS);
        let mut notes = Vec::new();
        if free < wanted {
            notes.push(format!(
                "{free} connections instead of {wanted}: this PostgreSQL has no more left (max_connections)"
            ));
        }
        for setting in ["fsync", "synchronous_commit"] {
            let row = client.query_one("SELECT current_setting($1)", &[&setting]).await?;
            if row.try_get::<_, String>(0)? == "off" {
                notes.push(format!(
                    "{setting} is off in this PostgreSQL: bookings are not safe when answered"
                ));
            }
        }
        let connections = wanted.min(free);
        Ok((connections, connect(line, &schema.name, connections)?, notes))
    }

    /// A connection of the application's pool; waits for one.
    pub(super) async fn client(&self) -> anyhow::Result<Client> {
        self.pool.get().await.context("cannot get a connection to PostgreSQL")
    }

    /// Opens all connections and prepares these statements on each, as an application has done that runs for a while.
    pub(super) async fn warm(&self, statements: &[&str]) -> anyhow::Result<()> {
        let clients = try_join_all((0..self.connections).map(|_| self.client())).await?;
        for client in &clients {
            for sql in statements {
                client.prepare_cached(sql).await.with_context(|| format!("cannot prepare {sql}"))?;
            }
        }
        Ok(())
    }

    /// Makes a row for each place.
    pub(super) async fn make_units(&self) -> anyhow::Result<()> {
        let client = self.client().await?;
        client.execute(INSERT_UNITS, &[&POOL]).await?;
        client.batch_execute("ANALYZE units").await?;
        Ok(())
    }

    /// How many bookings there are.
    pub(super) async fn stored(&self) -> anyhow::Result<i64> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        tx.batch_execute(LOCK_BOOKINGS).await?;
        Ok(tx.query_one(COUNT_BOOKINGS, &[]).await?.try_get(0)?)
    }

    /// Drops the schema.
    ///
    /// # Errors
    /// If that cannot be done; the sentence names the schema.
    pub(super) async fn close(&self) -> anyhow::Result<()> {
        self.pool.close();
        self.schema.drop().await
    }
}

/// A pool of connections that work in that schema.
fn connect(line: &Line, schema: &str, size: usize) -> anyhow::Result<Pool> {
    let search_path = Arc::new(format!("SET search_path TO {schema}"));
    let in_schema = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        let search_path = Arc::clone(&search_path);
        Box::pin(async move { client.batch_execute(&search_path).await.map_err(HookError::Backend) })
    });
    let pool =
        Pool::builder(Manager::new(line.named(), line.tls.clone())).max_size(size).post_create(in_schema);
    pool.build().context("cannot make a pool of connections")
}
