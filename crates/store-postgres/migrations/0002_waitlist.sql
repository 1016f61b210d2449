-- The waitlist: who waits, and what is kept for them. As in the embedded store.

ALTER TABLE pools ADD COLUMN kept bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT no_oversell_of_kept CHECK (kept >= 0 AND held + confirmed + blocked + kept <= capacity);

-- How many wait. Nothing is booked past them on what a lane knows from before.
ALTER TABLE inventory ADD COLUMN waiting bigint NOT NULL DEFAULT 0 CHECK (waiting >= 0);

ALTER TABLE idempotency ADD COLUMN entry_id uuid;

-- In the order of joining. `group_no` is -1 where pools of several groups are wanted, or any; otherwise the pools lie
-- from `first` to `last` in their group. Less than `least` free units of a pool are of no use.
CREATE TABLE waitlist (
    listing_no    bigint NOT NULL,
    no            bigint NOT NULL,
    id            uuid   NOT NULL,
    state         text   NOT NULL CHECK (state = 'waiting' OR state = 'offered' OR state = 'left' OR state = 'closed'),
    group_no      bigint NOT NULL,
    first         bigint NOT NULL,
    last          bigint NOT NULL,
    least         bigint NOT NULL CHECK (least > 0),
    want          text   NOT NULL,
    customer      text   NOT NULL,
    identity      text,
    created_at    bigint NOT NULL,
    created_by    uuid,
    until         bigint,
    due_at        bigint,
    joined_behind bigint NOT NULL,
    skipped       bigint NOT NULL CHECK (skipped >= 0),
    kept          text,
    booking_no    bigint,
    ended         text,
    PRIMARY KEY (listing_no, no),
    CONSTRAINT offered_a_booking CHECK ((state = 'offered') = (booking_no IS NOT NULL)),
    CONSTRAINT kept_for_who_waits CHECK (kept IS NULL OR state = 'waiting')
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX waitlist_by_id ON waitlist (id);
CREATE INDEX waitlist_waiting ON waitlist (listing_no, group_no, no, least, first, last) WHERE state = 'waiting';
-- A customer waits once.
CREATE UNIQUE INDEX waitlist_by_identity ON waitlist (listing_no, identity) WHERE state = 'waiting' AND identity IS NOT NULL;
CREATE INDEX waitlist_offered ON waitlist (listing_no, identity) WHERE state = 'offered' AND identity IS NOT NULL;
CREATE INDEX waitlist_by_due_at ON waitlist (due_at, listing_no, no) WHERE due_at IS NOT NULL;
CREATE INDEX waitlist_kept ON waitlist (listing_no, no) WHERE kept IS NOT NULL;

-- How many wait by group, so that who joins a long list need not be counted through.
CREATE TABLE waitlist_counts (
    listing_no bigint NOT NULL,
    group_no   bigint NOT NULL,
    waiting    bigint NOT NULL CHECK (waiting >= 0),
    PRIMARY KEY (listing_no, group_no)
) WITH (fillfactor = 50);
