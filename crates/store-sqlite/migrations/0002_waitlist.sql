-- The waitlist: who waits, and what is kept for them.

ALTER TABLE pools ADD COLUMN kept INTEGER NOT NULL DEFAULT 0
    CONSTRAINT no_oversell_of_kept CHECK (kept >= 0 AND held + confirmed + blocked + kept <= capacity);

-- How many wait.
ALTER TABLE inventory ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0);

ALTER TABLE idempotency ADD COLUMN entry_id BLOB;

-- In the order of joining. `group_no` is -1 where pools of several groups are wanted, or any; otherwise the pools lie
-- from `first` to `last` in their group. Less than `least` free units of a pool are of no use.
CREATE TABLE waitlist (
    listing_no    INTEGER NOT NULL,
    no            INTEGER NOT NULL,
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    state         TEXT    NOT NULL CHECK (state = 'waiting' OR state = 'offered' OR state = 'left' OR state = 'closed'),
    group_no      INTEGER NOT NULL,
    first         INTEGER NOT NULL,
    last          INTEGER NOT NULL,
    least         INTEGER NOT NULL CHECK (least > 0),
    want          TEXT    NOT NULL,
    customer      TEXT    NOT NULL,
    identity      TEXT,
    created_at    INTEGER NOT NULL,
    created_by    BLOB,
    until         INTEGER,
    due_at        INTEGER,
    joined_behind INTEGER NOT NULL,
    skipped       INTEGER NOT NULL CHECK (skipped >= 0),
    kept          TEXT,
    booking_no    INTEGER,
    ended         TEXT,
    PRIMARY KEY (listing_no, no),
    CONSTRAINT offered_a_booking CHECK ((state = 'offered') = (booking_no IS NOT NULL)),
    CONSTRAINT kept_for_who_waits CHECK (kept IS NULL OR state = 'waiting')
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX waitlist_by_id ON waitlist (id);
CREATE INDEX waitlist_waiting ON waitlist (listing_no, group_no, no, least, first, last) WHERE state = 'waiting';
-- A customer waits once.
CREATE UNIQUE INDEX waitlist_by_identity ON waitlist (listing_no, identity) WHERE state = 'waiting' AND identity IS NOT NULL;
CREATE INDEX waitlist_offered ON waitlist (listing_no, identity) WHERE state = 'offered' AND identity IS NOT NULL;
CREATE INDEX waitlist_by_due_at ON waitlist (due_at, listing_no, no) WHERE due_at IS NOT NULL;
CREATE INDEX waitlist_kept ON waitlist (listing_no, no) WHERE kept IS NOT NULL;

-- How many wait by group, so that who joins a long list need not be counted through.
CREATE TABLE waitlist_counts (
    listing_no INTEGER NOT NULL,
    group_no   INTEGER NOT NULL,
    waiting    INTEGER NOT NULL CHECK (waiting >= 0),
    PRIMARY KEY (listing_no, group_no)
) STRICT, WITHOUT ROWID;
