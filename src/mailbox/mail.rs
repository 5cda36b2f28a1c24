//! What goes in and out of a mailbox.

use crate::words::{MailUid, Redacted};

/// A mail that lies in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which one.
    pub uid: MailUid,
    /// Its size in bytes, as the server says; some servers only estimate it.
    pub size: u64,
    /// When it arrived, in milliseconds since 1970; 0 when the server gives no readable date.
    pub internal_date: i64,
    /// Somebody marked it as deleted, and it is not yet expunged.
    pub deleted: bool,
}

/// A mail's bytes.
#[derive(Clone, Debug)]
pub struct RawMail {
    /// Which one.
    pub uid: MailUid,
    /// When it arrived, in milliseconds since 1970; 0 when the server gives no readable date.
    pub internal_date: i64,
    /// Its size in bytes, as the server says.
    pub size: u64,
    /// The bytes exactly as fetched.
    pub bytes: Redacted<Vec<u8>>,
    /// True when the mail is above the limit and only its first 256 KiB were fetched.
    pub truncated: bool,
}

impl RawMail {
    /// When it reached the mailbox; where the server gives no readable date, `now`.
    #[must_use]
    pub fn arrived(&self, now: jiff::Timestamp) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.internal_date).ok().filter(|_| self.internal_date > 0).unwrap_or(now)
    }
}

/// What became of a mail that was to be filed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is in the done folder and, looked for again, no longer in this one.
    Filed,
    /// Looked for again, it is no longer in the folder; after `file` with a done folder: not by our doing.
    Gone,
    /// It is still there, after all attempts.
    StillThere,
    /// Its UID belongs to another UIDVALIDITY: nothing was done.
    Stale,
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Something arrived.
    News,
    /// It is time to look.
    Poll,
    /// The token was cancelled.
    Stopped,
}
