//! Questions, all answered from the same rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lastseat_core::booking::{Booking, State};
use lastseat_core::id::{BookingId, BookingNo, EntryNo, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::secret::InstanceSecret;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{Answer, CustomerUse};

use super::{EPOCH, Rows, SECRET};
use crate::error::StoreError;
use crate::read::{ApiKey, BookingFilter, Hold, ListingNumbers, Money, Read, StoredEvent, Which};

pub(crate) struct Snapshot {
    rows: Arc<Rows>,
    now: Time,
}

impl Snapshot {
    pub(crate) const fn new(rows: Arc<Rows>, now: Time) -> Self {
        Self { rows, now }
    }
}

fn take<T>(items: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    items.take(limit as usize).collect()
}

impl Read for Snapshot {
    fn now(&self) -> Time {
        self.now
    }

    fn secret(&self) -> Result<InstanceSecret, StoreError> {
        Ok(InstanceSecret::new(SECRET))
    }

    fn epoch(&self) -> Result<u64, StoreError> {
        Ok(EPOCH)
    }

    fn listings(&self) -> Result<Vec<Listing>, StoreError> {
        Ok(self.rows.listings.values().map(|row| Listing::clone(&row.listing)).collect())
    }

    fn plan(&self, of: ListingNo) -> Result<Option<String>, StoreError> {
        Ok(self.rows.listings.get(&of).and_then(|row| row.plan.clone()))
    }

    fn booking(&self, id: BookingId) -> Result<Option<Booking>, StoreError> {
        self.rows.booking_nos.get(&id).map_or(Ok(None), |no| self.booking_at(*no))
    }

    fn booking_at(&self, no: BookingNo) -> Result<Option<Booking>, StoreError> {
        Ok(self.rows.bookings.get(&no).map(|row| row.booking.clone()))
    }

    fn bookings(&self, filter: &BookingFilter, limit: u32) -> Result<Vec<Booking>, StoreError> {
        let customer = filter.customer.as_deref().map(str::to_lowercase);
        let fits = |due: Option<Time>, booking: &Booking| {
            let overdue = due.is_some_and(|due| due <= self.now) && filter.overdue.contains(&booking.state);
            let any = filter.states.is_empty() && filter.overdue.is_empty();
            filter.listing.is_none_or(|listing| booking.listing == listing)
                && (any || filter.states.contains(&booking.state) || overdue)
                && customer.as_deref().is_none_or(|text| booking.customer.mentions(text))
                && filter.created_by.is_none_or(|key| booking.created_by == Some(key))
                && filter.before.is_none_or(|before| booking.no < before)
        };
        let fitting = self.rows.bookings.values().rev().filter(|row| fits(row.due_at, &row.booking));
        Ok(take(fitting.map(|row| row.booking.clone()), limit))
    }

    fn booking_events(&self, of: BookingNo) -> Result<Vec<StoredEvent>, StoreError> {
        let events = self.rows.events.iter().chain(self.rows.unplaced.values().flatten());
        let events = events.filter(|event| event.booking.is_some_and(|(no, _)| no == of));
        let mut events: Vec<StoredEvent> = events.map(|event| StoredEvent::clone(event)).collect();
        events.sort_by_key(|event| event.seq);
        Ok(events)
    }

    fn events(&self, after: i64, of: Option<ListingNo>, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let first = self.rows.events.partition_point(|event| event.place <= after);
        let events = self.rows.events[first..].iter();
        let events = events.filter(|event| of.is_none_or(|listing| event.listing == listing));
        Ok(take(events.map(|event| StoredEvent::clone(event)), limit))
    }

    fn last_event(&self) -> Result<i64, StoreError> {
        Ok(self.rows.events.last().map_or(0, |event| event.place))
    }

    fn unplaced(&self) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.rows.unplaced.values().flatten().map(|event| StoredEvent::clone(event)).collect())
    }

    fn pools(&self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        Ok(self.rows.pools_of(of))
    }

    fn holds(&self, of: ListingNo) -> Result<Vec<Hold>, StoreError> {
        let holds = self.rows.holds.iter().filter(|(key, _)| key.0 == of);
        Ok(holds
            .map(|(&(_, group, due_at, _, first), row)| Hold {
                group,
                first,
                last: row.last,
                quantity: row.quantity,
                due_at,
            })
            .collect())
    }

    fn inventory_version(&self, of: ListingNo) -> Result<u64, StoreError> {
        Ok(self.rows.listings.get(&of).map_or(0, |row| row.inventory))
    }

    fn numbers(&self, of: ListingNo) -> Result<ListingNumbers, StoreError> {
        let mut by_state: BTreeMap<State, (i64, Money)> = BTreeMap::new();
        for row in self.rows.bookings.values().filter(|row| row.booking.listing == of) {
            let (count, money) = by_state.entry(row.booking.state).or_default();
            *count += 1;
            money.total += row.booking.total;
            money.paid += row.booking.paid;
            money.refund_due += row.booking.refund_due;
            money.refunded += row.booking.refunded;
        }
        let by_state = by_state.into_iter().map(|(state, (count, money))| (state, count, money)).collect();
        Ok(ListingNumbers { by_state })
    }

    fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let keys = self.rows.keys.values().filter(|(_, revoked)| revoked.is_none());
        Ok(keys.map(|(key, _)| key.clone()).collect())
    }

    fn entry(&self, id: WaitlistId) -> Result<Option<Entry>, StoreError> {
        Ok(self.rows.entries_by_id(&[id].into()).pop().map(Arc::unwrap_or_clone))
    }

    fn entries(
        &self,
        of: ListingNo,
        which: Which,
        after: EntryNo,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let entries = self.rows.entries_of(of, after).map(Arc::as_ref);
        Ok(take(entries.filter(|entry| which == Which::All || entry.waits()).cloned(), limit))
    }

    fn ahead(&self, of: ListingNo, reach: Reach, before: EntryNo) -> Result<i64, StoreError> {
        Ok(self.rows.ahead(of, reach, before))
    }

    fn waiting_counts(&self, of: ListingNo) -> Result<Vec<(Option<u32>, i64)>, StoreError> {
        let mut counts: BTreeMap<Option<u32>, i64> = BTreeMap::new();
        for entry in self.rows.waiting_of(of, EntryNo(0)) {
            *counts.entry(entry.want.reach().group()).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    fn list_numbers(&self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        Ok(self.rows.list_numbers(of))
    }

    fn next_due(&self) -> Result<Option<Time>, StoreError> {
        let entries = self.rows.entries.values().filter(|entry| entry.waits());
        let entries = entries.filter_map(|entry| entry.due_at);
        Ok(self.rows.bookings.values().filter_map(|row| row.due_at).chain(entries).min())
    }

    fn is_renewing(&self) -> Result<bool, StoreError> {
        Ok(self.rows.renewing().is_some())
    }

    fn all_bookings(&self, after: BookingNo, limit: u32) -> Result<Vec<Booking>, StoreError> {
        let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        Ok(take(self.rows.bookings.range(range).map(|(_, row)| row.booking.clone()), limit))
    }

    fn stored_due_at(&self, of: BookingNo) -> Result<Option<Time>, StoreError> {
        Ok(self.rows.bookings.get(&of).and_then(|row| row.due_at))
    }

    fn customers(&self, of: ListingNo) -> Result<Vec<(String, CustomerUse)>, StoreError> {
        let customers = self.rows.customers.iter().filter(|(key, _)| key.0 == of);
        Ok(customers.map(|((_, identity), has)| (identity.clone(), *has)).collect())
    }

    fn lost_bookings(&self, after: i64, through: i64, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        let has = |no: BookingNo, seq: u32| {
            self.rows.bookings.get(&no).is_some_and(|row| (1..=row.booking.events).contains(&seq))
        };
        let first = self.rows.events.partition_point(|event| event.place <= after);
        let events = self.rows.events[first..].iter().take_while(|event| event.place <= through);
        let lost: BTreeSet<BookingNo> = events
            .filter_map(|event| event.booking.map(|(no, _)| (no, event.seq)))
            .filter(|(no, seq)| !has(*no, *seq))
            .map(|(no, _)| no)
            .collect();
        Ok(take(lost.into_iter(), limit))
    }

    fn broken_keys(&self, limit: u32) -> Result<(u64, Vec<String>), StoreError> {
        let given = |answer: &Answer| match answer {
            Answer::Booking { no, version } => {
                self.rows.bookings.get(no).is_some_and(|row| (1..=row.booking.version).contains(version))
            }
            Answer::Listing(id) => self.rows.listing_nos.contains_key(id),
            Answer::Key(id) => self.rows.keys.contains_key(id),
            Answer::Entry(id) | Answer::EntryThere(id) => self.rows.entry_refs.contains_key(id),
        };
        // A map has each key once.
        let broken = self.rows.remembered.iter().filter(|(_, (_, what))| !given(&what.answer));
        let names = broken.map(|(key, _)| key.0.iter().map(|byte| format!("{byte:02X}")).collect());
        Ok((self.rows.remembered.len() as u64, take(names, limit)))
    }
}
