//! Questions, answered from snapshots. Every row is settled at the snapshot's instant before it is shown.

use std::sync::Arc;

use lastseat_core::booking::{Booking, Patch, State, Step, fold};
use lastseat_core::id::{BookingId, BookingNo, EntryNo, KeyId, ListingNo, WaitlistId};
use lastseat_core::listing::{Listing, Status};
use lastseat_core::refusal::Refusal;
use lastseat_core::settle::settle;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry, Reach, Standing};
use lastseat_store::{BookingFilter, ListingNumbers, Read, StoreError, StoredEvent, Which};

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

/// An entry of a waitlist as people see it, settled.
#[derive(Clone, PartialEq, Debug)]
pub struct WaitlistEntry {
    /// The entry.
    pub entry: Entry,
    /// Its listing.
    pub listing: Arc<Listing>,
    /// Where it stands.
    pub standing: Standing,
    /// How many wait before it for the same; 0 when it does not wait.
    pub ahead: i64,
    /// The booking that it was offered.
    pub offer: Option<Booking>,
    /// Why waiting came to its end, where it did.
    pub ended: Option<Ended>,
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

    /// An entry of a waitlist.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn waitlist_entry(&self, id: WaitlistId) -> Result<Option<WaitlistEntry>, Refusal> {
        let found =
            self.ask(move |read| read.entry(id)?.map(|entry| with_offer(read, entry)).transpose()).await?;
        let Some(found) = found else { return Ok(None) };
        self.know(found.entry.listing).await;
        Ok(self.seen(found))
    }

    /// At most `limit` entries of a listing after one of them, in the order of joining.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn waitlist(
        &self,
        of: ListingNo,
        after: EntryNo,
        limit: u32,
    ) -> Result<Vec<WaitlistEntry>, Refusal> {
        let question = move |read: &dyn Read| {
            let entries = read.entries(of, Which::All, after, limit)?;
            entries.into_iter().map(|entry| with_offer(read, entry)).collect::<Result<Vec<_>, _>>()
        };
        let found = self.ask(question).await?;
        Ok(found.into_iter().filter_map(|found| self.seen(found)).collect())
    }

    /// How many wait in a listing that may want the same pools: so many are ahead of who joins now.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn waiting_for(&self, of: ListingNo, reach: Reach) -> Result<i64, Refusal> {
        self.ask(move |read| read.ahead(of, reach, EntryNo(i64::MAX))).await
    }

    /// How many wait in a listing, as its rows say.
    ///
    /// # Errors
    /// `503` if the store fails.
    pub async fn waiting(&self, of: ListingNo) -> Result<i64, Refusal> {
        self.ask(move |read| Ok(read.list_numbers(of)?.waiting)).await
    }

    fn seen(&self, found: Found) -> Option<WaitlistEntry> {
        let Found { entry, ahead, offer, now } = found;
        let listing = self.listing_at(entry.listing)?;
        let offer = offer.map(|booking| self.settled(booking, now));
        let standing = entry.shown(&listing, offer.as_ref(), now);
        let ended = entry.why_ended(&listing, offer.as_ref(), now);
        let ahead = if standing == Standing::Waiting { ahead } else { 0 };
        Some(WaitlistEntry { standing, ahead, offer, ended, listing, entry })
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

/// An entry as it is stored, with what it takes to show it.
struct Found {
    entry: Entry,
    ahead: i64,
    offer: Option<Booking>,
    now: Time,
}

fn with_offer(read: &dyn Read, entry: Entry) -> Result<Found, StoreError> {
    let ahead = if entry.waits() { read.ahead(entry.listing, entry.want.reach(), entry.no)? } else { 0 };
    let offer = entry.booking.map(|no| read.booking_at(no)).transpose()?.flatten();
    Ok(Found { entry, ahead, offer, now: read.now() })
}

fn step(event: &StoredEvent) -> Result<Step, StoreError> {
    let patch: Patch = serde_json::from_str(&event.data)
        .map_err(|error| StoreError::Corrupt(format!("event {} cannot be read: {error}", event.no)))?;
    Ok(Step { version: event.version, seq: event.seq, patch })
}
