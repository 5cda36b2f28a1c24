//! Sending by SMTP.
//!
//! One mail is one transaction to all its recipients, step by step: so a refused recipient does not keep the mail from the
//! others, and a lost answer is known to be before or after the moment when the server may have taken the mail. lettre
//! speaks the protocol; connecting, TLS, deadlines and bounds are ours.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use base64::Engine as _;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::mailbox::{Level, MailboxError, Report, Secret, Tls, bearer_proof, tls};
use crate::words::{EmailAddress, Redacted};

/// Deadline for one command's answer, and for the greeting with EHLO and AUTH.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// Deadline for the message and the answer to it: servers scan it meanwhile (RFC 5321 §4.5.3.2.6).
const MESSAGE_LIMIT: Duration = Duration::from_secs(300);
/// A connection that has been idle for longer is not used again: most servers end it after some minutes.
const KEEP: Duration = Duration::from_secs(60);
/// The most connections kept between mails.
const MOST_KEPT: usize = 4;
/// The longest line of a server's answer, in bytes.
const MAX_LINE: usize = 8192;

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
    /// How long handing over one mail may take in all. Other daemons leave a mail that this one has claimed alone for that long.
    pub timeout: Duration,
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
    /// Refused for now (4xx): nobody has the mail.
    #[error("the server cannot take the mail now: {0}")]
    Passing(SmtpCode),
    /// Refused for good (5xx): nobody has the mail.
    #[error("the server refused the mail: {0}")]
    Refused(SmtpCode),
    /// These recipients were refused, the others have the mail. With a 4xx code it may be sent again, to that one alone.
    #[error("the server refused {} of the recipients; the others have the mail", .0.len())]
    RecipientsRefused(Vec<(EmailAddress, SmtpCode)>),
    /// The connection ended, or time ran out, while the mail was handed over: it may have arrived. Only the same bytes with
    /// the same Message-ID may be sent again.
    #[error("the connection was lost while the mail was handed over; it may have arrived")]
    Unknown,
    /// The server could not be reached, or did not come as far as hearing of the mail.
    #[error("the SMTP server could not be used: {0}")]
    Unreachable(String),
    /// The connection ended, or no answer came in time, before the mail was handed over; it may be this mail that the server does so at.
    #[error("the connection to the SMTP server was lost before the mail was handed over: {0}")]
    Lost(String),
    /// Something must be set right first: TLS, or the sign-in.
    #[error("{0}")]
    Configuration(String),
    /// This mail can never be sent as it is; it says nothing about any other.
    #[error("{0}")]
    Unsendable(&'static str),
}

impl fmt::Display for SmtpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.enhanced.map_or(Ok(()), |(class, subject, detail)| write!(f, " {class}.{subject}.{detail}"))
    }
}

impl SmtpCode {
    /// True for 4xx.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

impl SendError {
    /// True when the whole mail may be sent again later. (After [`SendError::Configuration`] too: the admin may have set
    /// things right by then.)
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Passing(_) | Self::Unknown | Self::Unreachable(_) | Self::Lost(_) | Self::Configuration(_) => true,
            Self::Refused(_) | Self::RecipientsRefused(_) | Self::Unsendable(_) => false,
        }
    }
}

/// A client of one SMTP server, for any number of mails at once. Keeps some connections between mails.
pub struct Smtp {
    settings: SmtpSettings,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Smtp {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(settings: SmtpSettings) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// How long one mail may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.settings.timeout
    }

    /// Sends one message to all recipients in one transaction. `envelope_from` is None for automatic mail, whose bounces
    /// nobody wants (RFC 3834 §3.3). The message has CRLF line ends only and ends in one.
    ///
    /// # Errors
    /// See [`SendError`]; each variant says who has the mail.
    pub async fn send(&self, envelope_from: Option<&EmailAddress>, recipients: &[EmailAddress], message: &[u8]) -> Result<(), SendError> {
        let deadline = Instant::now() + self.settings.timeout;
        let message = canonical(message)?;
        let from = envelope_from.map(lettre_address).transpose()?;
        let to = recipients.iter().map(|to| Ok((to, lettre_address(to)?))).collect::<Result<Vec<_>, SendError>>()?;
        if to.is_empty() {
            return Err(SendError::Unsendable("the mail has no recipient"));
        }
        let (mut connection, begun) = match self.take() {
            Some(kept) => {
                let mut connection = kept;
                match begin(&mut connection, from.clone(), message).await {
                    Ok(()) => (connection, true),
                    // The server ended it while it was idle, or wants it ended: that says nothing about the mail.
                    Err(SendError::Lost(_) | SendError::Passing(SmtpCode { code: 421, .. })) => (self.connect().await?, false),
                    Err(error) => return Err(error),
                }
            }
            None => (self.connect().await?, false),
        };
        if !begun {
            begin(&mut connection, from, message).await?;
        }
        let refused = hand_over(&mut connection, &to, message, deadline).await?;
        self.keep(connection);
        if refused.is_empty() { Ok(()) } else { Err(SendError::RecipientsRefused(refused)) }
    }

    /// Connects and signs in, and says how that went: for `check --connect`.
    pub async fn examine(&self) -> Report {
        let mut report = Report::default();
        match self.connect().await {
            Ok(mut connection) => {
                let how = match (self.settings.tls, &self.settings.credentials) {
                    (Tls::None, _) => "without encryption, which is accepted because the server is on this machine",
                    (_, Some(_)) => "over TLS, and signing in works",
                    (_, None) => "over TLS, without signing in",
                };
                report.add(Level::Fine, format!("The SMTP server answers {how}."));
                if !connection.server_info().supports_feature(Extension::EightBitMime) {
                    report.add(Level::Note, "The SMTP server does not take 8-bit mail (8BITMIME); postkamer's own replies do not need it.");
                }
                let _ = timeout(Duration::from_secs(5), connection.command(Quit)).await;
            }
            Err(error) => {
                report.passing = matches!(error, SendError::Unreachable(_) | SendError::Passing(_));
                report.add(Level::Fault, format!("No mail can be sent: {error}."));
            }
        }
        report
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(connection, since)| since.elapsed() < KEEP && !connection.has_broken());
        kept.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT && !connection.has_broken() {
            kept.push((connection, Instant::now()));
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        match self.connect_once().await {
            // A token may have been revoked before its time: one more try with a fresh one.
            Err(Attempt::SignIn(_)) if matches!(self.settings.credentials, Some((_, Secret::OAuth(_)))) => {
                if let Some((_, Secret::OAuth(source))) = &self.settings.credentials {
                    source.forget().await;
                }
                self.connect_once().await
            }
            other => other,
        }
        .map_err(|attempt| match attempt {
            Attempt::Failed(error) => error,
            Attempt::SignIn(code) => SendError::Configuration(format!("the SMTP server refused the sign-in: {code}")),
        })
    }

    async fn connect_once(&self) -> Result<AsyncSmtpConnection, Attempt> {
        let settings = &self.settings;
        let mut tcp = tls::connect(&settings.host, settings.port, settings.tls == Tls::None).await.map_err(failed)?;
        let ca_file = settings.ca_file.as_deref();
        let stream = match settings.tls {
            Tls::None => Line::new(Box::new(tcp), b""),
            Tls::Implicit => Line::new(Box::new(tls::handshake(tcp, &settings.host, ca_file).await.map_err(failed)?), b""),
            Tls::StartTls => {
                timeout(COMMAND_LIMIT, ask_for_tls(&mut tcp)).await.map_err(|_| unreachable("it gave no answer in time"))??;
                // lettre waits for a greeting, which comes before STARTTLS only.
                Line::new(Box::new(tls::handshake(tcp, &settings.host, ca_file).await.map_err(failed)?), b"220 ready\r\n")
            }
        };
        let hello = ClientId::default();
        let connected = timeout(COMMAND_LIMIT, AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)).await;
        let mut connection = connected.map_err(|_| unreachable("it gave no answer in time"))?.map_err(|error| match code_of(&error) {
            Some(code) if !code.is_passing() => {
                Attempt::Failed(SendError::Configuration(format!("the SMTP server does not want to talk with us: {code}")))
            }
            Some(code) => Attempt::Failed(SendError::Passing(code)),
            None => unreachable("it did not greet as an SMTP server does"),
        })?;
        if let Some((user, secret)) = &settings.credentials {
            sign_in(&mut connection, settings, user, secret).await?;
        }
        Ok(connection)
    }
}

/// Why there is no connection.
enum Attempt {
    Failed(SendError),
    SignIn(SmtpCode),
}

fn unreachable(why: &str) -> Attempt {
    Attempt::Failed(SendError::Unreachable(why.to_owned()))
}

fn failed(error: MailboxError) -> Attempt {
    let text = error.to_string();
    Attempt::Failed(if error.is_passing() { SendError::Unreachable(text) } else { SendError::Configuration(text) })
}

async fn sign_in(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    user: &Redacted<String>,
    secret: &Secret,
) -> Result<(), Attempt> {
    let (mechanisms, proof): (&[Mechanism], _) = match secret {
        Secret::Password(password) => (&[Mechanism::Plain, Mechanism::Login], password.read().await.map_err(failed)?),
        Secret::OAuth(source) => (&[Mechanism::Xoauth2], source.token().await.map_err(failed)?),
    };
    let attempt = async {
        if connection.server_info().get_auth_mechanism(mechanisms).is_some() {
            let credentials = Credentials::new(user.reveal().clone(), proof.into_revealed());
            return Some(connection.auth(mechanisms, &credentials).await);
        }
        match secret {
            Secret::OAuth(_) => with_bearer(connection, settings, user, &proof).await,
            Secret::Password(_) => None,
        }
    };
    let answered = timeout(COMMAND_LIMIT, attempt).await.map_err(|_| unreachable("it gave no answer to the sign-in in time"))?;
    let Some(answer) = answered else {
        return Err(Attempt::Failed(SendError::Configuration("the SMTP server offers no way of signing in that fits".to_owned())));
    };
    answer.map(drop).map_err(|error| match code_of(&error) {
        Some(code) if code.is_passing() => Attempt::Failed(SendError::Passing(code)),
        Some(code) => Attempt::SignIn(code),
        None => unreachable("the connection ended during the sign-in"),
    })
}

/// OAUTHBEARER (RFC 7628): the library does not know it and so does not tell whether the server does; asking finds out. None: the user
/// name cannot be written in it.
async fn with_bearer(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    user: &Redacted<String>,
    token: &Redacted<String>,
) -> Option<Result<Response, lettre::transport::smtp::Error>> {
    let proof = bearer_proof(user.reveal(), &settings.host, settings.port, token.reveal())?;
    let line = format!("AUTH OAUTHBEARER {}\r\n", base64::engine::general_purpose::STANDARD.encode(proof));
    let answer = connection.command(line).await;
    // §3.2.3: a refusal tells why and waits for a lone ^A before it says so.
    Some(match answer {
        Ok(reason) if reason.has_code(334) => connection.command("AQ==\r\n").await,
        other => other,
    })
}

/// The conversation in clear up to the TLS handshake, read byte by byte: what somebody in between adds after the answer
/// to STARTTLS falls into the handshake and breaks it (RFC 3207 §6).
async fn ask_for_tls(tcp: &mut TcpStream) -> Result<(), Attempt> {
    let lost = |_| unreachable("the connection ended before STARTTLS");
    if hear(tcp).await?.0 != 220 {
        return Err(unreachable("it did not greet as an SMTP server does"));
    }
    tcp.write_all(format!("EHLO {}\r\n", ClientId::default()).as_bytes()).await.map_err(lost)?;
    let (code, offers) = hear(tcp).await?;
    if code != 250 || !offers.iter().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
        return Err(Attempt::Failed(SendError::Configuration("the SMTP server does not offer STARTTLS".to_owned())));
    }
    tcp.write_all(b"STARTTLS\r\n").await.map_err(lost)?;
    match hear(tcp).await?.0 {
        220 => Ok(()),
        _ => Err(unreachable("it refused STARTTLS")),
    }
}

/// One answer in clear: its code and the texts of its lines.
async fn hear(tcp: &mut TcpStream) -> Result<(u16, Vec<String>), Attempt> {
    let mut texts = Vec::new();
    while texts.len() < 100 {
        let mut line = Vec::new();
        loop {
            match tcp.read_u8().await.map_err(|_| unreachable("the connection ended before STARTTLS"))? {
                b'\n' => break,
                byte if line.len() < MAX_LINE => line.push(byte),
                _ => return Err(unreachable("it did not answer as an SMTP server does")),
            }
        }
        let line = String::from_utf8_lossy(&line);
        let (Some(code), more) = (line.get(..3).and_then(|code| code.parse().ok()), line.get(3..4) == Some("-")) else {
            return Err(unreachable("it did not answer as an SMTP server does"));
        };
        texts.push(line.get(4..).unwrap_or_default().trim_end().to_owned());
        if !more {
            return Ok((code, texts));
        }
    }
    Err(unreachable("it did not answer as an SMTP server does"))
}

/// MAIL FROM.
async fn begin(connection: &mut AsyncSmtpConnection, from: Option<lettre::Address>, message: &[u8]) -> Result<(), SendError> {
    let mut parameters = Vec::new();
    if !message.is_ascii() {
        if !connection.server_info().supports_feature(Extension::EightBitMime) {
            return Err(SendError::Unsendable("the mail has 8-bit text, which the SMTP server does not take (8BITMIME)"));
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    step(connection, Mail::new(from, parameters)).await
}

/// RCPT TO for each, DATA, and the message to those who were accepted. Returns the others.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    to: &[(&EmailAddress, lettre::Address)],
    message: &[u8],
    deadline: Instant,
) -> Result<Vec<(EmailAddress, SmtpCode)>, SendError> {
    let mut refused = Vec::new();
    for (recipient, address) in to {
        match step(connection, Rcpt::new(address.clone(), Vec::new())).await {
            Ok(()) => {}
            // 421: the server ends the connection, whoever the recipient is.
            Err(SendError::Passing(code)) if code.code != 421 => refused.push(((*recipient).clone(), code)),
            Err(SendError::Refused(code)) => refused.push(((*recipient).clone(), code)),
            Err(error) => return Err(error),
        }
    }
    if refused.len() == to.len() {
        let passing = refused.iter().map(|(_, code)| *code).find(SmtpCode::is_passing);
        let first = refused.first().map(|(_, code)| *code);
        return Err(match (passing, first) {
            (Some(code), _) => SendError::Passing(code),
            (None, Some(code)) => SendError::Refused(code),
            (None, None) => SendError::Lost("nothing was sent".to_owned()),
        });
    }
    step(connection, Data).await?;
    // A process that was stopped in between wakes up here: somebody else may have sent the mail meanwhile.
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(SendError::Lost("it took too long".to_owned()));
    }
    // From here on a lost answer is ambiguous (RFC 5321 §4.5.3.2.6, RFC 1047).
    match timeout(MESSAGE_LIMIT.min(left), connection.message(message)).await {
        Err(_) => Err(SendError::Unknown),
        Ok(Ok(_)) => Ok(refused),
        Ok(Err(error)) => Err(code_of(&error).map_or(SendError::Unknown, refusal)),
    }
}

async fn step(connection: &mut AsyncSmtpConnection, command: impl fmt::Display) -> Result<(), SendError> {
    match timeout(COMMAND_LIMIT, connection.command(command)).await {
        Err(_) => Err(SendError::Lost("it gave no answer in time".to_owned())),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(code_of(&error).map_or_else(|| SendError::Lost("the connection ended".to_owned()), refusal)),
    }
}

fn refusal(code: SmtpCode) -> SendError {
    if code.is_passing() { SendError::Passing(code) } else { SendError::Refused(code) }
}

/// The codes in a server's refusal; None when the server did not say no.
fn code_of(error: &lettre::transport::smtp::Error) -> Option<SmtpCode> {
    let code = u16::from(error.status()?);
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some(SmtpCode { code, enhanced: enhanced_status(&text) })
}

/// The enhanced status code at the beginning of a text (RFC 2034 §3).
fn enhanced_status(text: &str) -> Option<(u8, u16, u16)> {
    let mut parts = text.split_ascii_whitespace().next()?.split('.');
    let status = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next().is_none() && matches!(status.0, 2 | 4 | 5)).then_some(status)
}

fn lettre_address(address: &EmailAddress) -> Result<lettre::Address, SendError> {
    address.reveal().parse().map_err(|_| SendError::Unsendable("an address of the mail is not one that can be sent to"))
}

/// The message without its last line end, which lettre adds. A bare CR or LF could end the message early on servers that
/// take it for a line end, and begin a command of the sender's choice (SMTP smuggling, CVE-2023-51764).
fn canonical(message: &[u8]) -> Result<&[u8], SendError> {
    let mut before = 0;
    for (place, byte) in message.iter().enumerate() {
        let after = message.get(place + 1);
        match byte {
            b'\n' if before != b'\r' => return Err(SendError::Unsendable("the mail has a bare LF; this is a mistake in postkamer")),
            b'\r' if after != Some(&b'\n') => return Err(SendError::Unsendable("the mail has a bare CR; this is a mistake in postkamer")),
            0 => return Err(SendError::Unsendable("the mail has a NUL; this is a mistake in postkamer")),
            _ => before = *byte,
        }
    }
    message.strip_suffix(b"\r\n").ok_or(SendError::Unsendable("the mail does not end with a line end; this is a mistake in postkamer"))
}

/// Any stream that lettre can talk over.
trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug> Wire for T {}

/// A stream with some bytes to be read before its own, and with bounded lines: lettre reads a line for as long as it goes on.
#[derive(Debug)]
struct Line {
    inner: Box<dyn Wire>,
    before: &'static [u8],
    length: usize,
}

impl Line {
    fn new(inner: Box<dyn Wire>, before: &'static [u8]) -> Self {
        Self { inner, before, length: 0 }
    }
}

impl AsyncTokioStream for Line {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        // Only asked for by lettre's pool, which is not used.
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let (now, later) = self.before.split_at(self.before.len().min(buf.remaining()));
            buf.put_slice(now);
            self.before = later;
            return Poll::Ready(Ok(()));
        }
        let filled = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        for byte in buf.filled().iter().skip(filled) {
            self.length = if *byte == b'\n' { 0 } else { self.length + 1 };
            if self.length > MAX_LINE {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_could_smuggle_another_is_not_sent() {
        assert_eq!(canonical(b"Subject: x\r\n\r\na\r\n"), Ok(&b"Subject: x\r\n\r\na"[..]));
        for message in [&b"a\n.\r\n"[..], b"a\r.\r\n", b"a\r\r\n", b"\na\r\n", b"a\0b\r\n", b"a", b"a\r", b"a\r\n.\r"] {
            assert!(matches!(canonical(message), Err(SendError::Unsendable(_))), "{message:?}");
        }
    }

    #[test]
    fn only_codes_are_kept_of_what_a_server_says() {
        assert_eq!(enhanced_status("5.1.1 <a.devries@waterwolde.example> unknown"), Some((5, 1, 1)));
        for text in ["", "unknown user", "5.1", "127.0.0.1 is listed", "9.9.9 x"] {
            assert_eq!(enhanced_status(text), None);
        }
        let code = SmtpCode { code: 550, enhanced: Some((5, 1, 1)) };
        assert_eq!(SendError::Refused(code).to_string(), "the server refused the mail: 550 5.1.1");
    }
}
