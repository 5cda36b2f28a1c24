//! What can go wrong with a mailbox. The texts hold our own words, server response codes from a fixed list and
//! nothing that a server or a mail said.

use std::io;
use std::path::PathBuf;

use super::tls::TlsFault;

/// A failure of a mailbox. After any of them the session is given up and opened anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The host's name could not be resolved.
    #[error("the name of the server, {0}, cannot be resolved to an address")]
    Unresolved(String),
    /// The server could not be reached: the host, and why.
    #[error("the server {0} could not be reached: {1}")]
    Unreachable(String, io::ErrorKind),
    /// No answer within the deadline.
    #[error("the server gave no answer in time while {0}")]
    Timeout(&'static str),
    /// A server that was heard before says nothing any more, on a new connection neither.
    #[error("the server fell silent while {0}, and another connection to it is not answered either")]
    Silent(&'static str),
    /// The connection ended, or an earlier command of this session was broken off.
    #[error("the connection was lost while {0}")]
    Lost(&'static str),
    /// The server said goodbye.
    #[error("the server closed the connection while {0}")]
    Bye(&'static str),
    /// A tagged NO.
    #[error("the server refused, while {doing}{}", code.map_or(String::new(), |code| format!(", with code {code}")))]
    Refused {
        /// What we were about.
        doing: &'static str,
        /// The response code (RFC 5530), where it is a known one.
        code: Option<&'static str>,
    },
    /// A tagged BAD, bytes that are no IMAP, or an answer that makes no sense.
    #[error("the server's answer while {0} was not understood")]
    Protocol(&'static str),
    /// TLS could not be set up.
    #[error("no secure connection: {0}")]
    Tls(#[from] TlsFault),
    /// TLS is switched off for a server that is not on this machine.
    #[error("without TLS only servers on this machine (loopback) are signed in to")]
    PlainNotLocal,
    /// The server does not offer STARTTLS, or did something that an attacker in between would do.
    #[error("STARTTLS was not possible: {0}")]
    StartTls(&'static str),
    /// User name and password, or token, were refused.
    #[error("the server refused the sign-in{}", .0.map_or(String::new(), |code| format!(" with code {code}")))]
    SignIn(Option<&'static str>),
    /// There is no way of signing in that both sides know.
    #[error("the server offers no way of signing in that fits: {0}")]
    NoMechanism(&'static str),
    /// The password, the token or one of the files they come from cannot be had.
    #[error("{0}")]
    Secret(String),
    /// The token endpoint did not give a token.
    #[error("the token endpoint {0}")]
    Token(&'static str),
    /// The folder is not there.
    #[error("the folder does not exist or cannot be opened")]
    NoFolder,
    /// There is no Maildir.
    #[error("there is no Maildir in {}: its directories `cur` and `new` are missing, or may not be opened", .0.display())]
    NoMaildir(PathBuf),
    /// The folder can be read only.
    #[error("the folder can only be read, not changed")]
    ReadOnly,
    /// The server lacks UIDPLUS and others may use the mailbox.
    #[error(
        "the server lacks UIDPLUS, so deleting here could remove other people's mail; set `exclusive = true` if postkamer has this mailbox alone"
    )]
    NoUidPlus,
    /// The folder's UIDs do not last (RFC 4315 §3, UIDNOTSTICKY).
    #[error("the folder's UIDs do not last, so its mails cannot be told apart")]
    UidsDoNotLast,
    /// The UIDVALIDITY changed, or a UID of another one was asked for.
    #[error("the UIDs of the folder have changed; it must be listed anew")]
    ValidityChanged,
    /// The done folder cannot be made or used.
    #[error("the folder for filed mail cannot be used: {0}")]
    DoneFolder(&'static str),
    /// A file operation on a Maildir failed.
    #[error("the Maildir could not be used while {doing}: {kind}")]
    Maildir {
        /// What we were about.
        doing: &'static str,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl MailboxError {
    /// True when trying again may help without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unresolved(_)
            | Self::Unreachable(..)
            | Self::Timeout(_)
            | Self::Silent(_)
            | Self::Lost(_)
            | Self::Bye(_)
            | Self::Protocol(_)
            | Self::Token(_)
            | Self::ValidityChanged => true,
            Self::Refused { .. } | Self::Maildir { .. } => true,
            Self::SignIn(code) => matches!(code, Some("UNAVAILABLE" | "LIMIT" | "INUSE" | "SERVERBUG")),
            Self::Tls(fault) => fault.is_passing(),
            Self::PlainNotLocal
            | Self::StartTls(_)
            | Self::NoMechanism(_)
            | Self::Secret(_)
            | Self::NoFolder
            | Self::NoMaildir(_)
            | Self::ReadOnly
            | Self::NoUidPlus
            | Self::UidsDoNotLast
            | Self::DoneFolder(_) => false,
        }
    }
}
