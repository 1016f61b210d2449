-- Who still waits stands in a narrow table, by which they are found; a row of it is deleted when its entry is offered
-- something or ends. The entry's own row has no index on anything that changes, and room for its next version beside it:
-- so no index is touched then. This was 14 of the 60 microseconds that an offer took.
DROP INDEX waitlist_waiting;
DROP INDEX waitlist_by_due_at;
DROP INDEX waitlist_kept;
ALTER TABLE waitlist SET (fillfactor = 45);

-- `keeps`: whether something is kept for the entry.
CREATE TABLE waitlist_waiting (
    listing_no bigint  NOT NULL,
    group_no   bigint  NOT NULL,
    no         bigint  NOT NULL,
    least      bigint  NOT NULL,
    first      bigint  NOT NULL,
    last       bigint  NOT NULL,
    due_at     bigint,
    keeps      boolean NOT NULL,
    PRIMARY KEY (listing_no, group_no, no)
);
INSERT INTO waitlist_waiting (listing_no, group_no, no, least, first, last, due_at, keeps)
    SELECT listing_no, group_no, no, least, first, last, due_at, kept IS NOT NULL FROM waitlist WHERE state = 'waiting';
CREATE INDEX waitlist_waiting_by_due_at ON waitlist_waiting (due_at, no) WHERE due_at IS NOT NULL;
CREATE INDEX waitlist_waiting_keeps ON waitlist_waiting (listing_no, no) WHERE keeps;
