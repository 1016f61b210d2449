-- What a web application that books with a classical strategy keeps. There are no foreign keys: those to the pool would
-- take a lock on its row with every booking, which the strategies would have to wait for.

-- One row, narrow and with room on its page, so that its updates need no change of an index.
CREATE TABLE pools (
    id bigint PRIMARY KEY,
    capacity bigint NOT NULL,
    taken bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE bookings (
    id uuid PRIMARY KEY,
    state text NOT NULL,
    customer_name text NOT NULL,
    customer_email text NOT NULL,
    total bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL
);

CREATE TABLE booking_lines (
    booking_id uuid NOT NULL,
    pool_id bigint NOT NULL,
    quantity bigint NOT NULL,
    price bigint NOT NULL,
    PRIMARY KEY (booking_id, pool_id)
);

CREATE TABLE booking_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    data jsonb NOT NULL
);

CREATE TABLE idempotency_keys (
    key uuid PRIMARY KEY,
    fingerprint bytea NOT NULL,
    booking_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- For skip-locked: a row per place. The others leave it empty.
CREATE TABLE units (
    no bigint PRIMARY KEY,
    pool_id bigint NOT NULL,
    booking_id uuid
);
CREATE INDEX units_free ON units (pool_id, no) WHERE booking_id IS NULL;
