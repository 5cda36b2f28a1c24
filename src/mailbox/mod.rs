//! Where mail comes from: IMAP and Maildir.
//!
//! A [`Session`] is one open folder. It lists what lies there, fetches bytes, files or removes mails and proves it by
//! looking again, and waits for more. After any error the session is dropped and [`open`]ed anew.

mod error;
mod examine;
mod folder_name;
mod imap;
mod mail;
pub mod maildir;
mod oauth;
mod secret;
mod settings;
pub mod tls;

pub use error::MailboxError;
pub use examine::{Level, Report, Sentence, examine};
pub use imap::Capabilities;
pub use mail::{Listed, RawMail, Settled, Woken};
pub use oauth::{OAuth, OAuthSettings, bearer_proof};
pub use settings::{Done, FolderName, ImapSettings, Kind, NotAFolderName, Password, Secret, Settings, Tls};

use std::num::NonZeroU32;

use tokio_util::sync::CancellationToken;

use crate::words::{MailUid, MailboxId, Shelf};

/// Of a mail above `max_mail` (DESIGN §5) so many bytes are fetched.
pub const BEGINNING: usize = 256 * 1024;

/// One open folder, and where mail is filed from it.
#[derive(Debug)]
pub struct Session(Source, Shelf);

#[derive(Debug)]
enum Source {
    Imap(Box<imap::Folder>),
    Maildir(Box<maildir::Folder>),
}

/// Opens the folder: signs in, selects it, and checks that the server can do what must be done here.
///
/// # Errors
/// Anything that stands in the way; [`MailboxError::is_passing`] tells whether to try again soon.
pub async fn open(id: MailboxId, settings: &Settings) -> Result<Session, MailboxError> {
    if matches!(&settings.done, Done::Folder(done) if *done == settings.folder || (done.is_inbox() && settings.folder.is_inbox())) {
        return Err(MailboxError::DoneFolder("it is the folder that mail comes in to"));
    }
    let source = match &settings.kind {
        Kind::Imap(server) => Source::Imap(Box::new(imap::open(id, server, settings).await?)),
        Kind::Maildir { path } => Source::Maildir(Box::new(maildir::Folder::open(id, path, settings).await?)),
    };
    Ok(Session(source, settings.shelf()))
}

/// Opens the folder for filed mail, where it is; None where there is none, or where filing is deleting.
///
/// # Errors
/// As [`open`].
pub async fn open_done(id: MailboxId, settings: &Settings) -> Result<Option<Session>, MailboxError> {
    match &settings.done {
        Done::Folder(done) => open_filed(id, settings, done).await,
        Done::Delete => Ok(None),
    }
}

/// Opens a folder in which mail was filed; None where there is none. What is [`Session::remove`]d there is gone for good.
///
/// # Errors
/// As [`open`].
pub async fn open_filed(id: MailboxId, settings: &Settings, folder: &FolderName) -> Result<Option<Session>, MailboxError> {
    let there = Settings { done: Done::Delete, ..settings.clone() };
    let source = match &settings.kind {
        Kind::Imap(server) => {
            let opened = imap::open(id, server, &there).await?.into_folder(folder).await?;
            opened.map(|opened| Source::Imap(Box::new(opened)))
        }
        Kind::Maildir { path } => {
            let inbox = maildir::Folder::open(id.clone(), path, &there).await?;
            match inbox.has_beside(path, folder) {
                true => Some(Source::Maildir(Box::new(
                    maildir::Folder::open(id, path, &Settings { folder: folder.clone(), ..there.clone() }).await?,
                ))),
                false => None,
            }
        }
    };
    Ok(source.map(|source| Session(source, there.shelf())))
}

impl Session {
    /// Where [`Session::file`] lays mail.
    #[must_use]
    pub fn shelf(&self) -> &Shelf {
        &self.1
    }

    /// Whether filing is copying, then removing: a mail may then be found in both folders after a fault in between.
    #[must_use]
    pub fn files_by_copying(&self) -> bool {
        match &self.0 {
            Source::Imap(folder) => !folder.capabilities().has("MOVE"),
            Source::Maildir(_) => false,
        }
    }

    /// The folder's UIDVALIDITY. None for a Maildir, where each mail carries its own.
    #[must_use]
    pub fn validity(&self) -> Option<NonZeroU32> {
        match &self.0 {
            Source::Imap(folder) => Some(folder.validity()),
            Source::Maildir(_) => None,
        }
    }

    /// All mails that lie in the folder now, in the order of their UIDs (a Maildir: of arrival).
    ///
    /// # Errors
    /// The mailbox is in trouble; an empty list always means an empty folder.
    pub async fn list(&mut self) -> Result<Vec<Listed>, MailboxError> {
        match &mut self.0 {
            Source::Imap(folder) => folder.list().await,
            Source::Maildir(folder) => folder.list().await,
        }
    }

    /// The bytes of these mails, all held in memory at once; of a mail above `max_mail` the first 256 KiB. A mail that
    /// has gone meanwhile is absent from the result.
    ///
    /// # Errors
    /// The mailbox is in trouble; nothing is then known about any of the mails.
    pub async fn fetch(&mut self, wanted: &[Listed]) -> Result<Vec<RawMail>, MailboxError> {
        match &mut self.0 {
            Source::Imap(folder) => folder.fetch(wanted).await,
            Source::Maildir(folder) => folder.fetch(wanted).await,
        }
    }

    /// Takes dealt-with mails out of the folder as the settings say: into the done folder, or for good. One result for
    /// each mail, in the order asked.
    ///
    /// # Errors
    /// The mailbox is in trouble; some of the mails may have been filed, and asking again is safe.
    pub async fn file(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        match &mut self.0 {
            Source::Imap(folder) => folder.file(mails).await,
            Source::Maildir(folder) => folder.file(mails).await,
        }
    }

    /// Deletes and expunges exactly these mails, and looks for them again: only what is then absent is
    /// [`Settled::Gone`]. One result for each mail, in the order asked.
    ///
    /// # Errors
    /// The mailbox is in trouble; some of the mails may be gone, and asking again is safe.
    pub async fn remove(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        match &mut self.0 {
            Source::Imap(folder) => folder.remove(mails).await,
            Source::Maildir(folder) => folder.remove(mails).await,
        }
    }

    /// Waits until something arrives, it is time to look again, or the token is cancelled. What arrived since the last
    /// [`Session::list`] ends the wait at once. Whoever must wake it for another reason passes a child token.
    ///
    /// # Errors
    /// The mailbox is in trouble.
    pub async fn wait(&mut self, stop: &CancellationToken) -> Result<Woken, MailboxError> {
        match &mut self.0 {
            Source::Imap(folder) => folder.wait(stop).await,
            Source::Maildir(folder) => Ok(folder.wait(stop).await),
        }
    }

    /// Signs out. Never expunges.
    pub async fn close(self) {
        if let Source::Imap(folder) = self.0 {
            folder.close().await;
        }
    }
}
