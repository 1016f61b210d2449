//! A few statements on a server, for those who have no client of their own at hand.

use anyhow::Context;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// One row of an answer: each column as text, `None` for NULL.
pub type Row = Vec<Option<String>>;

/// Runs the statements of `text` on a connection of its own, and gives the rows of all of them in order.
///
/// It blocks, inside of an async runtime too: it has a thread of its own.
///
/// # Errors
/// When the server cannot be reached, or refuses; with what it said.
pub(super) fn run(url: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let thread = std::thread::scope(|scope| scope.spawn(|| run_here(url, text)).join());
    thread.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run_here(url: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let messages = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(text).await;
        drop(client);
        // The answer has arrived; how the connection ends does not matter.
        let _ = connection.await;
        messages
    });
    let messages = messages.map_err(|error| match error.as_db_error() {
        Some(said) => anyhow::anyhow!("PostgreSQL says: {said}"),
        None => anyhow::Error::new(error).context("cannot talk to PostgreSQL"),
    });
    let rows = messages.with_context(|| format!("while running {text}"))?.into_iter().filter_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
    });
    Ok(rows.collect())
}
