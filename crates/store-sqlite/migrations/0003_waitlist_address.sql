-- From where somebody joined a waitlist, where holds per address are limited: a place in line counts as a hold.

ALTER TABLE waitlist ADD COLUMN address TEXT;
