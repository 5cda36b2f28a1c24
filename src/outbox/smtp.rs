//! Sending by SMTP.

use std::path::PathBuf;

use crate::mailbox::{Secret, Tls};
use crate::words::{EmailAddress, Redacted};

/// How to reach the SMTP server (DESIGN §5, `[smtp]`).
#[derive(Clone, Debug, PartialEq)]
pub struct SmtpSettings {
    /// Host name or address; with TLS the certificate must be valid for it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Transport security.
    pub tls: Tls,
    /// Who to sign in as, and what proves it; none: no AUTH.
    pub credentials: Option<(Redacted<String>, Secret)>,
    /// PEM file of further certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// What an SMTP server said: codes only, since the texts often repeat addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpCode {
    /// The reply code (RFC 5321 §4.2).
    pub code: u16,
    /// The enhanced status code (RFC 3463), such as 5.1.1.
    pub enhanced: Option<(u8, u16, u16)>,
}

/// A mail that was not sent, or not to everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Refused for now (4xx).
    #[error("the server cannot take the mail now: {0}")]
    Passing(SmtpCode),
    /// Refused for good (5xx).
    #[error("the server refused the mail: {0}")]
    Refused(SmtpCode),
    /// Some recipients were refused; the others have got the mail.
    #[error("{} of the recipients refused, the others have the mail", .0.len())]
    RecipientsRefused(Vec<(EmailAddress, SmtpCode)>),
    /// The connection ended, or time ran out, after the mail had begun to be handed over: it may have arrived.
    #[error("the connection was lost while the mail was handed over; it may have arrived")]
    Unknown,
    /// The server could not be reached, or the connection ended before anything was handed over.
    #[error("the server could not be reached: {0}")]
    Unreachable(&'static str),
    /// Something must be set right first: TLS, sign-in, or the message itself.
    #[error("{0}")]
    Configuration(String),
}

impl std::fmt::Display for SmtpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        self.enhanced.map_or(Ok(()), |(class, subject, detail)| write!(f, " {class}.{subject}.{detail}"))
    }
}

impl SendError {
    /// True when trying again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Passing(_) | Self::Unknown | Self::Unreachable(_) | Self::Configuration(_) => true,
            Self::Refused(_) | Self::RecipientsRefused(_) => false,
        }
    }
}

/// A client of one SMTP server. Keeps a connection between mails.
#[derive(Debug)]
pub struct Smtp {
    #[expect(dead_code, reason = "the sending itself comes with the next commit")]
    settings: SmtpSettings,
}

impl Smtp {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(settings: SmtpSettings) -> Self {
        Self { settings }
    }

    /// Sends one message to all recipients in one transaction; if some are refused, to the others in a second one.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        _envelope_from: Option<&EmailAddress>,
        _recipients: &[EmailAddress],
        _message: &[u8],
    ) -> Result<(), SendError> {
        Err(SendError::Unreachable("not connected"))
    }
}
