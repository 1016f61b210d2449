//! The idempotency keys that are remembered, in memory: where the row of each stands.
//!
//! Keys are random, so an index of them would dirty a page for each booking. The table is therefore written at its end
//! only, and the one connection that writes knows all keys: 24 bytes each and the slack of a hash table, for those of
//! the last day. It also sees to it that none stands twice.

use lastseat_core::command::IdempotencyKey;
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::sql;

/// Into how many maps the keys are divided: when one grows, nobody waits for the others.
const PARTS: usize = 256;
/// Most keys that are forgotten at once.
const PRUNE_ROWS: u32 = 50_000;

/// All keys, and which of them belong to the transaction that is open.
pub(crate) struct Keys {
    /// By the first byte of the key.
    parts: Vec<FxHashMap<IdempotencyKey, i64>>,
    /// The row that the next key gets.
    next: i64,
    /// Added by the open transaction.
    uncommitted: Vec<IdempotencyKey>,
}

impl Keys {
    /// Reads all keys of a file.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut keys = Self { parts: vec![FxHashMap::default(); PARTS], next: 1, uncommitted: Vec::new() };
        let mut statement = connection.prepare(sql::ALL_REMEMBERED)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (no, key) = (row.get(0)?, IdempotencyKey(row.get(1)?));
            keys.part(key).insert(key, no);
            keys.next = no + 1;
        }
        Ok(keys)
    }

    fn part(&mut self, key: IdempotencyKey) -> &mut FxHashMap<IdempotencyKey, i64> {
        &mut self.parts[usize::from(key.0[0])]
    }

    /// The row of a key.
    pub(crate) fn find(&self, key: IdempotencyKey) -> Option<i64> {
        self.parts[usize::from(key.0[0])].get(&key).copied()
    }

    /// The row for a new key of the open transaction; none if the key stands already.
    pub(crate) fn add(&mut self, key: IdempotencyKey) -> Option<i64> {
        let no = self.next;
        match self.part(key).entry(key) {
            std::collections::hash_map::Entry::Occupied(_) => return None,
            std::collections::hash_map::Entry::Vacant(place) => place.insert(no),
        };
        self.next += 1;
        self.uncommitted.push(key);
        Some(no)
    }

    /// The open transaction was committed.
    pub(crate) fn commit(&mut self) {
        self.uncommitted.clear();
    }

    /// The open transaction is gone, with its keys.
    pub(crate) fn roll_back(&mut self) {
        for key in std::mem::take(&mut self.uncommitted).into_iter().rev() {
            self.part(key).remove(&key);
            self.next -= 1;
        }
    }

    /// Forgets the oldest keys, as far as they were written before `before`, in milliseconds, and not more than a part
    /// of them.
    pub(crate) fn prune(&mut self, connection: &Connection, before: i64) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(sql::OLDEST_REMEMBERED)?;
        let mut rows = statement.query([PRUNE_ROWS])?;
        let mut old = Vec::new();
        let mut last = None;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(2)? >= before {
                break;
            }
            last = Some(row.get::<_, i64>(0)?);
            old.push(IdempotencyKey(row.get(1)?));
        }
        drop(rows);
        let Some(last) = last else { return Ok(()) };
        connection.prepare_cached(sql::FORGET)?.execute(params![last])?;
        for key in old {
            self.part(key).remove(&key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> IdempotencyKey {
        IdempotencyKey([number; 16])
    }

    #[test]
    fn keys_of_a_transaction_that_is_gone_are_free_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&mut connection).unwrap();
        let mut keys = Keys::load(&connection).unwrap();
        assert_eq!((keys.add(key(1)), keys.add(key(2)), keys.add(key(1))), (Some(1), Some(2), None));
        keys.commit();
        assert_eq!((keys.add(key(3)), keys.add(key(2))), (Some(3), None));
        keys.roll_back();
        let all = [1, 2, 3].map(|number| keys.find(key(number)));
        assert_eq!(all, [Some(1), Some(2), None]);
        assert_eq!(keys.add(key(4)), Some(3));
    }

    #[test]
    fn a_key_that_stands_twice_is_found_by_verify() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(dir.path(), crate::OpenMode::Serve).unwrap();
        let connection = Connection::open(store.path()).unwrap();
        let mut insert = connection.prepare(sql::REMEMBER).unwrap();
        let none = None::<i64>;
        for (no, number) in [(1, 7u8), (2, 8), (3, 7)] {
            insert.execute(params![no, [number; 16], [0u8; 16], 5, none, none, none, none, none]).unwrap();
        }
        let report = lastseat_store::verify::verify(&store).unwrap();
        let check = report.of(lastseat_store::verify::Rule::KeysAreUnique);
        assert_eq!((report.ok, check.checked, &check.broken[..]), (false, 3, &["07".repeat(16)][..]));
    }
}
