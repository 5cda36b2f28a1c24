-- What agents do with tickets and people: letters, approvals, the list of contacts, profiles, the portal.

-- A note can say what was done ('reply', 'linked', …); what it means stands with those who write it. When an entry was
-- purged, nothing of its words is left.
ALTER TABLE entry ADD COLUMN deed TEXT CHECK (deed IS NULL OR kind = 'note');
ALTER TABLE entry ADD COLUMN purged_at BIGINT;

-- Answers to requests for approval. `person` is a keyed digest: whoever names somebody can prove that it was them, also
-- when nothing else is kept of that person. `request_digest` is the SHA-256 of the letter that asked.
CREATE TABLE approval (
  id {id},
  ticket_id BIGINT NOT NULL REFERENCES ticket (id),
  request BIGINT NOT NULL,
  request_digest TEXT NOT NULL,
  mail_id BIGINT NOT NULL UNIQUE REFERENCES mail (id),
  mail_digest TEXT NOT NULL,
  person TEXT NOT NULL,
  organisation TEXT,
  answer TEXT NOT NULL CHECK (answer IN ('yes', 'no', 'unclear')),
  counts BOOLEAN NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX approval_by_ticket ON approval (ticket_id, id);

-- Changes to the list of contacts, each with the request that it rests on; people as keyed digests.
CREATE TABLE contact_change (
  id {id},
  at BIGINT NOT NULL,
  organisation TEXT NOT NULL,
  change TEXT NOT NULL CHECK (change IN ('added', 'left')),
  contact_kind TEXT NOT NULL CHECK (contact_kind IN ('general', 'ict')),
  person TEXT NOT NULL,
  basis TEXT NOT NULL CHECK (basis IN ('general-contact', 'own', 'organisation')),
  requested_by TEXT,
  ticket_id BIGINT REFERENCES ticket (id),
  effective TEXT NOT NULL
);

-- What is kept of people who wrote, and of their colleagues in Cc. `person` is a keyed digest of the address.
CREATE TABLE profile (
  person TEXT NOT NULL PRIMARY KEY,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  organisation TEXT,
  phone TEXT,
  mobile TEXT,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL CHECK (made_by IN ('mail', 'cc', 'agent')),
  deactivated_on TEXT
);
CREATE INDEX profile_by_organisation ON profile (organisation);

-- Tickets that have moved from somebody who left to their organisation's general profile.
CREATE TABLE general_profile (
  ticket_id BIGINT NOT NULL PRIMARY KEY REFERENCES ticket (id),
  organisation TEXT,
  since BIGINT NOT NULL
);

-- Tickets whose mails ask for access to the portal.
CREATE TABLE portal_request (
  ticket_id BIGINT NOT NULL PRIMARY KEY REFERENCES ticket (id),
  at BIGINT NOT NULL
);

-- Who was let into the portal, at whose request, and when that ended.
CREATE TABLE portal_access (
  id {id},
  person TEXT NOT NULL,
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  organisation TEXT NOT NULL,
  ticket_id BIGINT REFERENCES ticket (id),
  requested_by TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  ended_at BIGINT,
  ended_why TEXT CHECK (ended_why IN ('left', 'not-listed', 'contract-ended', 'withdrawn')),
  CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE INDEX portal_access_by_person ON portal_access (person);

-- Questions to listed contacts: the reminder that was sent, and that the desk was told of a refusal or of silence.
ALTER TABLE identity_check ADD COLUMN reminder_id BIGINT;
ALTER TABLE identity_check ADD COLUMN told_at BIGINT;

-- When the desk was reminded of a ticket that waits.
CREATE TABLE queue_reminder (
  ticket_id BIGINT NOT NULL PRIMARY KEY REFERENCES ticket (id),
  at BIGINT NOT NULL
);
