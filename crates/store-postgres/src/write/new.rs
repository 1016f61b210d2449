//! New bookings of one listing and nothing else, as one statement that is a transaction of its own.

use lastseat_core::booking::{Booking, Details};
use lastseat_core::event::EventData;
use lastseat_core::id::ListingNo;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::world::{Answer, World};
use lastseat_store::optimistic::{MAX_AGE_MS, Supposed};
use lastseat_store::{CommitError, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::bookings::Holds;
use super::{MAX_EVENTS, Param, json, optional, outcome, params, replicated};
use crate::lane::{PgLane, ask};
use crate::row::{self, get};
use crate::sql;

/// What is inserted, with what is added to which pools.
pub(crate) struct NewBookings {
    columns: Vec<Param>,
    count: usize,
}

impl NewBookings {
    /// None if the statement does not write all that there is of them.
    pub(crate) fn new(world: &World, supposed: &Supposed) -> Option<Self> {
        let (changes, Supposed { listing, pools, .. }) = (&world.changes, supposed);
        if changes.events.len() != changes.bookings.len() || changes.events.len() > MAX_EVENTS {
            return None;
        }
        let mut bookings = Vec::with_capacity(changes.events.len());
        let mut data = Vec::with_capacity(changes.events.len());
        for event in &changes.events {
            let EventData::Booking(patch) = &event.data else { return None };
            bookings.push(world.booking_at(event.booking?).filter(|booking| is_plain(booking, world.now))?);
            data.push(json(patch));
        }
        let (mut at, mut held, mut confirmed) = (Vec::new(), Vec::new(), Vec::new());
        let mut prices = Vec::new();
        for of in &changes.pools {
            let (before, after) = (pools.get(of)?, world.pool(*of)?);
            at.push(of.pool.packed());
            held.push(after.held - before.held);
            confirmed.push(after.confirmed - before.confirmed);
            prices.push(before.price);
        }
        let mut holds = Holds::default();
        for booking in &bookings {
            if let Some(due) = booking.deadline.filter(|_| booking.state.holds()) {
                holds.add(booking, due.millis());
            }
        }
        let mut columns = params![
            world.now.millis(),
            at,
            held,
            confirmed,
            bookings.first().map_or(0, |booking| i64::from(booking.policy)),
            bookings.iter().map(|booking| booking.no.0).collect::<Vec<_>>(),
            bookings.iter().map(|booking| Uuid::from_u128(booking.id.bits())).collect::<Vec<_>>(),
            bookings.iter().map(|booking| booking.state.as_str()).collect::<Vec<_>>(),
            bookings.iter().map(|booking| json(&booking.lines)).collect::<Vec<_>>(),
            bookings.iter().map(|booking| booking.total).collect::<Vec<_>>(),
            optional(bookings.iter().map(|booking| booking.deadline.map(Time::millis))),
            optional(bookings.iter().map(|booking| due_at(booking, listing).map(Time::millis))),
            bookings.iter().map(|booking| json(&booking.customer)).collect::<Vec<_>>(),
            optional(bookings.iter().map(|booking| booking.note.clone())),
            optional(bookings.iter().map(|booking| booking.created_by.map(|id| Uuid::from_u128(id.bits())))),
            holds.groups,
            holds.due,
            holds.bookings,
            holds.first,
            holds.last,
            holds.quantity,
            changes.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
            changes.events.iter().map(|event| event.actor.clone()).collect::<Vec<_>>(),
            data,
        ];
        let (mut keys, mut fingerprints, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (key, what) in &changes.remembered {
            let Answer::Booking { no, version: 1 } = what.answer else { return None };
            keys.push(Uuid::from_bytes(key.0));
            fingerprints.push(Uuid::from_bytes(what.fingerprint));
            answers.push(no.0);
        }
        columns.extend(params![keys, fingerprints, answers, prices]);
        Some(Self { columns, count: bookings.len() })
    }

    /// Sends it, and waits until it is committed.
    pub(crate) fn commit(
        self,
        lane: &mut PgLane,
        batch: u128,
        supposed: &Supposed,
    ) -> Result<(), CommitError> {
        // For the next batch.
        let take = lane.spare.to_take(self.count, self.count);
        let connection = lane.connection().map_err(CommitError::Unknown)?;
        // What was said before is not about this commit.
        connection.take_unreplicated();
        let (listing, edition) = (supposed.listing.no, supposed.edition);
        let (earliest, latest) = lane.shared().known.range(supposed.now, MAX_AGE_MS);
        let mut all =
            params![listing.0, edition, Uuid::from_u128(batch), lane.shared().node, earliest, latest];
        all.extend(self.columns);
        let all: Vec<&(dyn ToSql + Sync)> = all.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        let numbers: [&(dyn ToSql + Sync); 1] = [&take];
        let asked = async {
            tokio::join!(
                biased;
                ask(connection, true, sql::BOOK, &all),
                ask(connection, take > 0, sql::TAKE_BOOKING_NUMBERS, &numbers)
            )
        };
        let (booked, taken) = connection.wait(asked).map_err(|late| {
            connection.spoil();
            CommitError::Unknown(late)
        })?;
        let booked = booked.map_err(|error| outcome(connection, error))?;
        replicated(connection)?;
        // What cannot be read of the rest is asked for anew.
        lane.spare.bookings.extend(taken.iter().flatten().filter_map(|row| get::<i64>(row, 0).ok()));
        let mut committed = false;
        for row in &booked {
            let clock = get(row, 0).map_err(CommitError::Unknown)?;
            committed = get::<Option<i64>>(row, 1).map_err(CommitError::Unknown)?.is_some();
            let known = &lane.shared().known;
            if committed {
                known.saw(clock);
            } else {
                known.set(clock);
            }
        }
        lane.known.put_pools(booked.iter().filter_map(|row| pool_after(listing, row)));
        if !committed {
            lane.known.forget_listing(listing);
            let why = "the listing was edited, or it is later than supposed".to_owned();
            return Err(CommitError::Aborted(StoreError::Conflict(why)));
        }
        lane.spare.bookings.skip(self.count);
        Ok(())
    }
}

/// Whether the statement writes all of a booking: it is made now, nothing has come in for it, nobody has decided on it.
/// One that comes from elsewhere may be of another kind.
fn is_plain(booking: &Booking, now: Time) -> bool {
    (booking.version, booking.events, booking.created_at) == (1, 1, now)
        && (booking.paid, booking.refund_due, booking.refunded) == (0, 0, 0)
        && booking.address.is_none()
        && booking.reason.is_none()
        && booking.decided_by.is_none()
        && booking.decided_at.is_none()
        && booking.details == Details::default()
}

/// A pool as the statement has left it.
fn pool_after(listing: ListingNo, row: &Row) -> Option<(PoolRef, Pool)> {
    let pool = PoolNo::unpacked(get(row, 2).ok()?)?;
    Some((PoolRef { listing, pool }, row::pool(row, 3).ok()?))
}
