//! A folder on an IMAP server.

use std::num::NonZeroU32;

use tokio_util::sync::CancellationToken;

use super::{ImapSettings, Listed, MailboxError, RawMail, Settings, Settled, Woken};
use crate::words::{MailUid, MailboxId};

/// What the server says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<String>);

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    validity: NonZeroU32,
}

pub(super) async fn open(_id: MailboxId, _server: &ImapSettings, _settings: &Settings) -> Result<Folder, MailboxError> {
    Err(MailboxError::Lost("connecting"))
}

impl Folder {
    pub(super) fn validity(&self) -> NonZeroU32 {
        self.validity
    }
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, MailboxError> {
        Err(MailboxError::Lost("listing"))
    }
    pub(super) async fn fetch(&mut self, _wanted: &[Listed]) -> Result<Vec<RawMail>, MailboxError> {
        Err(MailboxError::Lost("fetching"))
    }
    pub(super) async fn file(&mut self, _mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        Err(MailboxError::Lost("filing"))
    }
    pub(super) async fn remove(&mut self, _mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        Err(MailboxError::Lost("removing"))
    }
    pub(super) async fn wait(&mut self, _stop: &CancellationToken) -> Result<Woken, MailboxError> {
        Err(MailboxError::Lost("waiting"))
    }
    pub(super) async fn close(self) {}
}
