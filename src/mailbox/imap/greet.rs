//! The first words with a server: greeting, STARTTLS, capabilities, sign-in.
//!
//! Until somebody is signed in, lines are read here, byte by byte: what comes after the OK to STARTTLS belongs to the TLS
//! handshake, where bytes injected by somebody in between fail (NO STARTTLS, USENIX Security 2021), and never to a buffer
//! that is read later.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::guard::{Guarded, Wire, guarded};
use super::strict::{known_code, sound};
use super::{Capabilities, ImapSettings, MailboxError};
use crate::mailbox::{Secret, Tls, bearer_proof, tls};

/// Deadline for the greeting, one answer, and the sign-in; servers delay refused sign-ins on purpose.
const LIMIT: Duration = Duration::from_secs(60);
/// Deadline for everything before the sign-in.
const REACH_LIMIT: Duration = Duration::from_secs(120);
/// Deadline for a greeting where it is only asked whether there is one.
const SOON: Duration = Duration::from_secs(5);
/// The longest line and the most lines before the sign-in.
const MAX_LINE: usize = 8192;
const MAX_LINES: usize = 100;

/// A server that has greeted us, over the transport security that was asked for.
#[derive(Debug)]
pub(in crate::mailbox) struct Greeted {
    pub(in crate::mailbox) wire: Box<dyn Wire>,
    /// What it offers before the sign-in.
    pub(in crate::mailbox) offers: Capabilities,
    /// The TLS version spoken, for people.
    pub(in crate::mailbox) tls: Option<&'static str>,
}

/// Connects and greets.
pub(in crate::mailbox) async fn reach(server: &ImapSettings) -> Result<Greeted, MailboxError> {
    timeout(REACH_LIMIT, connect_and_greet(server)).await.map_err(|_| MailboxError::Timeout("greeting us"))?
}

/// Whether somebody answers there, whatever they say: tells a server that takes its time from one that is out of reach.
pub(super) async fn is_there(server: &ImapSettings) -> bool {
    let answer = timeout(SOON, connect_and_greet(server)).await;
    !matches!(answer, Err(_) | Ok(Err(MailboxError::Timeout(_) | MailboxError::Unreachable(..))))
}

async fn connect_and_greet(server: &ImapSettings) -> Result<Greeted, MailboxError> {
    let mut tcp = tls::connect(&server.host, server.port, server.tls == Tls::None).await?;
    match server.tls {
        Tls::None => greet(Box::new(tcp), None).await,
        Tls::Implicit => {
            let (stream, version) = secure(tcp, server).await?;
            greet(stream, version).await
        }
        Tls::StartTls => {
            ask_for_tls(&mut tcp).await?;
            let (mut stream, version) = secure(tcp, server).await?;
            // What the server offered in clear may have been forged: asked again (RFC 9051 §6.2.1).
            let offers = capabilities(&mut stream).await?;
            Ok(Greeted { wire: stream, offers, tls: version })
        }
    }
}

async fn secure(tcp: TcpStream, server: &ImapSettings) -> Result<(Box<dyn Wire>, Option<&'static str>), MailboxError> {
    let stream = tls::handshake(tcp, &server.host, server.ca_file.as_deref()).await?;
    let version = match stream.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    Ok((Box::new(stream), Some(version)))
}

/// Reads the greeting and asks what the server can do.
pub(super) async fn greet(mut wire: Box<dyn Wire>, tls: Option<&'static str>) -> Result<Greeted, MailboxError> {
    greeting(&mut wire).await?;
    let offers = capabilities(&mut wire).await?;
    Ok(Greeted { wire, offers, tls })
}

/// The conversation in clear up to the moment when the TLS handshake begins.
pub(super) async fn ask_for_tls(wire: &mut impl Wire) -> Result<(), MailboxError> {
    const DOING: &str = "asking for STARTTLS";
    greeting(wire).await.map_err(|error| match error {
        MailboxError::Protocol("greeting us as signed in already") => {
            MailboxError::StartTls("the server greeted us as signed in (PREAUTH)")
        }
        other => other,
    })?;
    if !capabilities(wire).await?.has("STARTTLS") {
        return Err(MailboxError::StartTls("the server does not offer it"));
    }
    say(wire, "P2 STARTTLS", DOING).await?;
    for _ in 0..MAX_LINES {
        let line = hear(wire, DOING).await?;
        if let Some(answer) = line.strip_prefix("P2 ") {
            return if starts_with_word(answer, "OK") { Ok(()) } else { Err(MailboxError::StartTls("the server refused it")) };
        }
    }
    Err(MailboxError::Protocol(DOING))
}

async fn greeting(wire: &mut impl Wire) -> Result<(), MailboxError> {
    const DOING: &str = "greeting us";
    let line = hear(wire, DOING).await?;
    match line.strip_prefix("* ") {
        Some(text) if starts_with_word(text, "OK") => Ok(()),
        Some(text) if starts_with_word(text, "BYE") => Err(MailboxError::Bye(DOING)),
        Some(text) if starts_with_word(text, "PREAUTH") => Err(MailboxError::Protocol("greeting us as signed in already")),
        _ => Err(MailboxError::Protocol(DOING)),
    }
}

async fn capabilities(wire: &mut impl Wire) -> Result<Capabilities, MailboxError> {
    const DOING: &str = "naming its capabilities";
    say(wire, "P1 CAPABILITY", DOING).await?;
    let mut offers = Capabilities::default();
    for _ in 0..MAX_LINES {
        let line = hear(wire, DOING).await?;
        if let Some(words) = line.strip_prefix("* CAPABILITY ") {
            offers = words.split_ascii_whitespace().collect();
        } else if line.starts_with("* BYE") {
            return Err(MailboxError::Bye(DOING));
        } else if let Some(answer) = line.strip_prefix("P1 ") {
            return if starts_with_word(answer, "OK") {
                Ok(offers)
            } else {
                Err(MailboxError::Refused { doing: DOING, code: known_code(answer) })
            };
        }
    }
    Err(MailboxError::Protocol(DOING))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.split_ascii_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}

async fn say(wire: &mut impl Wire, line: &str, doing: &'static str) -> Result<(), MailboxError> {
    let write = async {
        wire.write_all(format!("{line}\r\n").as_bytes()).await?;
        wire.flush().await
    };
    timeout(LIMIT, write).await.map_err(|_| MailboxError::Timeout(doing))?.map_err(|_| MailboxError::Lost(doing))
}

/// One line without its line ending, and nothing beyond it.
async fn hear(wire: &mut impl Wire, doing: &'static str) -> Result<String, MailboxError> {
    let read = async {
        let mut line = Vec::new();
        loop {
            match wire.read_u8().await.map_err(|_| MailboxError::Lost(doing))? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()),
                byte if line.len() < MAX_LINE => line.push(byte),
                _ => return Err(MailboxError::Protocol(doing)),
            }
        }
    };
    timeout(LIMIT, read).await.map_err(|_| MailboxError::Timeout(doing))?
}

/// Signs in with the best mechanism that both sides know.
pub(in crate::mailbox) async fn sign_in(greeted: Greeted, server: &ImapSettings) -> Result<async_imap::Session<Guarded>, MailboxError> {
    const DOING: &str = "signing in";
    let Greeted { wire, offers, .. } = greeted;
    let user = server.username.reveal();
    let client = async_imap::Client::new(guarded(wire));
    let plan = match &server.secret {
        Secret::Password(password) => with_password(&offers, user, password.read().await?.reveal())?,
        Secret::OAuth(source) => with_token(&offers, server, source.token().await?.reveal())?,
    };
    let attempt = async {
        match plan {
            Plan::Login { user, password } => client.login(user, password).await,
            Plan::Sasl { mechanism, answers } => client.authenticate(mechanism, answers).await,
        }
    };
    timeout(LIMIT, sound(DOING, attempt)).await.map_err(|_| MailboxError::Timeout(DOING))??.map_err(|(error, _)| {
        use async_imap::error::Error as E;
        match error {
            // The text is the server's: only a known response code of it is kept.
            E::No(text) | E::Bad(text) => MailboxError::SignIn(known_code(&text)),
            E::Io(error) if matches!(error.kind(), std::io::ErrorKind::Other | std::io::ErrorKind::InvalidData) => {
                MailboxError::Protocol(DOING)
            }
            E::Io(_) | E::ConnectionLost => MailboxError::Lost(DOING),
            E::Validate(_) => MailboxError::NoMechanism("the user name or password holds a line break"),
            _ => MailboxError::Protocol(DOING),
        }
    })
}

enum Plan {
    Login { user: String, password: String },
    Sasl { mechanism: &'static str, answers: Answers },
}

/// The answers to a server's challenges, in order.
struct Answers {
    steps: VecDeque<Vec<u8>>,
    /// To any further challenge, which tells why we are refused and wants an answer before it says NO.
    after: &'static [u8],
}

impl async_imap::Authenticator for Answers {
    type Response = Vec<u8>;

    fn process(&mut self, _challenge: &[u8]) -> Vec<u8> {
        self.steps.pop_front().unwrap_or_else(|| self.after.to_vec())
    }
}

fn with_password(offers: &Capabilities, user: &str, password: &str) -> Result<Plan, MailboxError> {
    if [user, password].iter().any(|text| text.contains(['\0', '\r', '\n'])) {
        return Err(MailboxError::NoMechanism("the user name or password holds a line break or NUL"));
    }
    if offers.has("AUTH=PLAIN") {
        // RFC 4616 §2.
        return Ok(Plan::Sasl {
            mechanism: "PLAIN",
            answers: Answers { steps: [format!("\0{user}\0{password}").into_bytes()].into(), after: b"" },
        });
    }
    // RFC 9051 §6.2.3: a quoted string is ASCII.
    if !offers.has("LOGINDISABLED") && user.is_ascii() && password.is_ascii() {
        return Ok(Plan::Login { user: user.to_owned(), password: password.to_owned() });
    }
    if offers.has("AUTH=LOGIN") {
        return Ok(Plan::Sasl { mechanism: "LOGIN", answers: Answers { steps: [user.into(), password.into()].into(), after: b"" } });
    }
    Err(MailboxError::NoMechanism("it takes no password here (neither LOGIN nor AUTH=PLAIN)"))
}

fn with_token(offers: &Capabilities, server: &ImapSettings, token: &str) -> Result<Plan, MailboxError> {
    let user = server.username.reveal();
    if user.contains(['\0', '\r', '\n', '\u{1}', ',', '=']) {
        return Err(MailboxError::NoMechanism("the user name cannot be written in a token sign-in"));
    }
    if offers.has("AUTH=OAUTHBEARER") {
        // RFC 7628 §3.1; §3.2.3: a refusal is acknowledged by a lone ^A.
        let step = bearer_proof(user, &server.host, server.port, token).unwrap_or_default();
        return Ok(Plan::Sasl { mechanism: "OAUTHBEARER", answers: Answers { steps: [step.into_bytes()].into(), after: b"\x01" } });
    }
    if offers.has("AUTH=XOAUTH2") {
        let step = format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}");
        return Ok(Plan::Sasl { mechanism: "XOAUTH2", answers: Answers { steps: [step.into_bytes()].into(), after: b"" } });
    }
    Err(MailboxError::NoMechanism("it takes no tokens (neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2)"))
}
