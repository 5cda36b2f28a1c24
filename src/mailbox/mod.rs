//! Where mail comes from: IMAP and Maildir.
