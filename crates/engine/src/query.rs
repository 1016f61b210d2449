//! Questions, answered from snapshots. Every row is settled at the snapshot's instant before it is shown.

use lastseat_core::booking::{Booking, Patch, State, Step, fold};
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingNo};
use lastseat_core::listing::Status;
use lastseat_core::refusal::Refusal;
use lastseat_core::settle::settle;
use lastseat_core::time::Time;
use lastseat_store::{BookingFilter, ListingNumbers, Read, StoreError, StoredEvent};

use crate::batch::unavailable;
use crate::engine::Engine;

/// Which bookings to list, by their settled state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BookingQuery {
    /// Of this listing.
    pub listing: Option<ListingNo>,
    /// In this state.
    pub state: Option<State>,
    /// Whose customer's name or contact contains this, ignoring case.
    pub customer: Option<String>,
    /// Made by this key.
    pub created_by: Option<KeyId>,
    /// Before this one; the newest come first.
    pub before: Option<BookingNo>,
}

impl Engine {
    /// Runs a question on a thread that may block, a few at a time.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _permit = self.shared.readers.acquire().await.expect("the semaphore is never closed");
        let store = std::sync::Arc::clone(&self.shared.store);
        let answer =
            tokio::task::spawn_blocking(move || store.reader().and_then(|read| question(read.as_ref())));
        let answer = answer.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())));
        answer.map_err(|error| {
            tracing::error!(%error, "a question could not be answered");
            unavailable(&error)
        })
    }

    /// Has everything that was committed before put in its place in the log.
    async fn order_events(&self) -> Result<(), Refusal> {
        if !self.shared.follows {
            return Ok(());
        }
        let _permit = self.shared.readers.acquire().await.expect("the semaphore is never closed");
        let store = std::sync::Arc::clone(&self.shared.store);
        let ordered = tokio::task::spawn_blocking(move || store.order_events());
        let ordered = ordered.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())));
        ordered.map_err(|error| {
            tracing::error!(%error, "the events could not be put in order");
            unavailable(&error)
        })
    }

    fn settled(&self, mut booking: Booking, now: Time) -> Booking {
        if let Some(listing) = self.listing_at(booking.listing) {
            settle(&mut booking, &listing, now);
        }
        booking
    }

    /// The store's clock.
    ///
    /// # Errors
    /// `503` if the store fails; so for all questions.
    pub async fn now(&self) -> Result<Time, Refusal> {
        self.ask(|read| Ok(read.now())).await
    }

    /// A booking.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn booking(&self, id: BookingId) -> Result<Option<Booking>, Refusal> {
        let (now, found) = self.ask(move |read| Ok((read.now(), read.booking(id)?))).await?;
        if let Some(booking) = &found {
            self.know(booking.listing).await;
        }
        Ok(found.map(|booking| self.settled(booking, now)))
    }

    /// A booking by its number.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn booking_at(&self, no: BookingNo) -> Result<Option<Booking>, Refusal> {
        let (now, found) = self.ask(move |read| Ok((read.now(), read.booking_at(no)?))).await?;
        if let Some(booking) = &found {
            self.know(booking.listing).await;
        }
        Ok(found.map(|booking| self.settled(booking, now)))
    }

    /// A booking as it was at a version.
    pub(crate) async fn booking_as_of(
        &self,
        no: BookingNo,
        version: u32,
    ) -> Result<Option<Booking>, Refusal> {
        self.ask(move |read| {
            let Some(row) = read.booking_at(no)? else { return Ok(None) };
            if row.version == version {
                return Ok(Some(row));
            }
            let events = read.booking_events(no)?;
            let steps: Result<Vec<Step>, StoreError> =
                events.iter().filter(|event| event.version <= version).map(step).collect();
            Ok(fold(no, row.id, row.listing, &steps?))
        })
        .await
    }

    /// At most `limit` bookings that fit, the newest first.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn bookings(&self, query: BookingQuery, limit: u32) -> Result<Vec<Booking>, Refusal> {
        let mut found: Vec<Booking> = Vec::new();
        let mut filter = self.filter(&query);
        loop {
            let asked = filter.clone();
            let (now, page) = self.ask(move |read| Ok((read.now(), read.bookings(&asked, limit)?))).await?;
            let full = page.len() >= limit as usize;
            filter.before = page.last().map(|booking| booking.no);
            for booking in &page {
                self.know(booking.listing).await;
            }
            let page = page.into_iter().map(|booking| self.settled(booking, now));
            found.extend(page.filter(|booking| query.state.is_none_or(|state| booking.state == state)));
            if !full || found.len() >= limit as usize {
                found.truncate(limit as usize);
                return Ok(found);
            }
        }
    }

    /// What to ask the store so that no booking is missed whose settled state fits.
    fn filter(&self, query: &BookingQuery) -> BookingFilter {
        let live = [State::Held, State::InReview, State::Confirmed];
        let (mut states, mut overdue) = match query.state {
            None => (Vec::new(), Vec::new()),
            Some(State::Expired) => (vec![State::Expired], vec![State::Held, State::InReview]),
            Some(State::Completed) => (vec![State::Completed], vec![State::Confirmed]),
            Some(State::Cancelled) => (vec![State::Cancelled], live.to_vec()),
            Some(state) => (vec![state], Vec::new()),
        };
        // After an edit the stored `due_at` may lag behind: settle all that might have changed.
        let listing = query.listing.and_then(|no| self.listing_at(no));
        let edited = |listing: &lastseat_core::listing::Listing| {
            listing.doc.status == Status::Cancelled || listing.doc.renew_through.is_some()
        };
        if listing.is_some_and(|listing| edited(&listing)) {
            states.append(&mut overdue);
        }
        BookingFilter {
            listing: query.listing,
            states,
            overdue,
            customer: query.customer.clone(),
            created_by: query.created_by,
            before: query.before,
        }
    }

    /// The events of a booking, in order.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn booking_events(&self, of: BookingNo) -> Result<Vec<StoredEvent>, Refusal> {
        self.ask(move |read| read.booking_events(of)).await
    }

    /// At most `limit` events after a place of the log, in order; none is ever skipped.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn events(
        &self,
        after: i64,
        of: Option<ListingNo>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, Refusal> {
        self.order_events().await?;
        let events = self.ask(move |read| read.events(after, of, limit)).await?;
        for event in &events {
            // Another node may have made it just now; who tells of events names their listings.
            self.know(event.listing).await;
        }
        Ok(events)
    }

    /// The place of the newest event.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn last_event(&self) -> Result<i64, Refusal> {
        self.order_events().await?;
        self.ask(|read| read.last_event()).await
    }

    /// The seating plan of a listing, as it was sent.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn plan(&self, of: ListingNo) -> Result<Option<String>, Refusal> {
        self.ask(move |read| read.plan(of)).await
    }

    /// The numbers of a listing.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn numbers(&self, of: ListingNo) -> Result<ListingNumbers, Refusal> {
        self.ask(move |read| read.numbers(of)).await
    }
}

fn step(event: &StoredEvent) -> Result<Step, StoreError> {
    let patch: Patch = serde_json::from_str(&event.data)
        .map_err(|error| StoreError::Corrupt(format!("event {} cannot be read: {error}", event.no)))?;
    Ok(Step { version: event.version, seq: event.seq, patch })
}
