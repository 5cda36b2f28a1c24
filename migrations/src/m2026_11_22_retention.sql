-- What must be known to forget in time.

-- How to find a filed mail's original again: when it arrived and how large it is, as the server says; and what became of
-- it: `due` is to be expunged, `gone` was looked for after that and is not there, `absent` was not to be found.
ALTER TABLE mail ADD COLUMN received_at BIGINT;
ALTER TABLE mail ADD COLUMN size BIGINT;
ALTER TABLE mail ADD COLUMN filed_at BIGINT;
ALTER TABLE mail ADD COLUMN original TEXT CHECK (original IN ('due', 'gone', 'absent'));
UPDATE mail SET filed_at = booked_at WHERE server_action = 'file' AND action_state = 'done';
CREATE INDEX mail_originals ON mail (filed_at) WHERE filed_at IS NOT NULL AND original IS NULL;
CREATE INDEX mail_originals_due ON mail (mailbox) WHERE original = 'due';

-- When all that people wrote on a ticket was removed; what is left of it says only that there was one.
ALTER TABLE ticket ADD COLUMN emptied_at BIGINT;

-- Legal holds: what is named here is not removed, whatever its term.
CREATE TABLE hold_ticket (
  ticket_id BIGINT NOT NULL PRIMARY KEY REFERENCES ticket (id),
  since BIGINT NOT NULL,
  reason TEXT NOT NULL
);
CREATE TABLE hold_organisation (
  organisation TEXT NOT NULL PRIMARY KEY,
  since BIGINT NOT NULL,
  reason TEXT NOT NULL
);

-- What the daemon does once a day, and the day (by the desk's calendar) on which it was last done to its end.
CREATE TABLE chore (
  name TEXT NOT NULL PRIMARY KEY,
  done_on TEXT NOT NULL
);

-- Which change an incident waits for.
CREATE TABLE link (
  ticket_id BIGINT NOT NULL REFERENCES ticket (id),
  change_id BIGINT NOT NULL REFERENCES ticket (id) CHECK (change_id <> ticket_id),
  PRIMARY KEY (ticket_id, change_id)
);
CREATE INDEX link_by_change ON link (change_id);
