//! The schema and its versions. Forward only; the number is kept in `user_version`, and a file that a newer
//! program wrote is refused.

use lastseat_core::customer::identity_digest;
use rusqlite::{Connection, TransactionBehavior};

use crate::open::OpenError;

/// Marks the file as Lastseat's ("LSEA").
const APPLICATION_ID: i32 = 0x4c53_4541;
/// The migrations in order; the version of a schema is how many of them it has.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_waitlist.sql"),
    include_str!("../migrations/0003_waitlist_keys.sql"),
    include_str!("../migrations/0004_who_waits.sql"),
];
/// The migration that leaves it to the program to say who waits.
const WAITLIST_KEYS: u32 = 3;
/// The version of the schema that this program needs.
#[allow(clippy::cast_possible_truncation, reason = "few migrations")]
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of the file's schema; 0 for an empty file.
pub(crate) fn version(connection: &Connection) -> Result<u32, OpenError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(OpenError::Foreign);
    }
    if version > SCHEMA_VERSION {
        return Err(OpenError::Newer { found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

/// Brings the schema up to date, all at once or not at all. How many migrations were run.
pub(crate) fn migrate(connection: &mut Connection) -> Result<u32, OpenError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = version(&tx)?;
    for (number, migration) in (1..).zip(MIGRATIONS).skip(from as usize) {
        tx.execute_batch(migration)?;
        if number == WAITLIST_KEYS {
            fill_digests(&tx)?;
        }
    }
    if from < SCHEMA_VERSION {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    tx.commit()?;
    Ok(SCHEMA_VERSION - from)
}

/// Says of who waits already what they are found by, and forgets what they were found by before.
fn fill_digests(connection: &Connection) -> rusqlite::Result<()> {
    let mut known =
        connection.prepare("SELECT listing_no, no, identity FROM waitlist WHERE identity IS NOT NULL")?;
    let mut fill =
        connection.prepare("UPDATE waitlist SET customer_digest = ?3 WHERE listing_no = ?1 AND no = ?2")?;
    let mut rows = known.query([])?;
    while let Some(row) = rows.next()? {
        let (listing, no): (i64, i64) = (row.get(0)?, row.get(1)?);
        fill.execute((listing, no, identity_digest(row.get_ref(2)?.as_str()?)))?;
    }
    drop(rows);
    connection.execute_batch("ALTER TABLE waitlist DROP COLUMN identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_before_customers_were_found_by_digests_is_found_by_one() {
        let mut connection = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS[..2] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 2).unwrap();
        for (no, identity) in [(1, Some("e:vera@example.org")), (2, None)] {
            let sql = "INSERT INTO waitlist (listing_no, no, id, state, group_no, first, last, least, want, customer, identity, \
                created_at, joined_behind, skipped) VALUES (1, ?1, randomblob(16), 'waiting', 0, 0, 0, 1, '', '', ?2, 0, 0, 0)";
            connection.execute(sql, (no, identity)).unwrap();
        }
        assert_eq!(migrate(&mut connection).unwrap(), SCHEMA_VERSION - 2);
        let mut rows = connection.prepare("SELECT customer_digest FROM waitlist ORDER BY no").unwrap();
        let found = rows.query_map([], |row| row.get(0)).unwrap();
        let found: Vec<Option<[u8; 16]>> = found.map(Result::unwrap).collect();
        assert_eq!(found, [Some(identity_digest("e:vera@example.org")), None]);
    }
}
