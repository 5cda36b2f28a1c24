//! What a server can and cannot do, in sentences: for `check --connect`.

use std::path::Path;

use super::imap::{self, Folder};
use super::{ImapSettings, Kind, MailboxError, Secret, Settings, Tls, maildir};
use crate::words::MailboxId;

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Fine,
    /// It works, but somebody should know.
    Note,
    /// postkamer cannot work with this mailbox.
    Fault,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// How it is meant.
    pub level: Level,
    /// A full sentence, without personal data.
    pub text: String,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order found.
    pub sentences: Vec<Sentence>,
    /// The fault, if there is one, may pass by itself: the server was out of reach or busy.
    pub passing: bool,
}

impl Report {
    /// True when nothing stands in the way.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.sentences.iter().all(|sentence| sentence.level != Level::Fault)
    }

    /// Adds a sentence.
    pub fn add(&mut self, level: Level, text: impl Into<String>) {
        self.sentences.push(Sentence { level, text: text.into() });
    }

    fn fail(&mut self, what: &str, error: &MailboxError) {
        self.passing = error.is_passing();
        self.add(Level::Fault, format!("{what}: {error}."));
    }
}

/// Signs in, opens the folder and names what this server can and cannot do. Changes nothing there.
pub async fn examine(settings: &Settings) -> Report {
    let mut report = Report::default();
    match &settings.kind {
        Kind::Imap(server) => examine_imap(server, settings, &mut report).await,
        Kind::Maildir { path } => examine_maildir(path, settings, &mut report).await,
    }
    report
}

async fn examine_imap(server: &ImapSettings, settings: &Settings, report: &mut Report) {
    use Level::{Fine, Note};
    let greeted = match imap::reach(server).await {
        Ok(greeted) => greeted,
        Err(error) => return report.fail("The server cannot be used", &error),
    };
    match (greeted.tls, server.tls) {
        (Some(version), Tls::StartTls) => report.add(Fine, format!("The connection is secured by {version} after STARTTLS.")),
        (Some(version), _) => report.add(Fine, format!("The connection is secured by {version}.")),
        (None, _) => report.add(Note, "The connection is not encrypted; this is accepted because the server is on this machine."),
    }
    let mut folder = match imap::open_over(MailboxId::new("check"), greeted, server, settings).await {
        Ok(folder) => folder,
        Err(error) => return report.fail("The mailbox cannot be used", &error),
    };
    let how = if matches!(server.secret, Secret::OAuth(_)) { "a token" } else { "a password" };
    report.add(Fine, format!("Signing in with {how} works, and the folder {} holds {} mails.", settings.folder, folder.count()));
    if let Secret::OAuth(source) = &server.secret
        && !source.keeps_exchanged_tokens()
    {
        report.add(
            Note,
            "The file of the refresh token cannot be replaced: where the provider exchanges it, nobody can sign in after a restart.",
        );
    }
    abilities(&folder, report);
    match folder.has_done_folder().await {
        Ok(None) => report.add(Note, "Mail that is dealt with is deleted."),
        Ok(Some(true)) => report.add(Fine, "The folder for filed mail is there."),
        Ok(Some(false)) => report.add(Note, "The folder for filed mail is missing; it is made when the first mail is filed."),
        Err(error) => report.fail("The folder for filed mail cannot be looked for", &error),
    }
    folder.close().await;
}

fn abilities(folder: &Folder, report: &mut Report) {
    use Level::{Fine, Note};
    let offers = folder.capabilities();
    if offers.has("UIDPLUS") {
        report.add(Fine, "The server can expunge single mails (UIDPLUS).");
    } else {
        report.add(Note, "The server lacks UIDPLUS: an expunge removes everything that anybody has marked as deleted here. `exclusive = true` accepts that.");
    }
    if offers.has("MOVE") {
        report.add(Fine, "The server can move mails (MOVE).");
    } else {
        report.add(Note, "The server lacks MOVE: mails are filed by copying and deleting them.");
    }
    if offers.has("IDLE") {
        report.add(Fine, "The server announces new mail at once (IDLE).");
    } else {
        report.add(Note, "The server lacks IDLE: new mail is found at the next poll.");
    }
    for (word, text) in [
        ("CONDSTORE", "The server numbers changes (CONDSTORE); postkamer does not need it."),
        ("X-GM-EXT-1", "This is Gmail: in its settings, expunged mail must be deleted for ever, or it stays in All Mail."),
    ] {
        if offers.has(word) {
            report.add(if word == "CONDSTORE" { Fine } else { Note }, text);
        }
    }
}

async fn examine_maildir(path: &Path, settings: &Settings, report: &mut Report) {
    let mut folder = match maildir::Folder::open(MailboxId::new("check"), path, settings).await {
        Ok(folder) => folder,
        Err(error) => return report.fail("The Maildir cannot be used", &error),
    };
    match folder.list().await {
        Ok(mails) => report.add(Level::Fine, format!("The folder {} holds {} mails.", settings.folder, mails.len())),
        Err(error) => report.fail("The Maildir cannot be used", &error),
    }
    if folder.is_watched() {
        report.add(Level::Fine, "The system announces new mail at once.");
    } else {
        report.add(Level::Note, "The system does not announce new files here: new mail is found at the next poll.");
    }
    if !folder.is_writable() {
        report.add(Level::Fault, "Mails cannot be moved or deleted: postkamer may not write in this Maildir.");
    }
}
