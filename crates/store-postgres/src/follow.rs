//! The order of the event log, and what other nodes commit.

use std::sync::Arc;

use lastseat_core::id::ListingNo;
use lastseat_store::{Follow, Followed, StoreError};
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

pub(crate) struct PgFollow {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    /// How far the log has been followed.
    place: i64,
    /// The batch that has this place, if it was seen: there may be another, on a standby that had not everything when it
    /// was promoted.
    last: Option<Uuid>,
}

impl PgFollow {
    /// Follows from now on.
    pub(crate) fn new(shared: Arc<Shared>, place: i64) -> Self {
        Self { shared, connection: None, place, last: None }
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
        let (after, node, seen) = (self.place, self.shared.node, self.last);
        let connection = self.connect()?;
        place(connection)?;
        let follow = connection.statement(sql::FOLLOW)?;
        let rows = connection.ask(connection.client.query(&follow, &[&after, &MAX_BATCHES]))?;
        let newest = connection.statement(sql::LAST_PLACE)?;
        let newest: i64 = get(&connection.ask(connection.client.query_one(&newest, &[]))?, 0)?;
        let at_last = rows.first().filter(|row| get(row, 0).is_ok_and(|place: i64| place == after));
        let found: Option<Uuid> = at_last.map(|row| get(row, 7)).transpose()?;
        let same = if seen.is_some() { found == seen } else { newest >= after };
        let mut followed = Followed { lost_track: !same, ..Followed::default() };
        if followed.lost_track {
            (self.place, self.last) = (newest, None);
            return Ok(followed);
        }
        let rows = &rows[usize::from(at_last.is_some())..];
        let Some(last) = rows.last() else {
            self.last = found;
            return Ok(followed);
        };
        let (last_place, last_id): (i64, Uuid) = (get(last, 0)?, get(last, 7)?);
        let mut through = last_place;
        if rows.len() >= usize::try_from(MAX_BATCHES).unwrap_or(usize::MAX) {
            through = newest;
            followed.lost_track = true;
        }
        followed.events = true;
        let mut changed = Vec::new();
        for row in rows {
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
        if !changed.is_empty() {
            let bookings = connection.statement(sql::BOOKINGS_OF_BATCHES)?;
            for row in connection.ask(connection.client.query(&bookings, &[&changed]))? {
                followed.bookings.insert(row::booking_id(&row, 0)?);
            }
        }
        (self.place, self.last) = (through, (through == last_place).then_some(last_id));
        Ok(followed)
    }
}
