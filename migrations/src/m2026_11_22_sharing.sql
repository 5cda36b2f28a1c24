-- Daemons that share a PostgreSQL ask each other for mailboxes: who wants this one next.
ALTER TABLE lease ADD COLUMN wanted_by TEXT;
