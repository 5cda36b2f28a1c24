-- A change of a list of contacts is booked before the organisation's file is written, and settled after it. `agent` is who plans it.
ALTER TABLE contact_change ADD COLUMN state TEXT NOT NULL DEFAULT 'done' CHECK (state IN ('planned', 'done', 'withdrawn'));
ALTER TABLE contact_change ADD COLUMN agent TEXT;

-- People who are to be erased and of whom a legal hold keeps something: what to erase when the hold ends, as JSON.
CREATE TABLE erasure_due (
  person TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  agent TEXT NOT NULL,
  request TEXT NOT NULL
);
