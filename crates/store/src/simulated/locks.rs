//! Which transaction has which row, and who waits for whom.

use std::collections::BTreeMap;

use lastseat_core::command::IdempotencyKey;
use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::pool::PoolRef;
use lastseat_core::world::CustomerRef;

/// A transaction, by its number.
pub(super) type TxNo = u64;

/// A row that can be locked, or a unique key that is being inserted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    /// The narrow row of a listing, which stands for everything that belongs to it.
    Listing(ListingNo),
    /// A booking.
    Booking(BookingNo),
    /// A pool.
    Pool(PoolRef),
    /// What a customer has in a listing, or an address in listing 0.
    Customer(CustomerRef),
    /// The foreign id of an import.
    Import(String),
    /// The digest of an API key.
    Secret([u8; 32]),
    /// What an idempotency key stands for.
    Answer(IdempotencyKey),
    /// A batch, by its random id.
    Batch(u128),
    /// The one row of the event log, which holds the last place that was given.
    EventLog,
}

/// All locks of the database.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: BTreeMap<Key, TxNo>,
    waits: BTreeMap<TxNo, Key>,
}

impl Locks {
    /// Locks a row, if nobody else has it.
    pub(super) fn take(&mut self, tx: TxNo, key: &Key) -> bool {
        if *self.held.entry(key.clone()).or_insert(tx) != tx {
            return false;
        }
        self.waits.remove(&tx);
        true
    }

    /// Notes that a transaction waits for a row. Whether that can end: not if somebody before it in the line waits for
    /// what it has itself.
    pub(super) fn wait(&mut self, tx: TxNo, key: &Key) -> bool {
        self.waits.insert(tx, key.clone());
        let mut next = self.held.get(key);
        while let Some(holder) = next {
            if *holder == tx {
                self.waits.remove(&tx);
                return false;
            }
            next = self.waits.get(holder).and_then(|key| self.held.get(key));
        }
        true
    }

    /// Whether a transaction that waits has to go on waiting.
    pub(super) fn must_wait(&self, tx: TxNo) -> bool {
        self.waits.get(&tx).and_then(|key| self.held.get(key)).is_some_and(|holder| *holder != tx)
    }

    /// The transactions that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = TxNo> {
        self.waits.keys().copied().filter(|tx| self.must_wait(*tx))
    }

    /// Whether anybody has anything.
    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// It waits no more.
    pub(super) fn give_up(&mut self, tx: TxNo) {
        self.waits.remove(&tx);
    }

    /// Lets go of everything that a transaction has.
    pub(super) fn release(&mut self, tx: TxNo) {
        self.waits.remove(&tx);
        self.held.retain(|_, holder| *holder != tx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = Key::Listing(ListingNo(1));
    const B: Key = Key::Listing(ListingNo(2));
    const C: Key = Key::EventLog;

    #[test]
    fn a_row_is_had_by_one_at_a_time() {
        let mut locks = Locks::default();
        assert!(locks.take(1, &A) && locks.take(1, &A));
        assert!(!locks.take(2, &A));
        assert!(locks.wait(2, &A));
        assert!(locks.must_wait(2) && locks.waiting().eq([2]));
        locks.release(1);
        assert!(!locks.must_wait(2) && locks.waiting().next().is_none());
        assert!(locks.take(2, &A));
        assert!(!locks.take(1, &A));
    }

    #[test]
    fn waiting_in_a_circle_is_noticed_by_the_last_who_comes() {
        let mut locks = Locks::default();
        for (tx, key) in [(1, &A), (2, &B), (3, &C)] {
            assert!(locks.take(tx, key));
        }
        assert!(locks.wait(1, &B) && locks.wait(2, &C));
        assert!(!locks.wait(3, &A));
        locks.release(3);
        assert!(!locks.must_wait(2) && locks.must_wait(1));
    }
}
