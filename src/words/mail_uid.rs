//! Where one mail lies.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The name of a mailbox: the name of its desk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(Arc<str>);

impl MailboxId {
    /// A mailbox of that name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One mail in one mailbox: a UID means nothing without the UIDVALIDITY it was given under (RFC 9051 §2.3.1.1), so the
/// three travel together. Also the name under which a mail is logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailUid {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// UIDVALIDITY of the mailbox when the UID was read.
    pub validity: NonZeroU32,
    /// The UID.
    pub uid: NonZeroU32,
}

/// Where filed mail is laid: what must be known to find it again after the settings have changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shelf {
    /// The mailbox itself, whatever its desk is called: the user on its server, or its directory.
    pub account: String,
    /// The folder; none where filing is deleting, so that nothing is left.
    pub folder: Option<String>,
}

/// Without the account, which is a user's name.
impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

impl fmt::Display for MailUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.mailbox, self.validity, self.uid)
    }
}
