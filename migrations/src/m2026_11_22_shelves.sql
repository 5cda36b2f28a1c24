-- Where a mail was filed, so that its original is found again after the settings have changed: the account (the user on a server, or a
-- Maildir's directory) and the folder. Neither is known of mail filed before this change.
ALTER TABLE mail ADD COLUMN filed_in TEXT;
ALTER TABLE mail ADD COLUMN filed_to TEXT;

-- Mails that were offered from outside a mailbox and deferred: nobody comes back for these marks.
DELETE FROM arrival WHERE mailbox = 'deliver' AND state = 'deferred';
