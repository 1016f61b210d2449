-- The same tables as in the embedded store, in the terms of PostgreSQL. Instants are milliseconds since
-- 1970-01-01T00:00:00Z; money is in minor units; 16 bytes (ids, keys, digests) are kept as uuid, the one type of that
-- length. Pools are numbered group * 2^32 + position.

CREATE TABLE meta (
    key   text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE SEQUENCE booking_numbers AS bigint;
CREATE SEQUENCE listing_numbers AS bigint;
CREATE SEQUENCE batch_numbers AS bigint;

CREATE TABLE listings (
    no         bigint PRIMARY KEY,
    id         uuid   NOT NULL UNIQUE,
    version    bigint NOT NULL,
    created_at bigint NOT NULL,
    doc        text   NOT NULL,
    -- Bookings up to `renew_through` may carry a due_at of before the last edit; `renewed` is how far that
    -- has been put right.
    renew_through bigint,
    renewed       bigint
);
CREATE INDEX listings_to_renew ON listings (no) WHERE renew_through IS NOT NULL;

CREATE TABLE plans (
    listing_no bigint PRIMARY KEY,
    plan       text NOT NULL
);

CREATE TABLE groups (
    listing_no bigint NOT NULL,
    group_no   bigint NOT NULL,
    key        text   NOT NULL,
    title      text   NOT NULL,
    capacity   bigint NOT NULL,
    price      bigint NOT NULL,
    seat       text,
    PRIMARY KEY (listing_no, group_no)
);

-- One narrow row per listing: whoever changes anything that belongs to a listing locks it first. It counts changes of
-- the listing's pools, and says which edition of its document and prices is in force: another number with each edit. Half of each page stays empty, so that the
-- row's next version finds room beside it and no index has to be touched.
CREATE TABLE inventory (
    listing_no bigint PRIMARY KEY,
    listing_id uuid   NOT NULL UNIQUE,
    version    bigint NOT NULL,
    edition    bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE pools (
    listing_no bigint NOT NULL,
    pool_no    bigint NOT NULL,
    capacity   bigint NOT NULL CHECK (capacity >= 0),
    blocked    bigint NOT NULL CHECK (blocked >= 0),
    held       bigint NOT NULL CHECK (held >= 0),
    confirmed  bigint NOT NULL CHECK (confirmed >= 0),
    price      bigint NOT NULL CHECK (price >= 0),
    PRIMARY KEY (listing_no, pool_no),
    CONSTRAINT no_oversell CHECK (held + confirmed + blocked <= capacity)
) WITH (fillfactor = 50);

CREATE TABLE bookings (
    no          bigint  PRIMARY KEY,
    id          uuid    NOT NULL,
    listing_no  bigint  NOT NULL,
    policy_no   bigint  NOT NULL,
    version     bigint  NOT NULL,
    events      bigint  NOT NULL,
    state       text    NOT NULL CHECK (state = 'held' OR state = 'confirmed' OR state = 'expired' OR
        state = 'completed' OR state = 'in_review' OR state = 'cancelled' OR state = 'rejected'),
    lines       text    NOT NULL,
    total       bigint  NOT NULL CHECK (total >= 0),
    paid        bigint  NOT NULL CHECK (paid >= 0),
    refund_due  bigint  NOT NULL CHECK (refund_due >= 0),
    refunded    bigint  NOT NULL CHECK (refunded >= 0),
    deadline    bigint,
    due_at      bigint,
    created_at  bigint  NOT NULL,
    customer    text    NOT NULL,
    address     text,
    note        text,
    reason      text,
    decided_by  text,
    decided_at  bigint,
    created_by  uuid,
    details     text,
    -- The numbers of its events, each with a comma before it: cheaper than an index on all events.
    event_nos   text    NOT NULL,
    CONSTRAINT money_is_conserved CHECK (refund_due + refunded <= paid)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX bookings_by_id ON bookings (id);
CREATE INDEX bookings_by_listing ON bookings (listing_no, no);
CREATE INDEX bookings_by_due_at ON bookings (due_at, no) WHERE due_at IS NOT NULL;
CREATE INDEX bookings_in_review ON bookings (no) WHERE state = 'in_review';

-- What each booking in `held` or `in_review` occupies, by group and deadline: how the overdue holds of a
-- pool are found without looking at any other.
CREATE TABLE holds (
    listing_no bigint NOT NULL,
    group_no   bigint NOT NULL,
    due_at     bigint NOT NULL,
    booking_no bigint NOT NULL,
    first      bigint NOT NULL,
    last       bigint NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (listing_no, group_no, due_at, booking_no, first)
);

-- What a customer has in a listing that limits it, and an address in all listings (listing_no 0).
CREATE TABLE customers (
    listing_no bigint NOT NULL,
    identity   text   NOT NULL,
    units      bigint NOT NULL CHECK (units >= 0),
    open_holds bigint NOT NULL CHECK (open_holds >= 0),
    PRIMARY KEY (listing_no, identity)
) WITH (fillfactor = 80);

CREATE TABLE customer_holds (
    listing_no bigint NOT NULL,
    identity   text   NOT NULL,
    due_at     bigint NOT NULL,
    booking_no bigint NOT NULL,
    PRIMARY KEY (listing_no, identity, due_at, booking_no)
);

-- One row per transaction of a node, under the random id by which its outcome is settled when a connection dies around
-- its commit. `place` is its place in the event log: given after the commit, under the lock of `event_log`, so that no
-- place is ever given before one that somebody has read past. A batch without a place is not in the log yet.
CREATE TABLE batches (
    no       bigint PRIMARY KEY,
    id       uuid   NOT NULL UNIQUE,
    -- Which life of which node; 0 where the row only claims an id, so that no transaction can commit under it any more.
    node     bigint NOT NULL,
    -- Listings whose pools it changed or that its events speak of, those that are new or edited, whether API keys
    -- changed, and whether bookings did that were there before: what other nodes have to know.
    listings bigint[] NOT NULL,
    edited   bigint[] NOT NULL,
    keys     boolean  NOT NULL,
    bookings boolean  NOT NULL,
    place    bigint
);
CREATE UNIQUE INDEX batches_by_place ON batches (place) WHERE place IS NOT NULL;
CREATE INDEX batches_without_place ON batches (no) WHERE place IS NULL;

-- Its one row is the lock, and holds the last place that was given.
CREATE TABLE event_log (
    place bigint NOT NULL
);
INSERT INTO event_log (place) VALUES (0);

-- The number is that of the batch * 2^16 + the event's place in it.
CREATE TABLE events (
    no         bigint PRIMARY KEY,
    at         bigint NOT NULL,
    kind       text   NOT NULL,
    listing_no bigint NOT NULL,
    booking_no bigint,
    seq        bigint NOT NULL,
    version    bigint NOT NULL,
    actor      text   NOT NULL,
    data       text   NOT NULL
);

-- Digests only. The key is unique across nodes: the second of two that decide the same finds it taken. A row is
-- forgotten a day after it was written.
CREATE TABLE idempotency (
    key         uuid   PRIMARY KEY,
    fingerprint uuid   NOT NULL,
    at          bigint NOT NULL,
    booking_no  bigint,
    version     bigint,
    listing_id  uuid,
    key_id      uuid
);
CREATE INDEX idempotency_by_at ON idempotency (at);

CREATE TABLE imports (
    external_id text   PRIMARY KEY,
    booking_no  bigint NOT NULL
);

CREATE TABLE api_keys (
    id         uuid   PRIMARY KEY,
    role       text   NOT NULL CHECK (role IN ('admin', 'operator', 'integrator')),
    name       text   NOT NULL,
    hash       bytea  NOT NULL CHECK (length(hash) = 32),
    created_at bigint NOT NULL,
    revoked_at bigint
);
-- A secret that was revoked may come into force again: one that is configured, taken back and configured anew.
CREATE UNIQUE INDEX api_keys_in_force ON api_keys (hash) WHERE revoked_at IS NULL;

-- Receipts, where no other store for files is configured.
CREATE TABLE files (
    key        text   PRIMARY KEY,
    created_at bigint NOT NULL,
    body       bytea  NOT NULL
);
