//! Those who wait, a portion at a time: while one is served the server finds the next.

use std::sync::Arc;

use lastseat_core::id::ListingNo;
use lastseat_core::waitlist::Entry;
use lastseat_core::waitlist::serve::Ask;
use lastseat_store::StoreError;
use lastseat_store::columns::EVERYTHING;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::connection::Connection;
use crate::lane::read;
use crate::{row, sql};

/// Entries, or why there are none: what the server says, and what the rows do.
type Found = Result<Result<Vec<Arc<Entry>>, StoreError>, tokio_postgres::Error>;

/// A question that is on its way. It is about a listing that is locked, so the answer stays true.
pub(crate) struct Portion {
    of: ListingNo,
    ask: Ask,
    found: JoinHandle<Found>,
}

impl Portion {
    /// Asks, and does not wait.
    pub(crate) fn begin(connection: &Connection, of: ListingNo, ask: Ask) -> Self {
        let (client, statement) = asked(connection);
        let asks = ask.clone();
        let found = connection.begin(async move { find(&client, &statement, of, &asks).await });
        Self { of, ask, found }
    }

    /// The answer to what was begun, if it is this question; else asks. Those who want several of the pools come several
    /// times, and more than are asked for.
    ///
    /// # Errors
    /// If the server cannot be asked, or its rows cannot be read.
    pub(crate) fn begun_or_asked(
        begun: Option<Self>,
        connection: &Connection,
        of: ListingNo,
        ask: &Ask,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        let is_asked = |begun: &Self| {
            let questions = [&begun.ask, ask].map(|ask| (&ask.pools, ask.after, ask.most, ask.limit));
            begun.of == of && questions[0] == questions[1]
        };
        let found = match begun.filter(is_asked) {
            Some(Self { found, .. }) => {
                connection.wait(found)?.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
            }
            None => {
                let (client, statement) = asked(connection);
                connection.wait(find(&client, &statement, of, ask))?
            }
        };
        connection.check(found)?
    }
}

fn asked(connection: &Connection) -> (Arc<Client>, Statement) {
    (Arc::clone(&connection.client), connection.prepared(sql::WAITING).clone())
}

async fn find(client: &Client, statement: &Statement, of: ListingNo, ask: &Ask) -> Found {
    let (everything, first, _) = EVERYTHING;
    let pools = ask.pools.iter().map(|pool| (i64::from(pool.group), i64::from(pool.position)));
    let (groups, positions): (Vec<i64>, Vec<i64>) = pools.chain([(everything, first)]).unzip();
    let (most, limit) = (ask.most.unwrap_or(i64::MAX), i64::from(ask.limit));
    let params: [&(dyn ToSql + Sync); 6] = [&of.0, &groups, &positions, &ask.after.0, &most, &limit];
    read(client, statement, &params, row::shared_entry).await
}
