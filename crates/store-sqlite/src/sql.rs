//! Every statement, each with a name. A test prepares them all on a migrated database.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)*];
    };
}

/// The columns of an entry of a waitlist, in the order in which `row::entry` reads them.
macro_rules! entry_columns {
    () => {
        "listing_no, no, id, state, want, customer, created_at, created_by, until, due_at, joined_behind, skipped, kept, \
         booking_no, ended, address"
    };
}

statements! {
    NEXT_NUMBERS = "SELECT (SELECT coalesce(max(no), 0) + 1 FROM bookings), (SELECT coalesce(max(no), 0) + 1 FROM listings), \
        (SELECT coalesce(max(no), 0) + 1 FROM events)";

    LISTING_BY_ID = "SELECT no, id, version, created_at, doc FROM listings WHERE id = ?1";
    LISTING_BY_NO = "SELECT no, id, version, created_at, doc FROM listings WHERE no = ?1";
    LISTINGS = "SELECT no, id, version, created_at, doc FROM listings ORDER BY no";
    GROUPS = "SELECT key, title, capacity, price, seat FROM groups WHERE listing_no = ?1 ORDER BY group_no";
    INSERT_LISTING = "INSERT INTO listings (no, id, version, created_at, doc) VALUES (?1, ?2, ?3, ?4, ?5)";
    // An edit starts renewing anew from the first booking.
    UPDATE_LISTING = "UPDATE listings SET version = ?2, doc = ?3, renew_through = coalesce(?4, renew_through), \
        renewed = CASE WHEN ?4 IS NULL THEN renewed ELSE 0 END WHERE no = ?1";
    INSERT_PLAN = "INSERT INTO plans (listing_no, plan) VALUES (?1, ?2)";
    PLAN = "SELECT plan FROM plans WHERE listing_no = ?1";
    UPSERT_GROUP = "INSERT INTO groups (listing_no, group_no, key, title, capacity, price, seat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
        ON CONFLICT DO UPDATE SET title = excluded.title, capacity = excluded.capacity, price = excluded.price";
    RENEWING = "SELECT no, renewed, renew_through FROM listings WHERE renew_through IS NOT NULL ORDER BY no LIMIT 1";
    SET_RENEWED = "UPDATE listings SET renewed = ?2, renew_through = CASE WHEN ?2 IS NULL THEN NULL ELSE renew_through END WHERE no = ?1";
    BUMP_INVENTORY = "INSERT INTO inventory (listing_no, version) VALUES (?1, 1) ON CONFLICT DO UPDATE SET version = version + 1";
    INVENTORY = "SELECT version FROM inventory WHERE listing_no = ?1";

    POOL = "SELECT capacity, blocked, held, confirmed, price, kept FROM pools WHERE listing_no = ?1 AND pool_no = ?2";
    POOLS_BETWEEN = "SELECT pool_no, capacity, blocked, held, confirmed, price, kept FROM pools \
        WHERE listing_no = ?1 AND pool_no BETWEEN ?2 AND ?3 ORDER BY pool_no";
    UPSERT_POOL = "INSERT INTO pools (listing_no, pool_no, capacity, blocked, held, confirmed, price, kept) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
        ON CONFLICT DO UPDATE SET capacity = excluded.capacity, blocked = excluded.blocked, held = excluded.held, \
        confirmed = excluded.confirmed, price = excluded.price, kept = excluded.kept";
    UPDATE_POOL = "UPDATE pools SET capacity = ?3, blocked = ?4, held = ?5, confirmed = ?6, price = ?7, kept = ?8 \
        WHERE listing_no = ?1 AND pool_no = ?2";
    DELETE_POOL = "DELETE FROM pools WHERE listing_no = ?1 AND pool_no = ?2";

    BOOKING_BY_ID = concat!("SELECT ", "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details", " FROM bookings WHERE id = ?1");
    BOOKING_BY_NO = concat!("SELECT ", "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details", " FROM bookings WHERE no = ?1");
    BOOKINGS_AFTER = concat!("SELECT ", "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details", " FROM bookings WHERE no > ?1 ORDER BY no LIMIT ?2");
    BOOKING_DUE_AT = "SELECT due_at FROM bookings WHERE no = ?1";
    INSERT_BOOKING = "INSERT INTO bookings (no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, due_at, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details, event_nos) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";
    UPDATE_BOOKING = "UPDATE bookings SET version = ?2, events = ?3, state = ?4, lines = ?5, total = ?6, paid = ?7, refund_due = ?8, \
        refunded = ?9, deadline = ?10, due_at = ?11, reason = ?12, decided_by = ?13, decided_at = ?14, details = ?15, event_nos = event_nos || ?16 WHERE no = ?1";
    LAST_BOOKING = "SELECT coalesce(max(no), 0) FROM bookings WHERE listing_no = ?1";
    DUE = "SELECT no FROM bookings WHERE due_at <= ?1 ORDER BY due_at, no LIMIT ?2";
    NEXT_DUE = "SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM bookings WHERE due_at IS NOT NULL \
        UNION ALL SELECT min(due_at) FROM waitlist WHERE due_at IS NOT NULL)";
    LIVE_BOOKINGS = "SELECT no FROM bookings WHERE listing_no = ?1 AND no > ?2 AND no <= ?3 \
        AND state IN ('held', 'in_review', 'confirmed') ORDER BY no LIMIT ?4";

    INSERT_HOLD = "INSERT INTO holds (listing_no, group_no, due_at, booking_no, first, last, quantity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    DELETE_HOLD = "DELETE FROM holds WHERE listing_no = ?1 AND group_no = ?2 AND due_at = ?3 AND booking_no = ?4 AND first = ?5";
    OVERDUE_IN = "SELECT booking_no, quantity FROM holds WHERE listing_no = ?1 AND group_no = ?2 AND due_at <= ?3 \
        AND first <= ?4 AND last >= ?4 ORDER BY due_at, booking_no";
    NEXT_RELEASE = "SELECT due_at FROM holds WHERE listing_no = ?1 AND group_no = ?2 AND due_at > ?3 \
        AND first <= ?4 AND last >= ?4 ORDER BY due_at LIMIT 1";
    HOLDS = "SELECT group_no, first, last, quantity, due_at FROM holds WHERE listing_no = ?1 ORDER BY group_no, due_at";

    CUSTOMER = "SELECT units, open_holds FROM customers WHERE listing_no = ?1 AND identity = ?2";
    CUSTOMERS = "SELECT identity, units, open_holds FROM customers WHERE listing_no = ?1 ORDER BY identity";
    UPSERT_CUSTOMER = "INSERT INTO customers (listing_no, identity, units, open_holds) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT DO UPDATE SET units = excluded.units, open_holds = excluded.open_holds";
    INSERT_CUSTOMER_HOLD = "INSERT OR IGNORE INTO customer_holds (listing_no, identity, due_at, booking_no) VALUES (?1, ?2, ?3, ?4)";
    DELETE_CUSTOMER_HOLD = "DELETE FROM customer_holds WHERE listing_no = ?1 AND identity = ?2 AND due_at = ?3 AND booking_no = ?4";
    OVERDUE_OF = "SELECT booking_no FROM customer_holds WHERE listing_no = ?1 AND identity = ?2 AND due_at <= ?3 ORDER BY due_at";
    FORGET_CUSTOMERS = "DELETE FROM customers WHERE listing_no = ?1";
    FORGET_CUSTOMER_HOLDS = "DELETE FROM customer_holds WHERE listing_no = ?1";
    BOOKINGS_THAT_COUNT = concat!("SELECT ", "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details", " FROM bookings WHERE listing_no = ?1 \
        AND state IN ('held', 'in_review', 'confirmed', 'completed')");

    LIST_NUMBERS = "SELECT waiting, coalesce((SELECT no FROM waitlist WHERE listing_no = ?1 ORDER BY no DESC LIMIT 1), 0) FROM inventory WHERE listing_no = ?1";
    COUNT_OF_GROUP = "SELECT waiting FROM waitlist_counts WHERE listing_no = ?1 AND group_no = ?2";
    COUNTS = "SELECT group_no, waiting FROM waitlist_counts WHERE listing_no = ?1 AND waiting <> 0";
    ADD_TO_COUNT = "INSERT INTO waitlist_counts (listing_no, group_no, waiting) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET waiting = waiting + ?3";
    TAKE_FROM_COUNT = "UPDATE waitlist_counts SET waiting = waiting - ?3 WHERE listing_no = ?1 AND group_no = ?2";
    SET_WAITING = "UPDATE inventory SET waiting = ?2 WHERE listing_no = ?1";
    ENTRY_BY_ID = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE id = ?1");
    // Partial indexes are named: without statistics the planner takes the primary key for shorter.
    NEWEST_OF_CUSTOMER = concat!("SELECT ", entry_columns!(), " FROM waitlist INDEXED BY waitlist_by_customer WHERE listing_no = ?1 AND customer_digest = ?2 ORDER BY no DESC LIMIT 1");
    KEEPERS = concat!("SELECT ", entry_columns!(), " FROM waitlist INDEXED BY waitlist_kept WHERE listing_no = ?1 AND kept IS NOT NULL ORDER BY no");
    // What wants pools of several groups, or any, is asked for as group -1.
    WAITING = concat!("SELECT ", entry_columns!(), " FROM waitlist INDEXED BY waitlist_waiting WHERE listing_no = ?1 AND state = 'waiting' AND group_no = ?2 AND no > ?3 AND least <= ?4 AND first <= ?5 AND last >= ?5 ORDER BY no LIMIT ?6");
    // Where there are so many pools that it is quicker to look at everybody.
    WAITING_FOR_ANYTHING = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE listing_no = ?1 AND state = 'waiting' AND no > ?2 AND least <= ?3 ORDER BY no LIMIT ?4");
    AHEAD = "SELECT count(*) FROM waitlist INDEXED BY waitlist_waiting WHERE listing_no = ?1 AND state = 'waiting' AND group_no = ?2 AND no < ?3 AND first <= ?5 AND last >= ?4";
    ALL_AHEAD = "SELECT count(*) FROM waitlist INDEXED BY waitlist_waiting WHERE listing_no = ?1 AND state = 'waiting' AND no < ?2";
    DUE_ENTRIES = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE due_at <= ?1 ORDER BY due_at, listing_no, no LIMIT ?2");
    ENTRIES_AFTER = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE listing_no = ?1 AND no > ?2 ORDER BY no LIMIT ?3");
    WAITING_AFTER = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE listing_no = ?1 AND no > ?2 AND state = 'waiting' ORDER BY no LIMIT ?3");
    RECHECK_ENTRIES = "UPDATE waitlist SET due_at = min(coalesce(due_at, ?2), ?2) WHERE listing_no = ?1 AND state = 'waiting'";
    INSERT_ENTRY = "INSERT INTO waitlist (listing_no, no, id, state, want, customer, created_at, created_by, until, due_at, joined_behind, \
        skipped, kept, booking_no, ended, group_no, first, last, least, customer_digest, address) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
    UPDATE_ENTRY = "UPDATE waitlist SET state = ?3, due_at = ?4, skipped = ?5, kept = ?6, booking_no = ?7, ended = ?8 WHERE listing_no = ?1 AND no = ?2";

    INSERT_EVENT = "INSERT INTO events (no, at, kind, listing_no, booking_no, seq, version, actor, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    // The list of places is digits and commas, written by this store alone.
    EVENTS_OF_BOOKING = "SELECT e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, e.version, e.actor, e.data \
        FROM bookings b, json_each('[' || substr(b.event_nos, 2) || ']') place JOIN events e ON e.no = place.value WHERE b.no = ?1 ORDER BY e.no";
    EVENTS = "SELECT e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, e.version, e.actor, e.data \
        FROM events e LEFT JOIN bookings b ON b.no = e.booking_no WHERE e.no > ?1 ORDER BY e.no LIMIT ?2";
    EVENTS_OF_LISTING = "SELECT e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, e.version, e.actor, e.data \
        FROM events e LEFT JOIN bookings b ON b.no = e.booking_no WHERE e.listing_no = ?3 AND e.no > ?1 ORDER BY e.no LIMIT ?2";
    // Each event by the list of its booking, which is there or is not.
    LOST_BOOKINGS = "SELECT DISTINCT e.booking_no FROM events e LEFT JOIN bookings b ON b.no = e.booking_no \
        WHERE e.no > ?1 AND e.no <= ?2 AND e.booking_no IS NOT NULL \
        AND (b.no IS NULL OR instr(b.event_nos || ',', ',' || e.no || ',') = 0) ORDER BY e.booking_no LIMIT ?3";
    LAST_EVENT = "SELECT coalesce(max(no), 0) FROM events";

    REMEMBERED = "SELECT fingerprint, booking_no, version, listing_id, key_id, entry_id FROM idempotency WHERE no = ?1";
    REMEMBER = "INSERT INTO idempotency (no, key, fingerprint, at, booking_no, version, listing_id, key_id, entry_id) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    ALL_REMEMBERED = "SELECT no, key FROM idempotency ORDER BY no";
    OLDEST_REMEMBERED = "SELECT no, key, at FROM idempotency ORDER BY no LIMIT ?1";
    FORGET = "DELETE FROM idempotency WHERE no <= ?1";
    REPEATED_KEYS = "SELECT hex(key) FROM idempotency GROUP BY key HAVING count(*) > 1 LIMIT ?1";
    KEYS_WITHOUT_ANSWER = "SELECT hex(i.key) FROM idempotency i LEFT JOIN bookings b ON b.no = i.booking_no \
        WHERE (i.booking_no IS NOT NULL AND (b.no IS NULL OR i.version IS NULL OR i.version NOT BETWEEN 1 AND b.version)) \
        OR (i.listing_id IS NOT NULL AND i.listing_id NOT IN (SELECT id FROM listings)) \
        OR (i.key_id IS NOT NULL AND i.key_id NOT IN (SELECT id FROM api_keys)) \
        OR (i.entry_id IS NOT NULL AND i.entry_id NOT IN (SELECT id FROM waitlist)) ORDER BY i.no LIMIT ?1";
    KEY_COUNT = "SELECT count(*) FROM idempotency";

    IMPORTED = "SELECT b.id FROM imports i JOIN bookings b ON b.no = i.booking_no WHERE i.external_id = ?1";
    INSERT_IMPORT = "INSERT INTO imports (external_id, booking_no) VALUES (?1, ?2)";

    KEYS = "SELECT id, role, name, hash, created_at FROM api_keys WHERE revoked_at IS NULL ORDER BY id";
    HAS_KEY = "SELECT 1 FROM api_keys WHERE id = ?1 AND revoked_at IS NULL";
    INSERT_KEY = "INSERT INTO api_keys (id, role, name, hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    REVOKE_KEY = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1";

    META = "SELECT value FROM meta WHERE key = ?1";

    NUMBERS = "SELECT state, count(*), sum(total), sum(paid), sum(refund_due), sum(refunded) FROM bookings WHERE listing_no = ?1 GROUP BY state";
}

/// The columns of a booking, in the order in which `row::booking` reads them.
pub(crate) const BOOKING_COLUMNS: &str = "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
    deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details";

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_can_be_prepared_on_a_migrated_database() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&mut connection).unwrap();
        for (name, sql) in super::ALL {
            assert!(connection.prepare(sql).is_ok(), "{name}: {:?}", connection.prepare(sql).err());
        }
    }

    #[test]
    fn what_is_asked_of_long_waitlists_is_answered_from_its_index() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&mut connection).unwrap();
        let plan = |sql: &str| -> String {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let count = statement.parameter_count();
            let rows =
                statement.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get(3)).unwrap();
            rows.collect::<rusqlite::Result<Vec<String>>>().unwrap().join("; ")
        };
        for (sql, wanted) in [
            (super::NEWEST_OF_CUSTOMER, "INDEX waitlist_by_customer (listing_no=? AND customer_digest=?)"),
            (super::KEEPERS, "INDEX waitlist_kept (listing_no=?)"),
            (super::WAITING, "INDEX waitlist_waiting (listing_no=? AND group_no=? AND no>?)"),
            (super::AHEAD, "COVERING INDEX waitlist_waiting (listing_no=? AND group_no=? AND no<?)"),
            (super::ALL_AHEAD, "COVERING INDEX waitlist_waiting (listing_no=?)"),
            (super::DUE_ENTRIES, "INDEX waitlist_by_due_at (due_at<?)"),
        ] {
            let found = plan(sql);
            assert!(found.contains(wanted) && !found.contains("TEMP B-TREE"), "{sql}: {found}");
        }
    }
}
