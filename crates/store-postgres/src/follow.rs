//! The order of the event log, and what other nodes commit.

use std::sync::Arc;

use lastseat_core::id::ListingNo;
use lastseat_store::{Follow, Followed, StoreError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Purpose};
use crate::row::{self, get};
use crate::sql;
use crate::store::Shared;

/// Batches that are told of at once; whoever is further behind looks at everything anew.
const MAX_BATCHES: i64 = 2_000;

/// Gives each committed batch that has none its place in the event log.
pub(crate) fn place(connection: &mut Connection) -> Result<(), StoreError> {
    let unplaced = connection.statement(sql::HAS_UNPLACED)?;
    if connection.ask(connection.client.query_opt(&unplaced, &[]))?.is_none() {
        return Ok(());
    }
    let placed = connection.ask(connection.client.batch_execute(sql::PLACE));
    if placed.is_err() {
        // It failed in the middle, perhaps.
        connection.spoil();
    }
    placed
}

/// How far the log has got.
fn newest(connection: &mut Connection) -> Result<i64, StoreError> {
    let newest = connection.statement(sql::LAST_PLACE)?;
    get(&connection.ask(connection.client.query_one(&newest, &[]))?, 0)
}

pub(crate) struct PgFollow {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    /// How far the log has been followed.
    place: i64,
    /// The batch that has this place, if it was seen: there may be another, on a standby that had not everything when it
    /// was promoted.
    last: Option<Uuid>,
    /// How far the log had got when it was last asked.
    newest: i64,
}

impl PgFollow {
    /// Follows from now on.
    pub(crate) fn new(shared: Arc<Shared>, place: i64) -> Self {
        Self { shared, connection: None, place, last: None, newest: place }
    }

    fn connect(&mut self) -> Result<&mut Connection, StoreError> {
        if self.connection.as_ref().is_none_or(|connection| !connection.is_open()) {
            let opened = Connection::open_own(&self.shared.target, Purpose::Chore);
            self.connection = Some(opened.map_err(|error| StoreError::Unavailable(error.to_string()))?);
        }
        Ok(self.connection.as_mut().expect("it was made"))
    }
}

impl Follow for PgFollow {
    fn poll(&mut self) -> Result<Followed, StoreError> {
        let (after, node, seen, before) = (self.place, self.shared.node, self.last, self.newest);
        let connection = self.connect()?;
        // One node's work is enough: who finds that others gave places since it last asked leaves it to them. If they
        // stop, nothing will have moved the next time.
        if newest(connection)? == before {
            place(connection)?;
        }
        let follow = connection.statement(sql::FOLLOW)?;
        let rows = connection.ask(connection.client.query(&follow, &[&after, &MAX_BATCHES]))?;
        let newest = newest(connection)?;
        let mut placed: Vec<(i64, &Row)> = Vec::with_capacity(rows.len());
        let mut unplaced: Vec<&Row> = Vec::new();
        for row in &rows {
            match get::<Option<i64>>(row, 0)? {
                Some(place) => placed.push((place, row)),
                None => unplaced.push(row),
            }
        }
        let at_last = placed.first().filter(|(place, _)| *place == after);
        let found: Option<Uuid> = at_last.map(|(_, row)| get(row, 7)).transpose()?;
        let same = if seen.is_some() { found == seen } else { newest >= after };
        let mut followed = Followed { lost_track: !same, ..Followed::default() };
        if followed.lost_track {
            (self.place, self.last, self.newest) = (newest, None, newest);
            return Ok(followed);
        }
        let placed = &placed[usize::from(at_last.is_some())..];
        (self.last, self.newest) = (found, newest);
        if let Some((last_place, row)) = placed.last() {
            (self.place, self.last) = (*last_place, Some(get(row, 7)?));
            followed.events = true;
        }
        let most = usize::try_from(MAX_BATCHES).unwrap_or(usize::MAX);
        if placed.len() >= most {
            (self.place, self.last) = (newest, None);
        }
        followed.lost_track = placed.len() >= most || unplaced.len() >= most;
        let mut changed = Vec::new();
        // What has no place yet will be told of once more when it has: that does no harm.
        for row in placed.iter().map(|(_, row)| *row).chain(unplaced) {
            if get::<i64>(row, 2)? == node {
                continue;
            }
            if get(row, 6)? {
                changed.push(get::<i64>(row, 1)?);
            }
            followed.inventory.extend(get::<Vec<i64>>(row, 3)?.into_iter().map(ListingNo));
            followed.listings.extend(get::<Vec<i64>>(row, 4)?.into_iter().map(ListingNo));
            followed.keys |= get::<bool>(row, 5)?;
        }
        let connection = self.connect()?;
        if !changed.is_empty() {
            let bookings = connection.statement(sql::BOOKINGS_OF_BATCHES)?;
            for row in connection.ask(connection.client.query(&bookings, &[&changed]))? {
                followed.bookings.insert(row::booking_id(&row, 0)?);
            }
        }
        Ok(followed)
    }
}
