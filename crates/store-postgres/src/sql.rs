//! Every statement, each with a name. A test prepares them all on a migrated database.

macro_rules! statements {
    ($(#[$attr:meta])* $list:ident: $($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*
        $(#[$attr])* pub(crate) const $list: &[&str] = &[$($name,)*];
    };
}

macro_rules! booking_columns {
    () => {
        "no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, refunded, \
         deadline, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details"
    };
}

/// The columns of an entry of a waitlist, in the order in which `row::entry` reads them.
macro_rules! entry_columns {
    () => {
        "listing_no, no, id, state, want, customer, created_at, created_by, until, due_at, joined_behind, skipped, kept, \
         booking_no, ended, address"
    };
}

/// The columns of a booking, in the order in which `row::booking` reads them.
pub(crate) const BOOKING_COLUMNS: &str = booking_columns!();

// What lanes run: prepared when the connection is made.
statements! { LANE:
    LOCK_LISTINGS = "SELECT listing_no, listing_id, edition, waiting FROM inventory WHERE listing_id = ANY($1::uuid[]) \
        ORDER BY listing_no FOR NO KEY UPDATE";
    /// The same, with the listings of bookings, of overdue holds of addresses, and of entries of waitlists. They are found
    /// first, by themselves: a row of a join that had to be waited for is joined anew when it was changed meanwhile, and may
    /// be lost then.
    LOCK_NAMED = "SELECT i.listing_no, i.listing_id, i.edition, i.waiting FROM inventory i WHERE i.listing_no = ANY(ARRAY( \
            SELECT n.listing_no FROM inventory n WHERE n.listing_id = ANY($1::uuid[]) \
            UNION ALL SELECT b.listing_no FROM bookings b WHERE b.id = ANY($2::uuid[]) \
            UNION ALL SELECT b.listing_no FROM customer_holds c JOIN bookings b ON b.no = c.booking_no \
                WHERE c.listing_no = 0 AND c.identity = ANY($3::text[]) AND c.due_at <= $4 \
            UNION ALL SELECT w.listing_no FROM waitlist w WHERE w.id = ANY($5::uuid[]))) \
        ORDER BY i.listing_no FOR NO KEY UPDATE OF i";
    /// Listings with bookings or entries of waitlists that are due and that nobody else is at work on.
    LOCK_DUE = "SELECT i.listing_no, i.listing_id, i.edition, i.waiting FROM inventory i WHERE i.listing_no = ANY(ARRAY( \
            SELECT d.listing_no FROM (SELECT listing_no FROM bookings WHERE due_at <= $1 ORDER BY due_at, no LIMIT $2::bigint) d \
            UNION ALL SELECT w.listing_no FROM (SELECT listing_no FROM waitlist_waiting WHERE due_at <= $1 \
                ORDER BY due_at, no LIMIT $2::bigint) w)) \
        ORDER BY i.listing_no FOR NO KEY UPDATE OF i SKIP LOCKED";
    LOCK_RENEWING = "SELECT i.listing_no, i.listing_id, i.edition, i.waiting FROM inventory i WHERE i.listing_no = ANY(ARRAY( \
            SELECT no FROM listings WHERE renew_through IS NOT NULL)) \
        ORDER BY i.listing_no LIMIT 4 FOR NO KEY UPDATE OF i SKIP LOCKED";

    TAKE_BOOKING_NUMBERS = "SELECT nextval('booking_numbers') FROM generate_series(1, $1::bigint)";
    TAKE_LISTING_NUMBERS = "SELECT nextval('listing_numbers') FROM generate_series(1, $1::bigint)";
    /// The database's clock and the number of the batch. Asked for under the locks: the time is that of the decision, and
    /// of two batches that share a listing the first to have it has the lower number.
    BEGIN_BATCH = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, nextval('batch_numbers')";

    LISTINGS_BY_NO = "SELECT no, id, version, created_at, doc FROM listings WHERE no = ANY($1::bigint[]) ORDER BY no";
    GROUPS_OF = "SELECT listing_no, key, title, capacity, price, seat FROM groups WHERE listing_no = ANY($1::bigint[]) \
        ORDER BY listing_no, group_no";

    BOOKINGS_BY_ID = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE id = ANY($1::uuid[]) ORDER BY no");
    BOOKINGS_BY_NO = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE no = ANY($1::bigint[]) ORDER BY no");
    LAST_BOOKING = "SELECT coalesce((SELECT no FROM bookings WHERE listing_no = $1 ORDER BY no DESC LIMIT 1), 0)";
    DUE = "SELECT no FROM bookings WHERE due_at <= $1 AND listing_no = ANY($2::bigint[]) ORDER BY due_at, no LIMIT $3::bigint";
    LIVE_BOOKINGS = "SELECT no FROM bookings WHERE listing_no = $1 AND no > $2 AND no <= $3 \
        AND state IN ('held', 'in_review', 'confirmed') ORDER BY no LIMIT $4::bigint";

    POOLS = "SELECT p.capacity, p.blocked, p.held, p.confirmed, p.price, p.kept FROM unnest($1::bigint[], $2::bigint[]) \
        WITH ORDINALITY AS w (listing_no, pool_no, place) \
        LEFT JOIN pools p ON p.listing_no = w.listing_no AND p.pool_no = w.pool_no ORDER BY w.place";
    POOLS_OF = "SELECT pool_no, capacity, blocked, held, confirmed, price, kept FROM pools WHERE listing_no = $1 ORDER BY pool_no";

    /// Overdue holds on each pool, the earliest first, with what those before them give: until it is enough.
    OVERDUE_IN = "SELECT h.booking_no FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
        WITH ORDINALITY AS w (listing_no, group_no, position, units, place), LATERAL ( \
            SELECT booking_no, due_at, (sum(quantity) OVER (ORDER BY due_at, booking_no, first))::bigint - quantity AS before FROM holds \
            WHERE listing_no = w.listing_no AND group_no = w.group_no AND due_at <= $5 \
            AND first <= w.position AND last >= w.position) h \
        WHERE h.before < w.units ORDER BY w.place, h.due_at, h.booking_no";
    OVERDUE_OF = "SELECT c.booking_no FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w (listing_no, identity, place) \
        JOIN customer_holds c ON c.listing_no = w.listing_no AND c.identity = w.identity \
        WHERE c.due_at <= $3 ORDER BY w.place, c.due_at, c.booking_no";
    NEXT_RELEASES = "SELECT (SELECT h.due_at FROM holds h WHERE h.listing_no = w.listing_no AND h.group_no = w.group_no \
            AND h.due_at > $4 AND h.first <= w.position AND h.last >= w.position ORDER BY h.due_at LIMIT 1) \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (listing_no, group_no, position, place) \
        ORDER BY w.place";

    /// Addresses have no listing that could be locked for them: their own rows are made, then locked in order.
    MAKE_ADDRESSES = "INSERT INTO customers (listing_no, identity, units, open_holds) \
        SELECT 0, a, 0, 0 FROM unnest($1::text[]) a ORDER BY a ON CONFLICT DO NOTHING";
    LOCK_ADDRESSES = "SELECT 1 FROM customers WHERE listing_no = 0 AND identity = ANY($1::text[]) ORDER BY identity FOR NO KEY UPDATE";
    CUSTOMERS = "SELECT c.units, c.open_holds FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w (listing_no, identity, place) \
        LEFT JOIN customers c ON c.listing_no = w.listing_no AND c.identity = w.identity ORDER BY w.place";

    LIST_NUMBERS = "SELECT waiting, coalesce((SELECT no FROM waitlist WHERE listing_no = $1 ORDER BY no DESC LIMIT 1), 0) FROM inventory WHERE listing_no = $1";
    /// Not max(no): a plan that was made when the table was empty would go through the whole list.
    LAST_ENTRY = "SELECT no FROM waitlist WHERE listing_no = $1 ORDER BY no DESC LIMIT 1";
    ENTRIES_BY_ID = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE id = ANY($1::uuid[]) ORDER BY listing_no, no");
    /// Per customer the newest entry. One customer after the other, which a limit enforces: a plan that was made when the table
    /// was empty would go through all of it. For the same reason the order is not that of the primary key.
    NEWEST_ENTRIES = concat!("SELECT e.* FROM unnest($1::bigint[], $2::uuid[]) AS u (of, who), LATERAL (SELECT ", entry_columns!(), " \
        FROM waitlist WHERE listing_no = u.of AND customer_digest = u.who ORDER BY customer_digest DESC, no DESC LIMIT 1) e");
    // Each entry by its number, which a limit enforces: a plan that was made when lists were short would compare all of a
    // list with all numbers.
    KEEPERS = concat!("SELECT e.* FROM (SELECT no FROM waitlist_waiting WHERE listing_no = $1 AND keeps) w, LATERAL (SELECT ",
        entry_columns!(), " FROM waitlist WHERE listing_no = $1 AND no = w.no OFFSET 0) e ORDER BY e.no");
    /// Each pool by itself, and those that want several groups, or any, which stand under the group -1.
    WAITING = concat!("SELECT e.* FROM unnest($2::bigint[], $3::bigint[]) AS u (group_no, position), LATERAL ( \
            SELECT no FROM waitlist_waiting WHERE listing_no = $1 AND group_no = u.group_no AND no > $4 AND least <= $5 \
            AND first <= u.position AND last >= u.position ORDER BY no LIMIT $6::bigint) w, LATERAL (SELECT ", entry_columns!(), " \
            FROM waitlist WHERE listing_no = $1 AND no = w.no OFFSET 0) e");
    /// Where there are so many pools that it is quicker to look at everybody.
    WAITING_FOR_ANYTHING = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE listing_no = $1 AND state = 'waiting' AND no > $2 \
        AND least <= $3 ORDER BY listing_no, no LIMIT $4::bigint");
    AHEAD = "SELECT (SELECT count(*) FROM waitlist_waiting WHERE listing_no = $1 AND group_no = -1 AND no < $2) + \
        (SELECT count(*) FROM waitlist_waiting WHERE listing_no = $1 AND group_no = $3 AND no < $2 \
            AND first <= $5 AND last >= $4)";
    ALL_AHEAD = "SELECT count(*) FROM waitlist_waiting WHERE listing_no = $1 AND no < $2";
    /// In the order of the index, or a plan that was made when the tables were empty would go through all who wait.
    DUE_ENTRIES = concat!("SELECT e.* FROM (SELECT * FROM (SELECT listing_no, no, due_at FROM waitlist_waiting \
            WHERE due_at <= $1 ORDER BY due_at, no OFFSET 0) d WHERE listing_no = ANY($2::bigint[]) \
            ORDER BY due_at, no LIMIT $3::bigint) w, LATERAL (SELECT ", entry_columns!(), " \
            FROM waitlist WHERE listing_no = w.listing_no AND no = w.no OFFSET 0) e ORDER BY w.due_at, e.listing_no, e.no");
    RECHECK_ENTRIES = "UPDATE waitlist SET due_at = least(due_at, $2) WHERE listing_no = $1 AND state = 'waiting'";
    RECHECK_WAITING = "UPDATE waitlist_waiting SET due_at = least(due_at, $2) WHERE listing_no = $1";
    INSERT_ENTRIES = "INSERT INTO waitlist (listing_no, no, id, state, want, customer, created_at, created_by, until, due_at, \
        joined_behind, skipped, kept, booking_no, ended, group_no, first, last, least, customer_digest, address) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::uuid[], \
        $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::bigint[], \
        $17::bigint[], $18::bigint[], $19::bigint[], $20::uuid[], $21::text[])";
    UPDATE_ENTRIES = "UPDATE waitlist w SET state = u.state, due_at = u.due_at, skipped = u.skipped, kept = u.kept, \
        booking_no = u.booking_no, ended = u.ended FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], \
        $6::text[], $7::bigint[], $8::text[]) AS u (listing_no, no, state, due_at, skipped, kept, booking_no, ended) \
        WHERE w.listing_no = u.listing_no AND w.no = u.no";
    /// Who waits from now on.
    INSERT_WAITING = "INSERT INTO waitlist_waiting (listing_no, group_no, no, due_at, keeps, first, last, least) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bigint[], $7::bigint[], \
        $8::bigint[])";
    /// Who goes on waiting.
    UPDATE_WAITING = "UPDATE waitlist_waiting w SET due_at = u.due_at, keeps = u.keeps \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[]) \
        AS u (listing_no, group_no, no, due_at, keeps) \
        WHERE w.listing_no = u.listing_no AND w.group_no = u.group_no AND w.no = u.no";
    /// Who waits no more.
    DELETE_WAITING = "DELETE FROM waitlist_waiting WHERE ctid = ANY(ARRAY(SELECT w.ctid \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (listing_no, group_no, no), LATERAL (SELECT ctid \
            FROM waitlist_waiting WHERE listing_no = u.listing_no AND group_no = u.group_no AND no = u.no OFFSET 0) w))";
    COUNT_OF_GROUPS = "SELECT coalesce(sum(waiting), 0)::bigint FROM waitlist_counts WHERE listing_no = $1 AND group_no = ANY($2::bigint[])";
    ADD_TO_COUNTS = "INSERT INTO waitlist_counts AS c (listing_no, group_no, waiting) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
        ON CONFLICT (listing_no, group_no) DO UPDATE SET waiting = c.waiting + excluded.waiting";
    TAKE_FROM_COUNTS = "UPDATE waitlist_counts c SET waiting = c.waiting - u.waiting \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (listing_no, group_no, waiting) \
        WHERE c.listing_no = u.listing_no AND c.group_no = u.group_no";
    SET_WAITING = "UPDATE inventory i SET waiting = u.waiting FROM unnest($1::bigint[], $2::bigint[]) AS u (listing_no, waiting) \
        WHERE i.listing_no = u.listing_no";

    REMEMBERED = "SELECT key, fingerprint, booking_no, version, listing_id, key_id, entry_id FROM idempotency WHERE key = ANY($1::uuid[])";
    IMPORTED = "SELECT b.id FROM imports i JOIN bookings b ON b.no = i.booking_no WHERE i.external_id = $1";
    HAS_KEY = "SELECT 1 FROM api_keys WHERE id = $1 AND revoked_at IS NULL";
    RENEWING = "SELECT no, renewed, renew_through FROM listings WHERE renew_through IS NOT NULL AND no = ANY($1::bigint[]) \
        ORDER BY no LIMIT 1";
    SET_RENEWED = "UPDATE listings SET renewed = $2, renew_through = CASE WHEN $2::bigint IS NULL THEN NULL ELSE renew_through END \
        WHERE no = $1";

    /// What a batch of bookings writes, all at once. Nothing in it depends on the order in which its parts are run.
    WRITE = "WITH batch AS (INSERT INTO batches (no, id, node, listings, edited, keys, bookings) VALUES ($1, $2, $3, $4, $5, $6, $64)), \
        moved AS (UPDATE inventory SET version = version + 1 WHERE listing_no = ANY($7::bigint[])), \
        pool AS (UPDATE pools p SET capacity = u.capacity, blocked = u.blocked, held = u.held, confirmed = u.confirmed, \
            price = u.price, kept = u.kept FROM unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], \
            $13::bigint[], $14::bigint[], $15::bigint[]) AS u (listing_no, pool_no, capacity, blocked, held, confirmed, price, kept) \
            WHERE p.listing_no = u.listing_no AND p.pool_no = u.pool_no), \
        booking AS (INSERT INTO bookings (no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, \
            refunded, deadline, due_at, created_at, customer, address, note, reason, decided_by, decided_at, created_by, details, \
            event_nos) SELECT * FROM unnest($16::bigint[], $17::uuid[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], \
            $22::text[], $23::text[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], \
            $30::bigint[], $31::text[], $32::text[], $33::text[], $34::text[], $35::text[], $36::bigint[], $37::uuid[], \
            $38::text[], $39::text[])), \
        hold AS (INSERT INTO holds (listing_no, group_no, due_at, booking_no, first, last, quantity) \
            SELECT * FROM unnest($40::bigint[], $41::bigint[], $42::bigint[], $43::bigint[], $44::bigint[], $45::bigint[], \
            $46::bigint[])), \
        event AS (INSERT INTO events (no, at, kind, listing_no, booking_no, seq, version, actor, data) \
            SELECT * FROM unnest($47::bigint[], $48::bigint[], $49::text[], $50::bigint[], $51::bigint[], $52::bigint[], \
            $53::bigint[], $54::text[], $55::text[])) \
        INSERT INTO idempotency (key, fingerprint, at, booking_no, version, listing_id, key_id, entry_id) \
            SELECT key, fingerprint, $56, booking_no, version, listing_id, key_id, entry_id FROM unnest($57::uuid[], $58::uuid[], \
            $59::bigint[], $60::bigint[], $61::uuid[], $62::uuid[], $63::uuid[]) \
            AS u (key, fingerprint, booking_no, version, listing_id, key_id, entry_id) ORDER BY key";
    /// New bookings of the listing `$1`, if `$2` is its edition, nobody waits and the clock says between `$5` and `$6`, decided at `$7`. The
    /// clock is read and the batch gets its number when the listing is locked. What does not fit fails as a whole, and so
    /// does a pool that is gone or has another price: by a division by zero, as there is no other way to raise an error.
    BOOK = "WITH guard AS (UPDATE inventory SET version = version + 1 WHERE listing_no = $1 AND edition = $2 AND waiting = 0 \
            RETURNING floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at), \
        batch AS (INSERT INTO batches (no, id, node, listings, edited, keys, bookings) \
            SELECT nextval('batch_numbers'), $3, $4, ARRAY[$1], '{}'::bigint[], false, false FROM guard WHERE at BETWEEN $5 AND $6 \
            RETURNING no), \
        pool AS (UPDATE pools p SET held = p.held + u.held, confirmed = p.confirmed + u.confirmed \
            FROM batch, unnest($8::bigint[], $9::bigint[], $10::bigint[], $34::bigint[]) AS u (pool_no, held, confirmed, price) \
            WHERE p.listing_no = $1 AND p.pool_no = u.pool_no AND p.price = u.price \
            RETURNING p.pool_no, p.capacity, p.blocked, p.held, p.confirmed, p.price, p.kept), \
        booking AS (INSERT INTO bookings (no, id, listing_no, policy_no, version, events, state, lines, total, paid, refund_due, \
            refunded, deadline, due_at, created_at, customer, note, created_by, event_nos) \
            SELECT u.no, u.id, $1, $11, 1, 1, u.state, u.lines, u.total, 0, 0, 0, u.deadline, u.due_at, $7, u.customer, u.note, \
            u.created_by, ',' || ((batch.no << 16) + u.place - 1) \
            FROM batch, unnest($12::bigint[], $13::uuid[], $14::text[], $15::text[], $16::bigint[], $17::bigint[], $18::bigint[], \
            $19::text[], $20::text[], $21::uuid[]) WITH ORDINALITY \
            AS u (no, id, state, lines, total, deadline, due_at, customer, note, created_by, place)), \
        hold AS (INSERT INTO holds (listing_no, group_no, due_at, booking_no, first, last, quantity) \
            SELECT $1, u.* FROM batch, unnest($22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], \
            $27::bigint[]) AS u), \
        event AS (INSERT INTO events (no, at, kind, listing_no, booking_no, seq, version, actor, data) \
            SELECT (batch.no << 16) + u.place - 1, $7, u.kind, $1, u.booking_no, 1, 1, u.actor, u.data \
            FROM batch, unnest($12::bigint[], $28::text[], $29::text[], $30::text[]) WITH ORDINALITY \
            AS u (booking_no, kind, actor, data, place)), \
        known AS (INSERT INTO idempotency (key, fingerprint, at, booking_no, version) \
            SELECT u.key, u.fingerprint, $7, u.booking_no, 1 FROM batch, unnest($31::uuid[], $32::uuid[], $33::bigint[]) \
            AS u (key, fingerprint, booking_no) ORDER BY u.key) \
        SELECT guard.at, batch.no, pool.*, \
            1 / CASE WHEN batch.no IS NULL OR (SELECT count(*) FROM pool) = cardinality($8) THEN 1 ELSE 0 END \
            FROM guard LEFT JOIN batch ON true LEFT JOIN pool ON true";
    UPDATE_BOOKINGS = "UPDATE bookings b SET version = u.version, events = u.events, state = u.state, lines = u.lines, \
        total = u.total, paid = u.paid, refund_due = u.refund_due, refunded = u.refunded, deadline = u.deadline, due_at = u.due_at, \
        reason = u.reason, decided_by = u.decided_by, decided_at = u.decided_at, details = u.details, \
        event_nos = b.event_nos || u.event_nos FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], \
        $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], \
        $14::bigint[], $15::text[], $16::text[]) AS u (no, version, events, state, lines, total, paid, refund_due, refunded, \
        deadline, due_at, reason, decided_by, decided_at, details, event_nos) WHERE b.no = u.no";
    UPSERT_POOLS = "INSERT INTO pools (listing_no, pool_no, capacity, blocked, held, confirmed, price, kept) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) \
        ON CONFLICT (listing_no, pool_no) DO UPDATE SET capacity = excluded.capacity, blocked = excluded.blocked, \
        held = excluded.held, confirmed = excluded.confirmed, price = excluded.price, kept = excluded.kept";
    DELETE_POOLS = "DELETE FROM pools p USING unnest($1::bigint[], $2::bigint[]) AS u (listing_no, pool_no) \
        WHERE p.listing_no = u.listing_no AND p.pool_no = u.pool_no";
    // Row by row where they are: these tables are empty at times, and a plan that was made then would compare all of a
    // large one with all that goes.
    DELETE_HOLDS = "DELETE FROM holds WHERE ctid = ANY(ARRAY(SELECT h.ctid \
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) \
        AS u (listing_no, group_no, due_at, booking_no, first), LATERAL (SELECT ctid FROM holds WHERE listing_no = u.listing_no \
            AND group_no = u.group_no AND due_at = u.due_at AND booking_no = u.booking_no AND first = u.first OFFSET 0) h))";
    DELETE_CUSTOMER_HOLDS = "DELETE FROM customer_holds WHERE ctid = ANY(ARRAY(SELECT h.ctid \
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS u (listing_no, identity, due_at, booking_no), \
        LATERAL (SELECT ctid FROM customer_holds WHERE listing_no = u.listing_no AND identity = u.identity \
            AND due_at = u.due_at AND booking_no = u.booking_no OFFSET 0) h))";
    INSERT_CUSTOMER_HOLDS = "INSERT INTO customer_holds (listing_no, identity, due_at, booking_no) \
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING";
    UPSERT_CUSTOMERS = "INSERT INTO customers (listing_no, identity, units, open_holds) \
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) \
        ON CONFLICT (listing_no, identity) DO UPDATE SET units = excluded.units, open_holds = excluded.open_holds";
    FORGET_CUSTOMERS = "DELETE FROM customers WHERE listing_no = $1";
    FORGET_CUSTOMER_HOLDS = "DELETE FROM customer_holds WHERE listing_no = $1";
    BOOKINGS_THAT_COUNT = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE listing_no = $1 \
        AND state IN ('held', 'in_review', 'confirmed', 'completed')");
    INSERT_LISTING = "INSERT INTO listings (no, id, version, created_at, doc) VALUES ($1, $2, $3, $4, $5)";
    INSERT_INVENTORY = "INSERT INTO inventory (listing_no, listing_id, version, edition) VALUES ($1, $2, 1, $3)";
    // An edit starts renewing anew from the first booking.
    UPDATE_LISTING = "UPDATE listings SET version = $2, doc = $3, renew_through = coalesce($4::bigint, renew_through), \
        renewed = CASE WHEN $4::bigint IS NULL THEN renewed ELSE 0 END WHERE no = $1";
    NEXT_EDITION = "UPDATE inventory SET edition = $2 WHERE listing_no = $1";
    INSERT_PLAN = "INSERT INTO plans (listing_no, plan) VALUES ($1, $2)";
    UPSERT_GROUPS = "INSERT INTO groups (listing_no, group_no, key, title, capacity, price, seat) \
        SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[]) \
        ON CONFLICT (listing_no, group_no) DO UPDATE SET title = excluded.title, capacity = excluded.capacity, price = excluded.price";
    INSERT_IMPORTS = "INSERT INTO imports (external_id, booking_no) SELECT * FROM unnest($1::text[], $2::bigint[]) AS u (e, b) ORDER BY e";
    INSERT_KEY = "INSERT INTO api_keys (id, role, name, hash, created_at) VALUES ($1, $2, $3, $4, $5)";
    REVOKE_KEY = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1";
    FORGET = "DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE at < $1 ORDER BY at LIMIT $2::bigint \
        FOR UPDATE SKIP LOCKED)";
}

// What readers and chores run: prepared when it is first needed.
statements! { #[cfg(test)] OTHERS:
    /// The database's clock in milliseconds.
    CLOCK = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    LISTINGS = "SELECT no, id, version, created_at, doc FROM listings ORDER BY no";
    GROUPS = "SELECT listing_no, key, title, capacity, price, seat FROM groups ORDER BY listing_no, group_no";
    PLAN = "SELECT plan FROM plans WHERE listing_no = $1";
    INVENTORY = "SELECT version FROM inventory WHERE listing_no = $1";
    BOOKING_BY_ID = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE id = $1");
    BOOKING_BY_NO = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE no = $1");
    BOOKINGS_AFTER = concat!("SELECT ", booking_columns!(), " FROM bookings WHERE no > $1 ORDER BY no LIMIT $2::bigint");
    DUE_AT_OF_BOOKINGS = "SELECT no, due_at FROM bookings WHERE no = ANY($1::bigint[])";
    BOOKING_DUE_AT = "SELECT due_at FROM bookings WHERE no = $1";
    NEXT_DUE = "SELECT least((SELECT due_at FROM bookings WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1), \
        (SELECT due_at FROM waitlist_waiting WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1))";
    COUNTS = "SELECT group_no, waiting FROM waitlist_counts WHERE listing_no = $1 AND waiting <> 0";
    ENTRY_BY_ID = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE id = $1");
    ENTRIES_AFTER = concat!("SELECT ", entry_columns!(), " FROM waitlist WHERE listing_no = $1 AND no > $2 ORDER BY no LIMIT $3::bigint");
    /// Who would be found: whose two rows agree.
    WAITING_AFTER = concat!("SELECT ", entry_columns!(), " FROM waitlist e WHERE listing_no = $1 AND no > $2 AND EXISTS ( \
            SELECT FROM waitlist_waiting w WHERE w.listing_no = e.listing_no AND w.group_no = e.group_no AND w.no = e.no \
            AND w.due_at IS NOT DISTINCT FROM e.due_at AND w.keeps = (e.kept IS NOT NULL)) \
        ORDER BY no LIMIT $3::bigint");
    IS_RENEWING = "SELECT 1 FROM listings WHERE renew_through IS NOT NULL LIMIT 1";
    HOLDS = "SELECT group_no, first, last, quantity, due_at FROM holds WHERE listing_no = $1 ORDER BY group_no, due_at, booking_no, first";
    CUSTOMERS_OF = "SELECT identity, units, open_holds FROM customers WHERE listing_no = $1 ORDER BY identity COLLATE \"C\"";
    // The list of numbers is digits and commas, written by this store alone.
    EVENTS_OF_BOOKING = "SELECT coalesce((t.place << 16) | (e.no & 65535), 0), e.no, e.at, e.kind, e.listing_no, e.booking_no, \
        b.id, e.seq, e.version, e.actor, e.data \
        FROM bookings b JOIN events e ON e.no = ANY(string_to_array(substr(b.event_nos, 2), ',')::bigint[]) \
        LEFT JOIN batches t ON t.no = e.no >> 16 WHERE b.no = $1 ORDER BY e.seq";
    /// The same of many bookings, with whose list it is.
    EVENTS_OF_BOOKINGS = "SELECT coalesce((t.place << 16) | (e.no & 65535), 0), e.no, e.at, e.kind, e.listing_no, e.booking_no, \
        b.id, e.seq, e.version, e.actor, e.data, b.no \
        FROM bookings b JOIN events e ON e.no = ANY(string_to_array(substr(b.event_nos, 2), ',')::bigint[]) \
        LEFT JOIN batches t ON t.no = e.no >> 16 WHERE b.no = ANY($1::bigint[]) ORDER BY b.no, e.seq";
    /// Each batch from where reading goes on, and not more of it than is asked for: one that a copy has made is large.
    EVENTS = "SELECT (t.place << 16) | (e.no & 65535), e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, e.version, \
        e.actor, e.data FROM batches t CROSS JOIN LATERAL (SELECT * FROM events WHERE no < ((t.no + 1) << 16) \
            AND no >= (t.no << 16) + CASE WHEN t.place = ($1::bigint >> 16) THEN ($1 & 65535) + 1 ELSE 0 END \
            ORDER BY no LIMIT $2::bigint) e \
        LEFT JOIN bookings b ON b.no = e.booking_no WHERE t.place >= ($1 >> 16) ORDER BY t.place, e.no LIMIT $2";
    EVENTS_OF_LISTING = "SELECT (t.place << 16) | (e.no & 65535), e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, \
        e.version, e.actor, e.data FROM batches t CROSS JOIN LATERAL (SELECT * FROM events WHERE no < ((t.no + 1) << 16) \
            AND no >= (t.no << 16) + CASE WHEN t.place = ($1::bigint >> 16) THEN ($1 & 65535) + 1 ELSE 0 END \
            AND listing_no = $3 ORDER BY no LIMIT $2::bigint) e \
        LEFT JOIN bookings b ON b.no = e.booking_no WHERE t.place >= ($1 >> 16) AND t.listings @> ARRAY[$3::bigint] \
        ORDER BY t.place, e.no LIMIT $2";
    UNPLACED = "SELECT 0::bigint, e.no, e.at, e.kind, e.listing_no, e.booking_no, b.id, e.seq, e.version, e.actor, e.data \
        FROM batches t JOIN events e ON e.no >= (t.no << 16) AND e.no < ((t.no + 1) << 16) \
        LEFT JOIN bookings b ON b.no = e.booking_no WHERE t.place IS NULL ORDER BY e.no";
    LAST_EVENT = "SELECT (t.place << 16) | (e.no & 65535) FROM batches t JOIN events e ON e.no >= (t.no << 16) \
        AND e.no < ((t.no + 1) << 16) WHERE t.place IS NOT NULL ORDER BY t.place DESC, e.no DESC LIMIT 1";
    // Each event by the list of its booking, which is there or is not.
    LOST_BOOKINGS = "SELECT DISTINCT e.booking_no FROM batches t JOIN events e ON e.no >= (t.no << 16) AND e.no < ((t.no + 1) << 16) \
        LEFT JOIN bookings b ON b.no = e.booking_no WHERE t.place >= ($1::bigint >> 16) AND t.place <= ($2::bigint >> 16) \
        AND ((t.place << 16) | (e.no & 65535)) > $1 AND ((t.place << 16) | (e.no & 65535)) <= $2 AND e.booking_no IS NOT NULL \
        AND (b.no IS NULL OR strpos(b.event_nos || ',', ',' || e.no || ',') = 0) ORDER BY e.booking_no LIMIT $3::bigint";
    KEY_COUNT = "SELECT count(*) FROM idempotency";
    KEYS_WITHOUT_ANSWER = "SELECT replace(i.key::text, '-', '') FROM idempotency i LEFT JOIN bookings b ON b.no = i.booking_no \
        WHERE (i.booking_no IS NOT NULL AND (b.no IS NULL OR i.version IS NULL OR i.version NOT BETWEEN 1 AND b.version)) \
        OR (i.listing_id IS NOT NULL AND i.listing_id NOT IN (SELECT id FROM listings)) \
        OR (i.key_id IS NOT NULL AND i.key_id NOT IN (SELECT id FROM api_keys)) \
        OR (i.entry_id IS NOT NULL AND i.entry_id NOT IN (SELECT id FROM waitlist)) ORDER BY i.at LIMIT $1::bigint";
    KEYS = "SELECT id, role, name, hash, created_at FROM api_keys WHERE revoked_at IS NULL ORDER BY id";
    META = "SELECT value FROM meta WHERE key = $1";
    NUMBERS = "SELECT state, count(*), sum(total)::bigint, sum(paid)::bigint, sum(refund_due)::bigint, sum(refunded)::bigint \
        FROM bookings WHERE listing_no = $1 GROUP BY state";

    HAS_UNPLACED = "SELECT 1 FROM batches WHERE place IS NULL LIMIT 1";
    /// What was committed after a place of the log, in its order, and then what has no place yet.
    FOLLOW = "(SELECT t.place, t.no, t.node, t.listings, t.edited, t.keys, t.bookings, t.id FROM batches t \
            WHERE t.place >= $1 ORDER BY t.place LIMIT $2::bigint) UNION ALL \
        (SELECT t.place, t.no, t.node, t.listings, t.edited, t.keys, t.bookings, t.id FROM batches t \
            WHERE t.place IS NULL ORDER BY t.no LIMIT $2::bigint)";
    LAST_PLACE = "SELECT place FROM event_log";
    /// Bookings that batches changed and that were there before. One batch after the other: the planner does not know how
    /// few events a batch has.
    BOOKINGS_OF_BATCHES = "SELECT DISTINCT b.id FROM unnest($1::bigint[]) AS t (no), LATERAL ( \
            SELECT booking_no FROM events WHERE no >= (t.no << 16) AND no < ((t.no + 1) << 16) AND seq > 1 OFFSET 0) e, \
        LATERAL (SELECT id FROM bookings WHERE no = e.booking_no OFFSET 0) b";
    /// Claims a batch's id for good: who finds it taken knows that the batch was committed.
    CLAIM_BATCH = "INSERT INTO batches (no, id, node, listings, edited, keys, bookings) \
        VALUES (nextval('batch_numbers'), $1, 0, '{}'::bigint[], '{}'::bigint[], false, false) ON CONFLICT (id) DO NOTHING";
    /// Whether the row under a batch's id is the batch's own, and no claim.
    IS_BATCH = "SELECT node <> 0 FROM batches WHERE id = $1";
}

/// Gives each committed batch without a place the next one. The lock makes sure that places become visible in their
/// order; each statement sees what was committed before it began.
pub(crate) const PLACE: &str = "BEGIN; SELECT place FROM event_log FOR UPDATE; \
    UPDATE batches t SET place = s.place FROM (SELECT no, (SELECT place FROM event_log) + row_number() OVER (ORDER BY no) AS place \
        FROM batches WHERE place IS NULL) s WHERE t.no = s.no; \
    UPDATE event_log SET place = greatest(place, (SELECT coalesce(max(place), 0) FROM batches)); COMMIT";

#[cfg(test)]
mod tests {
    use lastseat_scratch::Postgres;

    use crate::connection::Purpose;
    use crate::store::{OpenMode, PgStore};

    #[test]
    fn every_statement_can_be_prepared_on_a_migrated_database() {
        let server = Postgres::start().unwrap();
        let url = server.create_database("statements").unwrap();
        let store = PgStore::open(url.parse().unwrap(), OpenMode::Serve, 1).unwrap();
        let prepared = store.chore(|connection| {
            super::LANE.iter().chain(super::OTHERS).try_for_each(|sql| connection.statement(sql).map(drop))
        });
        prepared.unwrap();
    }

    /// What a plan is when tables are as they were left, with the settings of lanes; numbers and arrays are given.
    fn plan(server: &Postgres, sql: &str) -> Vec<String> {
        let array = |kind: &str| {
            format!("ARRAY[{}]::{kind}[]", if kind == "uuid" { "gen_random_uuid()" } else { "'1'" })
        };
        let sql = (1..=6).fold(sql.to_owned(), |sql, number| {
            let typed = ["bigint", "uuid", "text"]
                .iter()
                .fold(sql, |sql, kind| sql.replace(&format!("${number}::{kind}[]"), &array(kind)));
            typed.replace(&format!("${number}"), "1")
        });
        let settings = Purpose::Lane.settings();
        let lines = server.sql("plans", &format!("{settings}; EXPLAIN {sql}")).unwrap();
        lines.into_iter().filter_map(|mut line| line.swap_remove(0)).collect()
    }

    /// Plans are made when tables are empty and kept for good, so they have to suit large ones from the beginning.
    #[test]
    fn what_is_asked_of_long_lists_stops_at_what_was_asked_for() {
        let server = Postgres::start().unwrap();
        let url = server.create_database("plans").unwrap();
        PgStore::open(url.parse().unwrap(), OpenMode::Serve, 1).unwrap();
        for (sql, index) in [
            (super::LAST_ENTRY, "Index Only Scan Backward using waitlist_pkey"),
            (super::LIST_NUMBERS, "Index Only Scan Backward using waitlist_pkey"),
            (super::LAST_BOOKING, "Index Only Scan Backward using bookings_by_listing"),
            (super::NEWEST_ENTRIES, "Index Scan Backward using waitlist_by_customer"),
            (super::WAITING, "Index Scan using waitlist_waiting_pkey"),
            (super::DUE_ENTRIES, "Index Scan using waitlist_waiting_by_due_at"),
        ] {
            let plan = plan(&server, sql);
            let limit = plan.iter().position(|line| line.contains("Limit")).expect(sql);
            let stops = plan[limit..].iter().all(|line| !line.contains("Sort"));
            assert!(stops && plan[limit..].iter().any(|line| line.contains(index)), "{plan:#?}");
        }
    }

    /// Neither when tables are new, nor when a night has emptied them and lists are short.
    #[test]
    fn rows_are_found_one_by_one_whatever_was_there_when_the_plan_was_made() {
        let server = Postgres::start().unwrap();
        let url = server.create_database("plans").unwrap();
        PgStore::open(url.parse().unwrap(), OpenMode::Serve, 1).unwrap();
        let short = "INSERT INTO waitlist (listing_no, no, id, state, group_no, first, last, least, want, customer, \
            created_at, joined_behind, skipped) SELECT n / 5, n, gen_random_uuid(), 'left', 0, 0, 0, 1, '', '', 0, 0, 0 \
            FROM generate_series(1, 5000) n";
        for before in ["SELECT", short, "VACUUM ANALYZE"] {
            server.sql("plans", before).unwrap();
            for sql in [
                super::KEEPERS,
                super::WAITING,
                super::DUE_ENTRIES,
                super::DELETE_WAITING,
                super::DELETE_HOLDS,
                super::DELETE_CUSTOMER_HOLDS,
            ] {
                let plan = plan(&server, sql);
                let filters = |line: &String| line.contains("Join Filter") || line.contains("Filter: (no");
                assert!(!plan.iter().any(filters), "after {before}: {plan:#?}");
            }
        }
    }
}
