-- The audit record names nobody, cannot be changed unseen, and cannot be cut off unseen.

-- Names stand in the record as digests that only a month's key can make. With the key goes whatever tied them to anybody;
-- the chain of hashes still holds.
CREATE TABLE audit_key (
  month TEXT NOT NULL PRIMARY KEY CHECK (length(month) = 7),
  value {bytes} NOT NULL CHECK (length(value) = 32)
);

-- The agents behind digests of that month, so that the record can be read; they go with the key.
CREATE TABLE audit_name (
  month TEXT NOT NULL REFERENCES audit_key (month),
  digest TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (month, digest)
);

-- Where the record ends: one row.
CREATE TABLE audit_head (
  id {id} CHECK (id = 1),
  seq BIGINT NOT NULL CHECK (seq >= 0),
  hash TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, hash) SELECT 1, COALESCE(MAX(seq), 0), COALESCE(
  (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1),
  '0000000000000000000000000000000000000000000000000000000000000000') FROM audit;

{append-only audit}
