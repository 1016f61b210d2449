-- Instants are milliseconds since 1970-01-01T00:00:00Z; money is in minor units; public ids are the 16 bytes
-- of a UUIDv7, so that their indexes grow at one end only. Pools are numbered group * 2^32 + position.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE listings (
    no         INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    doc        TEXT    NOT NULL,
    -- Bookings up to `renew_through` may carry a due_at of before the last edit; `renewed` is how far that
    -- has been put right.
    renew_through INTEGER,
    renewed       INTEGER
) STRICT;

CREATE TABLE plans (
    listing_no INTEGER PRIMARY KEY REFERENCES listings (no),
    plan       TEXT NOT NULL
) STRICT;

CREATE TABLE groups (
    listing_no INTEGER NOT NULL REFERENCES listings (no),
    group_no   INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    capacity   INTEGER NOT NULL,
    price      INTEGER NOT NULL,
    seat       TEXT,
    PRIMARY KEY (listing_no, group_no)
) STRICT, WITHOUT ROWID;

-- Counts changes of a listing's pools.
CREATE TABLE inventory (
    listing_no INTEGER PRIMARY KEY,
    version    INTEGER NOT NULL
) STRICT;

CREATE TABLE pools (
    listing_no INTEGER NOT NULL,
    pool_no    INTEGER NOT NULL,
    capacity   INTEGER NOT NULL CHECK (capacity >= 0),
    blocked    INTEGER NOT NULL CHECK (blocked >= 0),
    held       INTEGER NOT NULL CHECK (held >= 0),
    confirmed  INTEGER NOT NULL CHECK (confirmed >= 0),
    price      INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (listing_no, pool_no),
    CONSTRAINT no_oversell CHECK (held + confirmed + blocked <= capacity)
) STRICT, WITHOUT ROWID;

CREATE TABLE bookings (
    no          INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    listing_no  INTEGER NOT NULL,
    policy_no   INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    -- Not `IN (...)`: for that SQLite fills a table of its own at every insert.
    state       TEXT    NOT NULL CHECK (state = 'held' OR state = 'confirmed' OR state = 'expired' OR
        state = 'completed' OR state = 'in_review' OR state = 'cancelled' OR state = 'rejected'),
    lines       TEXT    NOT NULL,
    total       INTEGER NOT NULL CHECK (total >= 0),
    paid        INTEGER NOT NULL CHECK (paid >= 0),
    refund_due  INTEGER NOT NULL CHECK (refund_due >= 0),
    refunded    INTEGER NOT NULL CHECK (refunded >= 0),
    deadline    INTEGER,
    due_at      INTEGER,
    created_at  INTEGER NOT NULL,
    customer    TEXT    NOT NULL,
    address     TEXT,
    note        TEXT,
    reason      TEXT,
    decided_by  TEXT,
    decided_at  INTEGER,
    created_by  BLOB,
    details     TEXT,
    -- Where its events stand in the log, each with a comma before it: cheaper than an index on all events.
    event_nos   TEXT    NOT NULL,
    CONSTRAINT money_is_conserved CHECK (refund_due + refunded <= paid)
) STRICT;
CREATE UNIQUE INDEX bookings_by_id ON bookings (id);
CREATE INDEX bookings_by_listing ON bookings (listing_no, no);
CREATE INDEX bookings_by_due_at ON bookings (due_at, no) WHERE due_at IS NOT NULL;
CREATE INDEX bookings_in_review ON bookings (no) WHERE state = 'in_review';

-- What each booking in `held` or `in_review` occupies, by group and deadline: how the overdue holds of a
-- pool are found without looking at any other.
CREATE TABLE holds (
    listing_no INTEGER NOT NULL,
    group_no   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    booking_no INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (listing_no, group_no, due_at, booking_no, first)
) STRICT, WITHOUT ROWID;

-- What a customer has in a listing that limits it, and an address in all listings (listing_no 0).
CREATE TABLE customers (
    listing_no INTEGER NOT NULL,
    identity   TEXT    NOT NULL,
    units      INTEGER NOT NULL CHECK (units >= 0),
    open_holds INTEGER NOT NULL CHECK (open_holds >= 0),
    PRIMARY KEY (listing_no, identity)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_holds (
    listing_no INTEGER NOT NULL,
    identity   TEXT    NOT NULL,
    due_at     INTEGER NOT NULL,
    booking_no INTEGER NOT NULL,
    PRIMARY KEY (listing_no, identity, due_at, booking_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    no         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    listing_no INTEGER NOT NULL,
    booking_no INTEGER,
    seq        INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    data       TEXT    NOT NULL
) STRICT;
CREATE INDEX events_by_listing ON events (listing_no, no);

-- Digests only, in the order in which they were written. No index of the keys: they are random, and each would
-- dirty a page of it. The server that writes has them in memory and sees to it that none stands twice. A row is
-- forgotten a day after it was written.
CREATE TABLE idempotency (
    no          INTEGER PRIMARY KEY,
    key         BLOB    NOT NULL CHECK (length(key) = 16),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 16),
    at          INTEGER NOT NULL,
    booking_no  INTEGER,
    version     INTEGER,
    listing_id  BLOB,
    key_id      BLOB
) STRICT;

CREATE TABLE imports (
    external_id TEXT NOT NULL PRIMARY KEY,
    booking_no  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    role       TEXT    NOT NULL CHECK (role IN ('admin', 'operator', 'integrator')),
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
-- A secret that was revoked may come into force again: one that is configured, taken back and configured anew.
CREATE UNIQUE INDEX api_keys_in_force ON api_keys (hash) WHERE revoked_at IS NULL;
