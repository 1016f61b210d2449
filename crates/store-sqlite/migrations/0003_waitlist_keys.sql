-- From where somebody joined a waitlist, where holds per address are limited: a place in line counts as a hold.
ALTER TABLE waitlist ADD COLUMN address TEXT;

-- Customers are found by a digest of their identity, SHA-256 cut to 128 bits: short, and of one length. It stands there
-- whatever becomes of the entry, so that nothing of the index moves when it changes. The program fills it in.
DROP INDEX waitlist_by_identity;
DROP INDEX waitlist_offered;
ALTER TABLE waitlist ADD COLUMN customer_digest BLOB CHECK (customer_digest IS NULL OR length(customer_digest) = 16);
CREATE INDEX waitlist_by_customer ON waitlist (listing_no, customer_digest, no) WHERE customer_digest IS NOT NULL;
