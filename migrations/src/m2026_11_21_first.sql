-- The first schema. Times are milliseconds since 1970 (UTC). Lists are JSON texts that only postkamer reads; the
-- database never looks inside them, but for one CHECK. No UNIQUE stands on an address, a subject or a file name,
-- because databases print the value of a violated key into their logs.

-- The installation's secret: one row.
CREATE TABLE secret (
  id {id} CHECK (id = 1),
  value {bytes} NOT NULL CHECK (length(value) = 32)
);

-- The last number given out of each kind. Numbers are drawn in booking transactions, which are serial.
CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL CHECK (value >= 0)
);

-- Which daemon holds a mailbox (PostgreSQL; on SQLite a file lock does). The epoch grows by one with each take-over.
CREATE TABLE lease (
  mailbox TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL CHECK (epoch > 0),
  expires_at BIGINT NOT NULL
);

-- Mails that lie in a mailbox, were taken in hand, and have no result yet (T0).
CREATE TABLE arrival (
  mailbox TEXT NOT NULL,
  validity BIGINT NOT NULL CHECK (validity > 0),
  uid BIGINT NOT NULL CHECK (uid > 0),
  state TEXT NOT NULL CHECK (state IN ('in-hand', 'alone-in-hand', 'waiting', 'deferred', 'stuck')),
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  attempts_alone BIGINT NOT NULL CHECK (attempts_alone >= 0 AND attempts_alone <= attempts),
  since BIGINT NOT NULL,
  reason TEXT,
  PRIMARY KEY (mailbox, validity, uid)
);

CREATE TABLE ticket (
  id {id} CHECK (id > 0),
  desk TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'queued', 'closed')),
  closed_from TEXT CHECK (closed_from IN ('open', 'queued')),
  close_cause TEXT CHECK (close_cause IN ('agent', 'refused', 'identity-refused')),
  kind TEXT NOT NULL CHECK (kind IN ('incident', 'change')),
  urgent BOOLEAN NOT NULL,
  organisation TEXT,
  language TEXT NOT NULL,
  reasons TEXT NOT NULL,
  cc TEXT NOT NULL,
  cc_absent BOOLEAN NOT NULL,
  duty_called BOOLEAN NOT NULL,
  continues BIGINT REFERENCES ticket (id) CHECK (continues <> id),
  requester TEXT,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT,
  CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((status = 'closed') = (closed_from IS NOT NULL)),
  CHECK ((status = 'closed') = (close_cause IS NOT NULL))
);
CREATE INDEX ticket_by_status ON ticket (status, id);
CREATE INDEX ticket_duty_calls ON ticket (desk, opened_at) WHERE duty_called;

-- One row for each mail with a result. `digest_first` is set on the first mail with a digest: of two equal mails only
-- one can make an entry. Only verdicts that speak of withheld data may have a mail deleted.
CREATE TABLE mail (
  id {id},
  mailbox TEXT NOT NULL,
  validity BIGINT NOT NULL CHECK (validity > 0),
  uid BIGINT NOT NULL CHECK (uid > 0),
  digest TEXT NOT NULL,
  digest_first TEXT UNIQUE CHECK (digest_first = digest),
  desk TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('open', 'queue', 'append', 'reject', 'ignore')),
  reasons TEXT NOT NULL CHECK (reasons <> '[]'),
  kind TEXT NOT NULL,
  authentic TEXT NOT NULL CHECK (authentic IN ('pass', 'fail', 'none')),
  sender_kind TEXT NOT NULL,
  sender_key TEXT,
  organisation TEXT,
  ticket_id BIGINT REFERENCES ticket (id),
  booked_at BIGINT NOT NULL,
  server_action TEXT NOT NULL CHECK (server_action IN ('file', 'delete', 'keep')),
  action_state TEXT NOT NULL CHECK (action_state IN ('none', 'due', 'done', 'moot')),
  action_attempts BIGINT NOT NULL,
  action_due_at BIGINT NOT NULL,
  UNIQUE (mailbox, validity, uid),
  CHECK ((server_action = 'keep') = (action_state = 'none')),
  CHECK (server_action <> 'delete' OR reasons LIKE '%"citizen-data-in-%' OR reasons LIKE '%"attachment-unreadable"%'),
  CHECK ((outcome IN ('open', 'queue', 'append')) = (ticket_id IS NOT NULL) OR outcome = 'ignore')
);
CREATE INDEX mail_by_digest ON mail (digest);
CREATE INDEX mail_by_sender ON mail (sender_key, booked_at);
CREATE INDEX mail_by_organisation ON mail (organisation, booked_at);
CREATE INDEX mail_by_desk ON mail (desk, authentic, booked_at);
CREATE INDEX mail_actions_due ON mail (mailbox, action_due_at) WHERE action_state = 'due';

-- Who takes part in a ticket: authors of its first mail and of appended ones.
CREATE TABLE participant (
  ticket_id BIGINT NOT NULL REFERENCES ticket (id),
  address TEXT NOT NULL,
  PRIMARY KEY (ticket_id, address)
);

-- What happened on a ticket. Only entries of kind 'mail' carry a customer's words.
CREATE TABLE entry (
  id {id},
  ticket_id BIGINT NOT NULL REFERENCES ticket (id),
  kind TEXT NOT NULL CHECK (kind IN ('mail', 'note', 'automatic-reply', 'undeliverable', 'closed', 'reopened', 'released', 'refused')),
  at BIGINT NOT NULL,
  author TEXT,
  author_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  written TEXT NOT NULL,
  quoted TEXT NOT NULL,
  message_id TEXT,
  digest TEXT UNIQUE,
  agent TEXT,
  mail_id BIGINT UNIQUE REFERENCES mail (id),
  outbox_id BIGINT,
  CHECK ((kind = 'mail') = (digest IS NOT NULL)),
  CHECK (kind <> 'mail' OR mail_id IS NOT NULL)
);
CREATE INDEX entry_by_ticket ON entry (ticket_id, id);

-- Stored attachments: the bytes lie in a file named by their SHA-256.
CREATE TABLE attachment (
  entry_id BIGINT NOT NULL REFERENCES entry (id),
  position BIGINT NOT NULL CHECK (position >= 0),
  name TEXT,
  media_type TEXT NOT NULL,
  format TEXT NOT NULL,
  inline BOOLEAN NOT NULL,
  size BIGINT NOT NULL CHECK (size >= 0),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  PRIMARY KEY (entry_id, position)
);
CREATE INDEX attachment_by_content ON attachment (sha256);

-- Attachments that were not stored: no name, no bytes, no digest.
CREATE TABLE withheld (
  mail_id BIGINT NOT NULL REFERENCES mail (id),
  position BIGINT NOT NULL CHECK (position >= 0),
  format TEXT NOT NULL,
  size_class TEXT NOT NULL,
  why TEXT NOT NULL CHECK (why IN ('citizen-data', 'unreadable')),
  kinds TEXT NOT NULL,
  PRIMARY KEY (mail_id, position)
);

-- Replies, with their final bytes. `remaining` holds those to whom it must still go. A mail gets a letter once.
CREATE TABLE outbox (
  id {id} CHECK (id > 0),
  template TEXT NOT NULL,
  ticket_id BIGINT REFERENCES ticket (id),
  mail_id BIGINT REFERENCES mail (id),
  message_id TEXT NOT NULL UNIQUE,
  to_address TEXT NOT NULL,
  cc TEXT NOT NULL,
  remaining TEXT NOT NULL,
  envelope_from TEXT,
  recipient_key TEXT NOT NULL,
  organisation TEXT,
  message {bytes} NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('due', 'claimed', 'sent', 'dead')),
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  unclear BIGINT NOT NULL CHECK (unclear >= 0),
  due_at BIGINT NOT NULL,
  claimed_by TEXT,
  claimed_at BIGINT,
  last_code TEXT,
  created_at BIGINT NOT NULL,
  settled_at BIGINT,
  undeliverable_at BIGINT,
  UNIQUE (mail_id, template),
  CHECK ((state = 'claimed') = (claimed_by IS NOT NULL)),
  CHECK ((state = 'claimed') = (claimed_at IS NOT NULL)),
  CHECK ((state IN ('sent', 'dead')) = (settled_at IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state IN ('due', 'claimed');
CREATE INDEX outbox_by_recipient ON outbox (recipient_key, created_at);
CREATE INDEX outbox_by_organisation ON outbox (organisation, created_at);
CREATE INDEX outbox_by_ticket ON outbox (ticket_id);

-- Questions to listed contacts whether a mail was theirs.
CREATE TABLE identity_check (
  id {id},
  ticket_id BIGINT NOT NULL REFERENCES ticket (id),
  contact TEXT NOT NULL,
  outbox_id BIGINT UNIQUE REFERENCES outbox (id),
  expires_at BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'refused'))
);

-- People whose mail is not stored because they objected; keyed digests of their addresses.
CREATE TABLE objection (
  person TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL
);

-- Every decision: codes, counts and keyed digests, each row chained to the one before it.
CREATE TABLE audit (
  seq {id} CHECK (seq > 0),
  at BIGINT NOT NULL,
  payload TEXT NOT NULL,
  prev_hash TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE
);
