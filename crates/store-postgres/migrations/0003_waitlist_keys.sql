-- From where somebody joined a waitlist, where holds per address are limited: a place in line counts as a hold.
ALTER TABLE waitlist ADD COLUMN address text;

-- Customers are found by a digest of their identity, SHA-256 cut to 128 bits: short, and of one length. It stands there
-- whatever becomes of the entry.
ALTER TABLE waitlist ADD COLUMN customer_digest uuid;
UPDATE waitlist SET customer_digest = encode(substring(sha256(convert_to(identity, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
    WHERE identity IS NOT NULL;
DROP INDEX waitlist_by_identity;
DROP INDEX waitlist_offered;
ALTER TABLE waitlist DROP COLUMN identity;
CREATE INDEX waitlist_by_customer ON waitlist (listing_no, customer_digest, no) WHERE customer_digest IS NOT NULL;
