//! What a mailbox, or an SMTP server, needs to be told. The settings room reads these from `postkamer.toml`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::oauth::OAuth;
use crate::words::{Redacted, Shelf};

/// One desk's mailbox (DESIGN §5, `[desk.mailbox]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where the mail lies.
    pub kind: Kind,
    /// The folder that mail comes in to; `INBOX` for a Maildir is the Maildir itself.
    pub folder: FolderName,
    /// What happens to mail that is dealt with and may be kept.
    pub done: Done,
    /// How often the folder is listed when nothing announces new mail.
    pub poll: Duration,
    /// True where nobody but postkamer changes this mailbox: only then may it be emptied without UIDPLUS.
    pub exclusive: bool,
    /// Of a mail above this many bytes only the beginning is fetched.
    pub max_mail: u64,
}

/// The two kinds of source.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A folder on an IMAP server.
    Imap(ImapSettings),
    /// A Maildir on this machine.
    Maildir {
        /// The directory that holds `cur`, `new` and `tmp`.
        path: PathBuf,
    },
}

impl Kind {
    /// Whether both are the same user on the same server, or the same Maildir.
    #[must_use]
    pub fn is_the_account_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Imap(a), Self::Imap(b)) => {
                a.host.eq_ignore_ascii_case(&b.host) && a.port == b.port && a.username.reveal() == b.username.reveal()
            }
            (Self::Maildir { path: a }, Self::Maildir { path: b }) => a == b,
            _ => false,
        }
    }
}

/// How to reach an IMAP server and who to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct ImapSettings {
    /// Host name or address; with TLS the certificate must be valid for it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Transport security.
    pub tls: Tls,
    /// PEM file of further certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The user to sign in as.
    pub username: Redacted<String>,
    /// What proves it.
    pub secret: Secret,
}

/// Filed mail is moved to a folder, or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Moved to this folder, which is created and subscribed when missing.
    Folder(FolderName),
    /// Deleted and expunged.
    Delete,
}

impl Settings {
    /// Where mail is filed by these settings.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        let account = match &self.kind {
            Kind::Imap(server) => format!("imap:{}@{}", server.username.reveal(), server.host.to_ascii_lowercase()),
            Kind::Maildir { path } => format!("maildir:{}", path.display()),
        };
        let folder = match &self.done {
            Done::Folder(name) => Some(name.as_str().to_owned()),
            Done::Delete => None,
        };
        Shelf { account, folder }
    }

    /// How long the token lasts by which somebody may sign in here; none where there is none or nothing is known of it.
    pub async fn token_lasts(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Imap(ImapSettings { secret: Secret::OAuth(source), .. }) => source.refresh_token_lasts().await,
            Kind::Imap(_) | Kind::Maildir { .. } => None,
        }
    }
}

/// Transport security. There is no way to skip the check of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte (RFC 8314 §3).
    Implicit,
    /// TLS after STARTTLS; without it the connection is given up.
    StartTls,
    /// No TLS; refused unless the server is on this machine's loopback interface.
    None,
}

/// What proves who we are.
#[derive(Clone, Debug, PartialEq)]
pub enum Secret {
    /// A password.
    Password(Password),
    /// A token that is fetched when needed.
    OAuth(OAuth),
}

/// Where a password is read from, anew at each sign-in. The password itself is never part of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// A file, such as a systemd credential; one trailing newline is dropped.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// A folder's name as people write it (UTF-8, with the server's own hierarchy delimiter). Without control characters,
/// which could smuggle a command (RFC 9051 §4.3), and without the wildcards of LIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderName(String);

/// The text cannot be a folder's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a folder name has 1 to 200 characters, without control characters, `*` and `%`")]
pub struct NotAFolderName;

impl FolderName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the one name that every server knows, in any case (RFC 9051 §5.1).
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.0.eq_ignore_ascii_case("INBOX")
    }
}

impl FromStr for FolderName {
    type Err = NotAFolderName;

    fn from_str(text: &str) -> Result<Self, NotAFolderName> {
        let length = text.chars().count();
        let sound = (1..=200).contains(&length) && !text.chars().any(|c| c.is_control() || c == '*' || c == '%');
        if sound { Ok(Self(text.to_owned())) } else { Err(NotAFolderName) }
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_carries_no_command() {
        for text in ["", "x\r\nA1 DELETE y", "a\0b", "a*", "%", "a\u{7f}"] {
            assert_eq!(text.parse::<FolderName>(), Err(NotAFolderName), "{text:?}");
        }
        assert!("Åtgärdat/2026".parse::<FolderName>().is_ok());
    }
}
