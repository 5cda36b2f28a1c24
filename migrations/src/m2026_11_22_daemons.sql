-- How each daemon that is at work finds things, so that `status` can tell: codes, counts and names of desks, as JSON.
CREATE TABLE daemon (
  instance TEXT NOT NULL PRIMARY KEY,
  seen_at BIGINT NOT NULL,
  report TEXT NOT NULL
);
