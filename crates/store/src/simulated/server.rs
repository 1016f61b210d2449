//! The database itself: what is committed, the transactions that are open, and what becomes of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::time::Time;
use lastseat_core::world::World;

use super::booked::{Booked, Guard};
use super::locks::{Key, Locks, TxNo};
use super::trouble::Flaw;
use crate::error::StoreError;
use crate::memory::Rows;
use crate::read::StoredEvent;

/// Bits of an event's number that tell its place in the batch.
const EVENT_BITS: u32 = 16;

/// Something that a transaction writes.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// What a batch has changed.
    Batch(Box<World>),
    /// What a batch of new bookings has changed that was decided on what its lane knew.
    Booked(Box<Booked>),
    /// How far renewing has come.
    Renewed(ListingNo, Option<BookingNo>),
    /// Batches that get their places in the event log, from the first place on.
    Placed(i64, Vec<i64>),
}

/// What the server makes of a transaction whose client is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Orphan {
    /// Everything had been sent, the commit too: it is done as soon as its locks can be had.
    Lands,
    /// It is rolled back when the server notices.
    Ends,
}

/// A transaction, as the server knows it.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) node: usize,
    pub(super) batch: Option<u128>,
    pub(super) batch_no: i64,
    /// What was executed; others do not see it.
    done: Vec<Write>,
    /// What is committed with that, as of when it was last looked at.
    checked: Option<(Arc<Rows>, Arc<Rows>)>,
    /// What was sent and still has to be executed, with the rows that it needs.
    sent: Vec<Write>,
    keys: VecDeque<Key>,
    /// What has to be true when its listing is locked.
    guard: Option<Guard>,
    /// Whether the commit was sent behind it.
    pub(super) committing: bool,
    pub(super) orphan: Option<Orphan>,
}

/// What a batch could see when it had its listings.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) rows: Arc<Rows>,
    /// When it decided.
    pub(super) now: Time,
    /// When it had them.
    pub(super) clock: Time,
}

/// What is known of a batch's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Committed,
    /// Claimed by somebody who wanted to know: it will never be committed.
    Claimed,
}

/// A transaction that was committed just now.
pub(super) struct Landed {
    pub(super) rows: Arc<Rows>,
    pub(super) worlds: Vec<World>,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    /// What is committed.
    pub(super) rows: Arc<Rows>,
    pub(super) open: BTreeMap<TxNo, Backend>,
    pub(super) locks: Locks,
    pub(super) batches: BTreeMap<u128, Ended>,
    /// How often each listing was edited.
    editions: BTreeMap<ListingNo, i64>,
    /// What each batch could see.
    pub(super) seen: BTreeMap<u128, Sight>,
    pub(super) timed_out: BTreeSet<TxNo>,
    /// How often transactions waited for each other in a circle.
    pub(super) deadlocks: u64,
    pub(super) flaw: Option<Flaw>,
    transactions: TxNo,
    numbers: [i64; 3],
}

impl Server {
    pub(super) fn new(flaw: Option<Flaw>) -> Self {
        Self { flaw, ..Self::default() }
    }
}

/// A sequence: what it gives is never given again, whatever becomes of the transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sequence {
    Bookings,
    Listings,
    Batches,
}

impl Server {
    pub(super) fn next(&mut self, sequence: Sequence) -> i64 {
        let last = &mut self.numbers[sequence as usize];
        *last += 1;
        *last
    }

    /// How often a listing was edited.
    pub(super) fn edition(&self, of: ListingNo) -> i64 {
        self.editions.get(&of).copied().unwrap_or_default()
    }

    /// Gives a transaction its number as a batch. The batch's random id, if it has one.
    pub(super) fn number(&mut self, tx: TxNo, no: i64) -> Option<u128> {
        let backend = self.open.get_mut(&tx)?;
        backend.batch_no = no;
        backend.batch
    }

    /// Notes what a batch that has its listings can see.
    pub(super) fn see(&mut self, batch: u128, now: Time, clock: Time) {
        let rows = Arc::clone(&self.rows);
        self.seen.insert(batch, Sight { rows, now, clock });
    }

    pub(super) fn begin(&mut self, node: usize, batch: Option<u128>) -> TxNo {
        self.transactions += 1;
        let backend = Backend {
            node,
            batch,
            batch_no: 0,
            done: Vec::new(),
            checked: None,
            sent: Vec::new(),
            keys: VecDeque::new(),
            guard: None,
            committing: false,
            orphan: None,
        };
        self.open.insert(self.transactions, backend);
        self.transactions
    }

    /// Whether a node has sent a commit that is not done.
    pub(super) fn is_committing(&self, node: usize) -> bool {
        self.open
            .values()
            .any(|backend| backend.node == node && backend.committing && backend.orphan.is_none())
    }

    /// Whether a transaction's client has to go on waiting for a lock.
    pub(super) fn is_stuck(&self, tx: TxNo) -> bool {
        let served = self.open.get(&tx).is_some_and(|backend| backend.orphan.is_none());
        served && !self.timed_out.contains(&tx) && self.locks.must_wait(tx)
    }

    /// Locks a row or inserts a unique key, if nobody else is about to. Whether it has it now.
    pub(super) fn take(&mut self, tx: TxNo, key: &Key) -> Result<bool, StoreError> {
        if !self.locks.take(tx, key) {
            return Ok(false);
        }
        let conflict = |what: &str| Err(StoreError::Conflict(format!("duplicate key: {what}")));
        let refuse = |what: &str| Err(StoreError::BadData(format!("duplicate key: {what}")));
        match key {
            Key::Import(id) if self.rows.imports.contains_key(id) && !self.has(Flaw::ImportsAreNotUnique) => {
                conflict("imports")
            }
            Key::Answer(key) if self.rows.remembered.contains_key(key) && !self.passes_over_keys(tx) => {
                conflict("idempotency")
            }
            Key::Batch(id) if self.batches.contains_key(id) && self.open[&tx].batch == Some(*id) => {
                refuse("batches")
            }
            _ => Ok(true),
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Whether a flawed store does not look whether its keys were used.
    fn passes_over_keys(&self, tx: TxNo) -> bool {
        let supposes = |backend: &Backend| {
            let mut writes = backend.sent.iter().chain(&backend.done);
            writes.any(|write| matches!(write, Write::Booked(_)))
        };
        self.has(Flaw::KeysAreNotUnique)
            || (self.has(Flaw::BooksUnderUsedKeys) && self.open.get(&tx).is_some_and(supposes))
    }

    /// What a statement of this transaction sees that begins now: what is committed, and what it has written itself.
    pub(super) fn view(&mut self, tx: TxNo) -> Result<Arc<Rows>, StoreError> {
        let backend = &self.open[&tx];
        if backend.done.is_empty() {
            return Ok(Arc::clone(&self.rows));
        }
        if let Some((_, rows)) = backend.checked.as_ref().filter(|(base, _)| Arc::ptr_eq(base, &self.rows)) {
            return Ok(Arc::clone(rows));
        }
        let mut rows = Rows::clone(&self.rows);
        for write in &backend.done {
            self.apply(&mut rows, tx, backend, write)?;
        }
        let rows = Arc::new(rows);
        let checked = (Arc::clone(&self.rows), Arc::clone(&rows));
        self.open.get_mut(&tx).expect("it is open").checked = Some(checked);
        Ok(rows)
    }

    /// Puts in what a batch has changed, and its events without places.
    fn put(&self, rows: &mut Rows, tx: TxNo, batch_no: i64, world: &World) -> Result<(), StoreError> {
        let mut wrong = self.passes_over_keys(tx).then(|| world.clone());
        if let Some(world) = &mut wrong {
            world.changes.remembered.retain(|(key, _)| !rows.remembered.contains_key(key));
        }
        let world = wrong.as_ref().unwrap_or(world);
        if self.has(Flaw::ImportsAreNotUnique) {
            for no in world.changes.bookings.keys() {
                let imported = world.booking_at(*no).and_then(|new| new.details.imported_as.as_ref());
                imported.map(|external| rows.imports.remove(external));
            }
        }
        rows.write_rows(world)?;
        let first = batch_no << EVENT_BITS;
        let events = rows.events_of(world, first).into_iter();
        if self.has(Flaw::OrdersByNumber) {
            let placed = events.map(|event| Arc::new(StoredEvent { place: event.no, ..event }));
            rows.events.extend(placed);
            rows.events.sort_by_key(|event| event.place);
        } else {
            rows.unplaced.entry(batch_no).or_default().extend(events.map(Arc::new));
        }
        Ok(())
    }

    fn apply(&self, rows: &mut Rows, tx: TxNo, backend: &Backend, write: &Write) -> Result<(), StoreError> {
        match write {
            Write::Batch(world) => self.put(rows, tx, backend.batch_no, world)?,
            Write::Booked(booked) => {
                let world = self.added(rows, booked);
                self.put(rows, tx, backend.batch_no, &world)?;
            }
            Write::Renewed(of, through) => {
                if let Some(row) = rows.listings.get_mut(of) {
                    match through {
                        Some(through) => row.renewed = *through,
                        None => row.renew_through = None,
                    }
                }
            }
            Write::Placed(first, batches) => {
                let events = batches.iter().filter_map(|no| rows.unplaced.remove(no)).flatten();
                let placed = (*first..).zip(events);
                let placed =
                    placed.map(|(place, event)| Arc::new(StoredEvent { place, ..event.as_ref().clone() }));
                rows.events.extend(placed.collect::<Vec<_>>());
                rows.events.sort_by_key(|event| event.place);
            }
        }
        Ok(())
    }

    /// Takes in what a client sends to be written.
    pub(super) fn send(&mut self, tx: TxNo, writes: Vec<Write>) {
        let Some(backend) = self.open.get_mut(&tx) else { return };
        for write in &writes {
            match write {
                Write::Batch(world) => backend.keys.extend(rows_of(world, backend.batch)),
                Write::Booked(booked) => {
                    backend.guard = Some(booked.guard);
                    backend.keys.push_back(Key::Listing(booked.guard.listing));
                    backend.keys.extend(rows_of(&booked.world, backend.batch));
                }
                Write::Renewed(..) | Write::Placed(..) => {}
            }
        }
        backend.sent.extend(writes);
    }

    /// The next row that what was sent needs.
    pub(super) fn needs(&self, tx: TxNo) -> Option<Key> {
        self.open.get(&tx)?.keys.front().cloned()
    }

    /// It was had. Where a guard is on it, the guard is looked at.
    pub(super) fn got(&mut self, tx: TxNo, clock: Time) -> Result<(), StoreError> {
        let Some(backend) = self.open.get_mut(&tx) else { return Ok(()) };
        let key = backend.keys.pop_front();
        let guard = backend.guard.take_if(|guard| key == Some(Key::Listing(guard.listing)));
        guard.map_or(Ok(()), |guard| self.admit(tx, guard, clock))
    }

    /// Executes what was sent, now that its rows are locked.
    pub(super) fn execute(&mut self, tx: TxNo) -> Result<(), StoreError> {
        let Some(backend) = self.open.get_mut(&tx) else { return Ok(()) };
        let sent = std::mem::take(&mut backend.sent);
        if sent.is_empty() {
            return Ok(());
        }
        backend.done.extend(sent);
        backend.checked = None;
        self.view(tx).map(drop)
    }

    /// Commits what was executed.
    pub(super) fn commit(&mut self, tx: TxNo) -> Result<Landed, StoreError> {
        let rows = match self.view(tx) {
            Ok(rows) => rows,
            Err(error) => {
                self.abort(tx);
                return Err(error);
            }
        };
        self.rows = Arc::clone(&rows);
        let backend = self.open.remove(&tx).expect("it is open");
        if let Some(id) = backend.batch {
            self.batches.insert(id, Ended::Committed);
        }
        self.end(tx);
        let worlds = backend.done.into_iter().filter_map(|write| match write {
            Write::Batch(world) => Some(*world),
            Write::Booked(booked) => Some(booked.world),
            Write::Renewed(..) | Write::Placed(..) => None,
        });
        let worlds: Vec<World> = worlds.collect();
        for no in worlds.iter().flat_map(|world| world.changes.edited()) {
            *self.editions.entry(no).or_default() += 1;
        }
        Ok(Landed { rows, worlds })
    }

    /// Rolls back.
    pub(super) fn abort(&mut self, tx: TxNo) {
        self.open.remove(&tx);
        self.end(tx);
    }

    fn end(&mut self, tx: TxNo) {
        self.locks.release(tx);
        self.timed_out.remove(&tx);
    }

    /// The client of a transaction is gone.
    pub(super) fn leave(&mut self, tx: TxNo, orphan: Orphan) {
        if let Some(backend) = self.open.get_mut(&tx) {
            backend.orphan.get_or_insert(orphan);
            self.locks.give_up(tx);
        }
    }

    /// Lets a transaction without a client do its next step. What was committed, if it came to that.
    pub(super) fn go_on(&mut self, tx: TxNo, clock: Time) -> Option<Landed> {
        let lands = self.open.get(&tx)?.orphan? == Orphan::Lands;
        if !lands {
            self.abort(tx);
            return None;
        }
        let step = match self.needs(tx) {
            Some(key) => self.take(tx, &key).map(|has| (has, Some(key))),
            None => self.execute(tx).map(|()| (false, None)),
        };
        match step {
            Ok((true, _)) => {
                if self.got(tx, clock).is_err() {
                    self.abort(tx);
                }
            }
            Ok((false, Some(key))) => {
                if !self.locks.wait(tx, &key) {
                    self.deadlocks += 1;
                    self.abort(tx);
                }
            }
            Ok((false, None)) => return self.commit(tx).ok(),
            Err(_) => self.abort(tx),
        }
        None
    }

    /// Transactions without a client.
    pub(super) fn orphans(&self) -> Vec<TxNo> {
        self.open.iter().filter(|(_, backend)| backend.orphan.is_some()).map(|(tx, _)| *tx).collect()
    }
}

/// The rows that a batch writes, in the order in which its statements come to them.
fn rows_of(world: &World, batch: Option<u128>) -> Vec<Key> {
    let changes = &world.changes;
    let mut keys = Vec::new();
    let old = changes.bookings.iter().filter(|(_, old)| old.is_some());
    keys.extend(old.map(|(no, _)| Key::Booking(*no)));
    let new = changes.bookings.iter().filter(|(_, old)| old.is_none());
    let imports: BTreeSet<String> =
        new.filter_map(|(no, _)| world.booking_at(*no)?.details.imported_as.clone()).collect();
    keys.extend(imports.into_iter().map(Key::Import));
    keys.extend(changes.customers.iter().cloned().map(Key::Customer));
    keys.extend(changes.new_keys.iter().map(|key| Key::Secret(key.hash)));
    keys.extend(batch.map(Key::Batch));
    let listings: BTreeSet<ListingNo> =
        changes.pools.iter().chain(&changes.removed_pools).map(|at| at.listing).collect();
    keys.extend(listings.into_iter().map(Key::Listing));
    keys.extend(changes.pools.iter().chain(&changes.removed_pools).copied().map(Key::Pool));
    let answers: BTreeSet<_> = changes.remembered.iter().map(|(key, _)| *key).collect();
    keys.extend(answers.into_iter().map(Key::Answer));
    keys
}
