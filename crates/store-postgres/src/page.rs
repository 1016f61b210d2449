//! What is asked of the bookings of a page, one after the other, by checks of everything: found for all of them at the
//! first question. Otherwise each question would be an exchange with the database.

use std::collections::HashMap;

use lastseat_core::booking::Booking;
use lastseat_core::id::{BookingId, BookingNo};
use lastseat_core::time::Time;
use lastseat_store::{StoreError, StoredEvent};
use uuid::Uuid;

use crate::connection::Connection;
use crate::row::{self, get};
use crate::sql;

/// Most bookings of a page for which this is done: what was found stays in memory.
const MAX_BOOKINGS: usize = 5_000;

/// The page that was read last in a snapshot.
#[derive(Default)]
pub(crate) struct Page {
    bookings: HashMap<BookingNo, BookingId>,
    by_id: Option<HashMap<BookingId, Booking>>,
    due: Option<HashMap<BookingNo, Option<Time>>>,
    events: Option<HashMap<BookingNo, Vec<StoredEvent>>>,
}

impl Page {
    pub(crate) fn of(bookings: &[Booking]) -> Self {
        let few = if bookings.len() <= MAX_BOOKINGS { bookings } else { &[] };
        Self { bookings: few.iter().map(|booking| (booking.no, booking.id)).collect(), ..Self::default() }
    }

    pub(crate) fn has(&self, no: BookingNo) -> bool {
        self.bookings.contains_key(&no)
    }

    fn nos(&self) -> Vec<i64> {
        self.bookings.keys().map(|no| no.0).collect()
    }

    /// A booking by its id, once, if it is one of the page and can be found by it.
    pub(crate) fn booking(
        &mut self,
        id: BookingId,
        connection: &mut Connection,
    ) -> Result<Option<Booking>, StoreError> {
        if self.bookings.is_empty() {
            return Ok(None);
        }
        if self.by_id.is_none() {
            let ids: Vec<Uuid> = self.bookings.values().map(|id| Uuid::from_u128(id.bits())).collect();
            let statement = connection.statement(sql::BOOKINGS_BY_ID)?;
            let rows = connection.ask(connection.client.query(&statement, &[&ids]))?;
            let found = row::bookings(&rows)?;
            let mut by_id: HashMap<BookingId, Booking> = HashMap::new();
            for booking in found {
                // The first, where there are two.
                by_id.entry(booking.id).or_insert(booking);
            }
            self.by_id = Some(by_id);
        }
        Ok(self.by_id.as_mut().and_then(|by_id| by_id.remove(&id)))
    }

    /// The stored `due_at` of a booking of the page.
    pub(crate) fn due_at(
        &mut self,
        of: BookingNo,
        connection: &mut Connection,
    ) -> Result<Option<Time>, StoreError> {
        if self.due.is_none() {
            let statement = connection.statement(sql::DUE_AT_OF_BOOKINGS)?;
            let rows = connection.ask(connection.client.query(&statement, &[&self.nos()]))?;
            let due = rows.iter().map(|row| Ok((BookingNo(get(row, 0)?), row::optional_time(row, 1)?)));
            self.due = Some(due.collect::<Result<_, StoreError>>()?);
        }
        Ok(self.due.as_ref().and_then(|due| due.get(&of).copied()).flatten())
    }

    /// The events of a booking of the page, in order.
    pub(crate) fn events(
        &mut self,
        of: BookingNo,
        connection: &mut Connection,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if self.events.is_none() {
            let statement = connection.statement(sql::EVENTS_OF_BOOKINGS)?;
            let rows = connection.ask(connection.client.query(&statement, &[&self.nos()]))?;
            let mut events: HashMap<BookingNo, Vec<StoredEvent>> = HashMap::new();
            for row in &rows {
                events.entry(BookingNo(get(row, 11)?)).or_default().push(row::event(row)?);
            }
            self.events = Some(events);
        }
        Ok(self.events.as_ref().and_then(|events| events.get(&of).cloned()).unwrap_or_default())
    }
}
