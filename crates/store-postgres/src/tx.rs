//! One transaction: what it reads under its locks, and what it will write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use lastseat_core::booking::Booking;
use lastseat_core::command::IdempotencyKey;
use lastseat_core::customer::identity_digest;
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, BookingNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Entry, Reach};
use lastseat_core::world::{Answer, CustomerRef, CustomerUse, Remembered, World};
use lastseat_store::columns::{self, EVERYTHING};
use lastseat_store::{CommitError, MANY_POOLS, StoreError, Tx};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::lane::{PgLane, ask, missing, optional_pool, read, split};
use crate::row::{self, get};
use crate::sql;
use crate::waiting::Portion;
use crate::write::{MAX_EVENTS, Written};

/// From so many changed entries of waitlists on they are sent before the rest is put together.
const MANY_ENTRIES: usize = 64;

/// What was read when the locks were taken.
pub(crate) struct Loaded {
    pub(crate) now: Time,
    pub(crate) batch_no: i64,
    pub(crate) listings: BTreeMap<ListingNo, Arc<Listing>>,
    /// How many wait in each of them.
    pub(crate) waiting: BTreeMap<ListingNo, i64>,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) pools: HashMap<PoolRef, Option<Pool>>,
    pub(crate) remembered: Vec<(IdempotencyKey, Remembered)>,
}

pub(crate) struct PgTx<'a> {
    lane: &'a mut PgLane,
    batch: u128,
    loaded: Loaded,
    /// The bookings that were read with the locks.
    named: BTreeSet<BookingId>,
    keys: BTreeSet<IdempotencyKey>,
    /// Whether somebody joins a waitlist.
    joins: bool,
    ids: HashMap<ListingId, ListingNo>,
    /// What is to be written, and was not sent yet.
    written: Option<Written>,
    /// Whether something was sent that is to be committed.
    dirty: bool,
    /// New bookings and listings, which use up numbers.
    used: (usize, usize),
    /// Who may be asked for next.
    begun: Option<Portion>,
    done: bool,
}

impl<'a> PgTx<'a> {
    pub(crate) fn new(lane: &'a mut PgLane, batch: u128, names: &Names, loaded: Loaded) -> Self {
        let ids = loaded.listings.values().map(|listing| (listing.id, listing.no)).collect();
        Self {
            lane,
            batch,
            loaded,
            named: names.bookings.clone(),
            keys: names.idempotency.clone(),
            joins: names.joins,
            ids,
            written: None,
            dirty: false,
            used: (0, 0),
            begun: None,
            done: false,
        }
    }

    /// Asks a statement, after what was written has been sent.
    fn ask(&mut self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        self.flush()?;
        let connection = self.lane.connection()?;
        connection.check(connection.wait(ask(connection, true, sql, params))?)
    }

    /// Asks for rows of which there may be many, and makes of each what is wanted: while the server finds the next.
    fn read<T>(
        &mut self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
        of: fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.flush()?;
        let connection = self.lane.connection()?;
        connection.check(connection.wait(read(
            &connection.client,
            connection.prepared(sql),
            params,
            of,
        ))?)?
    }

    fn run(&mut self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) -> Result<(), StoreError> {
        self.ask(sql, params).map(drop)
    }

    /// Sends what was written, and waits until it is done.
    fn flush(&mut self) -> Result<(), StoreError> {
        let Some(written) = self.written.take() else { return Ok(()) };
        self.dirty = true;
        written.send(self.lane.connection()?)
    }

    /// Bookings, all of listings that are locked.
    fn checked(&self, found: Vec<Booking>) -> Result<Vec<Booking>, StoreError> {
        match found.iter().find(|booking| !self.loaded.listings.contains_key(&booking.listing)) {
            None => Ok(found),
            Some(booking) => {
                Err(StoreError::Conflict(format!("the listing of {} is not locked", booking.id)))
            }
        }
    }

    fn reread(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        self.flush()?;
        Ok(self.lane.read_listings(&[no.0])?.pop())
    }

    /// Counts the customers of a listing anew, from its bookings: when a limit is set for the first time.
    fn recount(&mut self, world: &World, no: ListingNo) -> Result<(), StoreError> {
        self.run(sql::FORGET_CUSTOMERS, &[&no.0])?;
        self.run(sql::FORGET_CUSTOMER_HOLDS, &[&no.0])?;
        let bookings = self.read(sql::BOOKINGS_THAT_COUNT, &[&no.0], row::booking)?;
        let (customers, holds) = crate::write::counted_anew(&bookings, &world.listings[&no]);
        self.run(sql::INSERT_CUSTOMER_HOLDS, &[&holds.0, &holds.1, &holds.2, &holds.3])?;
        self.run(sql::UPSERT_CUSTOMERS, &[&customers.0, &customers.1, &customers.2, &customers.3])
    }
}

impl Drop for PgTx<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.lane.roll_back();
        }
    }
}

impl Tx for PgTx<'_> {
    fn now(&self) -> Time {
        self.loaded.now
    }

    fn numbers(&mut self, bookings: usize, listings: usize) -> Result<(Numbers, Numbers), StoreError> {
        for (sql, missing, of_bookings) in [
            (sql::TAKE_BOOKING_NUMBERS, missing(bookings, &self.lane.spare.bookings), true),
            (sql::TAKE_LISTING_NUMBERS, missing(listings, &self.lane.spare.listings), false),
        ] {
            if missing > 0 {
                let rows = self.ask(sql, &[&missing])?;
                let numbers: Vec<i64> = rows.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?;
                let spare = &mut self.lane.spare;
                if of_bookings { spare.bookings.extend(numbers) } else { spare.listings.extend(numbers) }
            }
        }
        Ok((self.lane.spare.bookings.clone(), self.lane.spare.listings.clone()))
    }

    fn last_booking(&mut self, of: ListingNo) -> Result<BookingNo, StoreError> {
        let rows = self.ask(sql::LAST_BOOKING, &[&of.0])?;
        rows.first().map_or(Ok(BookingNo(0)), |row| get(row, 0).map(BookingNo))
    }

    fn listing(&mut self, id: ListingId) -> Result<Option<Arc<Listing>>, StoreError> {
        match self.ids.get(&id) {
            Some(no) => self.listing_at(*no),
            None => Ok(None),
        }
    }

    fn listing_at(&mut self, no: ListingNo) -> Result<Option<Arc<Listing>>, StoreError> {
        if self.written.is_some() || self.dirty {
            return self.reread(no);
        }
        Ok(self.loaded.listings.get(&no).cloned())
    }

    fn bookings(&mut self, ids: &BTreeSet<BookingId>) -> Result<Vec<Booking>, StoreError> {
        if *ids == self.named && self.written.is_none() && !self.dirty {
            return self.checked(self.loaded.bookings.clone());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from_u128(id.bits())).collect();
        let found = self.read(sql::BOOKINGS_BY_ID, &[&ids], row::booking)?;
        self.checked(found)
    }

    fn bookings_at(&mut self, nos: &BTreeSet<BookingNo>) -> Result<Vec<Booking>, StoreError> {
        let nos: Vec<i64> = nos.iter().map(|no| no.0).collect();
        let found = self.read(sql::BOOKINGS_BY_NO, &[&nos], row::booking)?;
        self.checked(found)
    }

    fn pools(&mut self, of: &[PoolRef]) -> Result<Vec<Option<Pool>>, StoreError> {
        let mut by_listing: BTreeMap<ListingNo, Vec<PoolRef>> = BTreeMap::new();
        for at in of {
            by_listing.entry(at.listing).or_default().push(*at);
        }
        for (listing, pools) in by_listing {
            if let Some(listing) = self.loaded.listings.get(&listing) {
                self.lane.known.note_wanted(listing.id, pools);
            }
        }
        let ahead = self.written.is_none() && !self.dirty;
        let pools: Vec<Option<Pool>> = if ahead && of.iter().all(|at| self.loaded.pools.contains_key(at)) {
            of.iter().map(|at| self.loaded.pools[at]).collect()
        } else {
            let (listings, pools) = split(of);
            let rows = self.ask(sql::POOLS, &[&listings, &pools])?;
            rows.iter().map(optional_pool).collect::<Result<_, _>>()?
        };
        self.lane.known.put_pools(of.iter().zip(&pools).filter_map(|(at, pool)| Some((*at, (*pool)?))));
        Ok(pools)
    }

    fn whole(&mut self, of: ListingNo) -> Result<Vec<(PoolNo, Pool)>, StoreError> {
        crate::read::pools(&self.ask(sql::POOLS_OF, &[&of.0])?)
    }

    fn customers(&mut self, of: &[CustomerRef]) -> Result<Vec<CustomerUse>, StoreError> {
        let addresses: Vec<&str> =
            of.iter().filter(|(listing, _)| listing.0 == 0).map(|(_, address)| address.as_str()).collect();
        if !addresses.is_empty() {
            self.run(sql::MAKE_ADDRESSES, &[&addresses])?;
            self.run(sql::LOCK_ADDRESSES, &[&addresses])?;
        }
        let (listings, identities): (Vec<i64>, Vec<&str>) =
            of.iter().map(|(listing, identity)| (listing.0, identity.as_str())).unzip();
        let rows = self.ask(sql::CUSTOMERS, &[&listings, &identities])?;
        let has = |row: &Row| {
            Ok(CustomerUse {
                units: get::<Option<i64>>(row, 0)?.unwrap_or_default(),
                open_holds: get::<Option<i64>>(row, 1)?.unwrap_or_default(),
            })
        };
        rows.iter().map(has).collect()
    }

    fn remembered(
        &mut self,
        keys: &BTreeSet<IdempotencyKey>,
    ) -> Result<Vec<(IdempotencyKey, Remembered)>, StoreError> {
        if *keys == self.keys && self.written.is_none() && !self.dirty {
            return Ok(self.loaded.remembered.clone());
        }
        let keys: Vec<Uuid> = keys.iter().map(|key| Uuid::from_bytes(key.0)).collect();
        self.ask(sql::REMEMBERED, &[&keys])?.iter().map(remembered).collect()
    }

    fn imported(&mut self, external_id: &str) -> Result<Option<BookingId>, StoreError> {
        self.ask(sql::IMPORTED, &[&external_id])?.first().map(|row| row::booking_id(row, 0)).transpose()
    }

    fn has_key(&mut self, id: KeyId) -> Result<bool, StoreError> {
        Ok(!self.ask(sql::HAS_KEY, &[&Uuid::from_u128(id.bits())])?.is_empty())
    }

    fn overdue_in(&mut self, pools: &[(PoolRef, i64)]) -> Result<Vec<BookingNo>, StoreError> {
        let column = |of: fn(&(PoolRef, i64)) -> i64| -> Vec<i64> { pools.iter().map(of).collect() };
        let listings = column(|(at, _)| at.listing.0);
        let (groups, positions) =
            (column(|(at, _)| at.pool.group.into()), column(|(at, _)| at.pool.position.into()));
        let units = column(|(_, units)| *units);
        let now = self.now().millis();
        row::booking_nos(&self.ask(sql::OVERDUE_IN, &[&listings, &groups, &positions, &units, &now])?)
    }

    fn overdue_of(&mut self, customers: &[CustomerRef]) -> Result<Vec<BookingNo>, StoreError> {
        let (listings, identities): (Vec<i64>, Vec<&str>) =
            customers.iter().map(|(listing, identity)| (listing.0, identity.as_str())).unzip();
        let now = self.now().millis();
        row::booking_nos(&self.ask(sql::OVERDUE_OF, &[&listings, &identities, &now])?)
    }

    fn due(&mut self, limit: u32) -> Result<Vec<BookingNo>, StoreError> {
        let locked: Vec<i64> = self.loaded.listings.keys().map(|no| no.0).collect();
        let now = self.now().millis();
        row::booking_nos(&self.ask(sql::DUE, &[&now, &locked, &i64::from(limit)])?)
    }

    fn list_numbers(&mut self, of: ListingNo) -> Result<ListNumbers, StoreError> {
        let waiting = match self.loaded.waiting.get(&of).filter(|_| self.written.is_none() && !self.dirty) {
            Some(waiting) => *waiting,
            None => return crate::read::list_numbers(&self.ask(sql::LIST_NUMBERS, &[&of.0])?),
        };
        // The last number is needed by who joins only.
        let rows = if self.joins { self.ask(sql::LAST_ENTRY, &[&of.0])? } else { Vec::new() };
        let last = rows.first().map_or(Ok(0), |row| get(row, 0))?;
        Ok(ListNumbers { waiting, last })
    }

    fn entries(&mut self, ids: &BTreeSet<WaitlistId>) -> Result<Vec<Arc<Entry>>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from_u128(id.bits())).collect();
        let found = self.read(sql::ENTRIES_BY_ID, &[&ids], row::shared_entry)?;
        match found.iter().find(|entry| !self.loaded.listings.contains_key(&entry.listing)) {
            None => Ok(found),
            Some(entry) => Err(StoreError::Conflict(format!("the listing of {} is not locked", entry.id))),
        }
    }

    fn live_entries(&mut self, of: &[CustomerRef]) -> Result<Vec<Arc<Entry>>, StoreError> {
        let digest = |identity: &String| Uuid::from_bytes(identity_digest(identity));
        let (listings, digests): (Vec<i64>, Vec<Uuid>) =
            of.iter().map(|(listing, identity)| (listing.0, digest(identity))).unzip();
        let mut newest = self.read(sql::NEWEST_ENTRIES, &[&listings, &digests], row::shared_entry)?;
        newest.retain(|entry| entry.may_be_live());
        Ok(newest)
    }

    fn keepers(&mut self, of: ListingNo) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.read(sql::KEEPERS, &[&of.0], row::shared_entry)
    }

    fn waiting(&mut self, of: ListingNo, ask: &Ask) -> Result<Vec<Arc<Entry>>, StoreError> {
        if ask.pools.len() > MANY_POOLS {
            let (most, limit) = (ask.most.unwrap_or(i64::MAX), i64::from(ask.limit));
            let params: [&(dyn ToSql + Sync); 4] = [&of.0, &ask.after.0, &most, &limit];
            return self.read(sql::WAITING_FOR_ANYTHING, &params, row::shared_entry);
        }
        self.flush()?;
        let begun = self.begun.take();
        let connection = self.lane.connection()?;
        let mut found = Portion::begun_or_asked(begun, connection, of, ask)?;
        // An entry is found by each of its pools.
        found.sort_by_key(|entry| entry.no);
        found.dedup_by_key(|entry| entry.no);
        found.truncate(ask.limit as usize);
        if let Some(last) = found.last().filter(|_| found.len() == ask.limit as usize) {
            self.begun = ask.next(last.no).map(|next| Portion::begin(connection, of, next));
        }
        Ok(found)
    }

    fn ahead(&mut self, of: ListingNo, reach: Reach) -> Result<i64, StoreError> {
        let (group, first, last) = columns::reach(reach);
        let rows = match reach {
            Reach::Everything => self.ask(sql::ALL_AHEAD, &[&of.0, &i64::MAX])?,
            // The counts tell.
            _ if reach.is_whole_group() => {
                self.ask(sql::COUNT_OF_GROUPS, &[&of.0, &vec![group, EVERYTHING.0]])?
            }
            Reach::Group { .. } => self.ask(sql::AHEAD, &[&of.0, &i64::MAX, &group, &first, &last])?,
        };
        rows.first().map_or(Ok(0), |row| get(row, 0))
    }

    fn due_entries(&mut self, limit: u32) -> Result<Vec<Arc<Entry>>, StoreError> {
        let locked: Vec<i64> = self.loaded.listings.keys().map(|no| no.0).collect();
        let now = self.now().millis();
        self.read(sql::DUE_ENTRIES, &[&now, &locked, &i64::from(limit)], row::shared_entry)
    }

    fn live_bookings(
        &mut self,
        of: ListingNo,
        after: BookingNo,
        through: BookingNo,
        limit: u32,
    ) -> Result<Vec<BookingNo>, StoreError> {
        row::booking_nos(&self.ask(sql::LIVE_BOOKINGS, &[&of.0, &after.0, &through.0, &i64::from(limit)])?)
    }

    fn renewing(&mut self) -> Result<Option<(ListingNo, BookingNo, BookingNo)>, StoreError> {
        let locked: Vec<i64> = self.loaded.listings.keys().map(|no| no.0).collect();
        let rows = self.ask(sql::RENEWING, &[&locked])?;
        let renewing =
            |row: &Row| Ok((ListingNo(get(row, 0)?), BookingNo(get(row, 1)?), BookingNo(get(row, 2)?)));
        rows.first().map(renewing).transpose()
    }

    fn set_renewed(&mut self, of: ListingNo, through: Option<BookingNo>) -> Result<(), StoreError> {
        let written = self.written.get_or_insert_with(Written::default);
        written.renewed.push((of.0, through.map(|no| no.0)));
        Ok(())
    }

    fn next_releases(&mut self, pools: &[PoolRef]) -> Result<Vec<Option<Time>>, StoreError> {
        let column = |of: fn(&PoolRef) -> i64| -> Vec<i64> { pools.iter().map(of).collect() };
        let listings = column(|at| at.listing.0);
        let (groups, positions) = (column(|at| at.pool.group.into()), column(|at| at.pool.position.into()));
        let now = self.now().millis();
        let rows = self.ask(sql::NEXT_RELEASES, &[&listings, &groups, &positions, &now])?;
        rows.iter().map(|row| row::optional_time(row, 0)).collect()
    }

    fn write(&mut self, world: &World) -> Result<(), StoreError> {
        self.flush()?;
        if world.changes.events.len() > MAX_EVENTS {
            // Halves of the batch may do; what one command settles becomes less as due work goes on.
            return Err(StoreError::BadData(format!("a batch has {MAX_EVENTS} events at most")));
        }
        let no = self.loaded.batch_no;
        let node = self.lane.shared().node;
        let others = || Written::new(world, self.batch, no, node);
        let are_many = world.changed_entries().nth(MANY_ENTRIES - 1).is_some();
        // The lists of new listings need their rows.
        let written = if are_many && world.changes.new_listings.is_empty() {
            Written::lists(world).begin(self.lane.connection()?).and(others())
        } else {
            others().and(Written::lists(world))
        };
        self.used = (
            world.changes.bookings.values().filter(|old| old.is_none()).count(),
            world.changes.new_listings.len(),
        );
        for (no, id, _) in &world.changes.new_listings {
            self.ids.insert(*id, *no);
        }
        self.written = Some(written);
        for listing in &world.changes.recount {
            self.recount(world, *listing)?;
        }
        for no in world.changes.edited().iter().chain(&world.changes.recount) {
            self.lane.known.forget_listing(*no);
        }
        let changed = world.changes.pools.iter().filter_map(|at| Some((*at, world.pool(*at)?)));
        self.lane.known.put_pools(changed);
        for no in world.changed_lists() {
            self.lane.known.put_waiting(no, world.list_numbers(no).waiting);
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), CommitError> {
        self.done = true;
        let Some(written) = self.written.take().or_else(|| self.dirty.then(Written::default)) else {
            self.lane.roll_back();
            return Ok(());
        };
        let committed = match self.lane.connection() {
            Ok(connection) => written.commit(connection),
            Err(error) => Err(CommitError::Unknown(error)),
        };
        match &committed {
            Ok(()) => {
                let spare = &mut self.lane.spare;
                spare.bookings.skip(self.used.0);
                spare.listings.skip(self.used.1);
            }
            Err(CommitError::Aborted(_)) => self.lane.roll_back(),
            Err(CommitError::Unknown(_)) => {
                self.lane.disconnect();
                self.lane.spare = Default::default();
            }
        }
        committed
    }
}

/// Reads what a key stands for.
pub(crate) fn remembered(row: &Row) -> Result<(IdempotencyKey, Remembered), StoreError> {
    let key = IdempotencyKey(*get::<Uuid>(row, 0)?.as_bytes());
    let (listing, entry): (Option<Uuid>, Option<Uuid>) = (get(row, 4)?, get(row, 6)?);
    let answer = match (get::<Option<i64>>(row, 2)?, listing, entry) {
        (Some(no), ..) => Answer::Booking { no: BookingNo(no), version: row::number(row, 3)? },
        (None, Some(listing), _) => Answer::Listing(ListingId::from_bits(listing.as_u128())),
        (None, None, Some(entry)) => {
            let entry = WaitlistId::from_bits(entry.as_u128());
            match get::<Option<i64>>(row, 3)? {
                None => Answer::Entry(entry),
                Some(_) => Answer::EntryThere(entry),
            }
        }
        (None, None, None) => Answer::Key(KeyId::from_bits(get::<Uuid>(row, 5)?.as_u128())),
    };
    Ok((key, Remembered { fingerprint: *get::<Uuid>(row, 1)?.as_bytes(), answer }))
}
