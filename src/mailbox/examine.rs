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
    match folder.program().await {
        Ok(program) => report.add(Note, keeping(program.as_deref(), folder.capabilities().has("X-GM-EXT-1"))),
        Err(error) => return report.fail("The server does not say what program it is", &error),
    }
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
    if offers.has("CONDSTORE") {
        report.add(Fine, "The server numbers changes (CONDSTORE); postkamer does not need it.");
    }
}

/// What this kind of server keeps of expunged mail by its nature, where postkamer cannot reach it, and what to do (THREATS §3 rows 3 and 4).
/// Dovecot: doveadm-purge(1) and tests/residue. Cyrus: `expunge_mode` in imapd.conf(5), cyr_expire(8). Exchange: Recoverable Items.
/// Gmail: `expungeBehavior` in the reference of its API.
fn keeping(program: Option<&str>, is_gmail: bool) -> &'static str {
    match program {
        _ if is_gmail => {
            "This is Gmail: set that expunged mail is deleted for ever, or it stays in All Mail or in the bin. \
             For some weeks after that an administrator can still bring it back."
        }
        Some(name) if name.contains("dovecot") => {
            "This is Dovecot. Where it keeps mail as mdbox, the bytes of expunged mail stay in its files until `doveadm purge` has run: let it \
             run daily (`doveadm purge -u USER`). As Maildir and sdbox they are gone at once, unless the plugin lazy_expunge keeps them."
        }
        Some(name) if name.contains("cyrus") => {
            "This is Cyrus IMAP. Where `expunge_mode` is \"delayed\", expunged mail stays on its disk until cyr_expire removes it: set it to \
             \"immediate\", or let `cyr_expire -X` run daily with a short time."
        }
        Some(name) if name.contains("exchange") => {
            "This is Exchange. Expunged mail stays in Recoverable Items, usually for 14 days, and for as long as a hold or a retention policy \
             says: set `RetainDeletedItemsFor` of this mailbox as low as you may, and take it out of holds and journaling."
        }
        _ => {
            "What this server keeps of expunged mail (a folder to recover it from, delayed removal, backups) cannot be seen from here: ask those \
             who run it, and have it removed within days."
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_server_is_told_by_its_name_and_none_is_said_to_keep_nothing() {
        for (program, way_out) in [
            (Some("dovecot"), "doveadm purge"),
            (Some("cyrus imapd"), "cyr_expire"),
            (Some("microsoft.exchange.imap4.imap4server"), "RetainDeletedItemsFor"),
            (Some("another"), "ask those who run it"),
            (None, "ask those who run it"),
        ] {
            assert!(keeping(program, false).contains(way_out), "{program:?}");
        }
        assert!(keeping(Some("gimap"), true).contains("deleted for ever"));
    }
}
