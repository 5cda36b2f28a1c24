-- Up to which refused mail an organisation's privacy contact was told, and when.
CREATE TABLE privacy_notice (
  organisation TEXT NOT NULL PRIMARY KEY,
  mail_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX mail_refused ON mail (organisation, id) WHERE outcome = 'reject';
