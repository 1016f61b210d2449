//! The rows that a booking is, the same for every classical strategy: a booking that is held, its line, an event, and
//! its idempotency key.

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::types::ToSql;

use super::users::Request;

/// The one pool.
pub(super) const POOL: i64 = 1;

/// Whether a request was carried out before.
const KNOWN: &str = "SELECT booking_id FROM idempotency_keys WHERE key = $1";
const INSERT_BOOKING: &str = "INSERT INTO bookings (id, state, customer_name, customer_email, total, due_at)
    VALUES ($1, 'held', $2, $3, 1000, clock_timestamp() + interval '1 day')";
const INSERT_LINE: &str =
    "INSERT INTO booking_lines (booking_id, pool_id, quantity, price) VALUES ($1, $2, 1, 1000)";
const INSERT_EVENT: &str = "INSERT INTO booking_events (booking_id, kind, data)
    VALUES ($1, 'booking.held', jsonb_build_object('quantity', 1, 'total', 1000))";
const INSERT_KEY: &str = "INSERT INTO idempotency_keys (key, fingerprint, booking_id) VALUES ($1, $2, $3)";

/// What [`known`] and [`insert`] run, to be prepared in advance.
pub(super) const STATEMENTS: [&str; 5] = [KNOWN, INSERT_BOOKING, INSERT_LINE, INSERT_EVENT, INSERT_KEY];

/// Whether this request was carried out before.
pub(super) async fn known(on: &Transaction<'_>, request: &Request) -> anyhow::Result<bool> {
    let known = on.prepare_cached(KNOWN).await?;
    Ok(on.query_opt(&known, &[&request.key]).await?.is_some())
}

/// Inserts the rows, one statement after the other.
pub(super) async fn insert(on: &Transaction<'_>, request: &Request) -> anyhow::Result<()> {
    let Request { booking, key, fingerprint, name, email } = request;
    run(on, INSERT_BOOKING, &[booking, name, email]).await?;
    run(on, INSERT_LINE, &[booking, &POOL]).await?;
    run(on, INSERT_EVENT, &[booking]).await?;
    run(on, INSERT_KEY, &[key, &fingerprint.as_slice(), booking]).await?;
    Ok(())
}

/// Runs a statement that is prepared once per connection; the number of rows that it changed.
pub(super) async fn run(
    on: &Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> anyhow::Result<u64> {
    let statement = on.prepare_cached(sql).await?;
    Ok(on.execute(&statement, values).await?)
}

/// One statement for all of it. `take` claims a place and returns a row if it got one; it is not to claim anything if
/// there is a row in `known`. The answer is whether the request was known, and whether a place was taken.
pub(super) fn in_one_statement(take: &str) -> String {
    format!(
        "WITH known AS (SELECT FROM idempotency_keys WHERE key = $2),
        taken AS ({take}),
        booking AS (
            INSERT INTO bookings (id, state, customer_name, customer_email, total, due_at)
            SELECT $1, 'held', $4::text, $5::text, 1000, clock_timestamp() + interval '1 day' FROM taken),
        line AS (
            INSERT INTO booking_lines (booking_id, pool_id, quantity, price)
            SELECT $1, {POOL}, 1, 1000 FROM taken),
        event AS (
            INSERT INTO booking_events (booking_id, kind, data)
            SELECT $1, 'booking.held', jsonb_build_object('quantity', 1, 'total', 1000) FROM taken),
        key AS (
            INSERT INTO idempotency_keys (key, fingerprint, booking_id)
            SELECT $2, $3::bytea, $1::uuid FROM taken)
        SELECT EXISTS (SELECT FROM known), EXISTS (SELECT FROM taken)"
    )
}

/// Runs what [`in_one_statement`] made: whether the request was known, and whether a place was taken.
pub(super) async fn run_in_one_statement(
    on: &Client,
    sql: &str,
    request: &Request,
) -> anyhow::Result<(bool, bool)> {
    let Request { booking, key, fingerprint, name, email } = request;
    let statement = on.prepare_cached(sql).await?;
    let row = on.query_one(&statement, &[booking, key, &fingerprint.as_slice(), name, email]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
