//! Mode `verify`: did the From domain sign this mail? DKIM by DNS (RFC 6376), aligned as DMARC has it (RFC 9989).
//!
//! What counts is a signature of the From domain itself, or of one that is aligned with it, which verifies over the whole
//! mail. SPF takes no part: it is about the machine that delivered the mail, and by the time that a mail lies in a mailbox
//! nobody can be asked for that machine's address. ARC takes no part either: it is the word of whoever passed the mail on. A mail without any
//! signature is therefore `none`, whatever DMARC would ask to be done with it (`p=`, `sp=`, `pct=`): nobody vouched for it.
//!
//! Nothing is looked up but TXT records under the From domain's own registrable domain.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use mail_auth::crypto::Algorithm;
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::dmarc::{Alignment, DmarcRecord};
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::{AuthenticatedMessage, DkimResult, DnsError, Error, MessageAuthenticator, NoCache};
use tokio::time::{Instant, timeout};

use crate::identify::Authentic;
use crate::parse::{Author, Mail};
use crate::words::{Domain, EmailAddress};

/// How long one server may take for one answer, and how often it is asked.
const ANSWER: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// How long one mail may be held up by DNS in all.
const DEADLINE: Duration = Duration::from_secs(8);
/// Questions under way at once; a batch of mails asks them side by side.
const QUESTIONS: usize = 256;
/// A domain whose servers did not answer is not asked again for this long, so that a flood of its mail holds up nobody.
const REST: Duration = Duration::from_secs(60);
/// Domains that are remembered to be out of reach.
const RESTING: usize = 10_000;
/// Signatures of one mail that are looked at; real mail has two or three.
const SIGNATURES: usize = 5;
/// RFC 8301 §3.2: RSA keys below 1,024 bits do not count. A signature is as long as its key.
const WEAKEST_KEY: usize = 1024 / 8;

/// Checks the signatures of mails. Answers of DNS are kept as long as they say (in memory, by the resolver).
pub struct Verifier {
    authenticator: MessageAuthenticator,
    /// Registrable domains that are out of reach, until when.
    resting: Mutex<HashMap<String, Instant>>,
}

/// The system's resolver cannot be found out.
#[derive(Debug, thiserror::Error)]
#[error(
    "mode \"verify\" needs DNS, and the system names no server for it (/etc/resolv.conf); name one with `dns_server` in [authentication]"
)]
pub struct NoResolver;

/// DNS did not answer, so that nothing can be said yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DNS did not answer")]
pub struct OutOfReach;

impl Verifier {
    /// Asks this server; none: those of the system (`/etc/resolv.conf`).
    ///
    /// # Errors
    /// When the system names no server.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, NoResolver> {
        let (config, options) = match server {
            Some(server) => (only(server), ResolverOpts::default()),
            None => read_system_conf().map_err(|_| NoResolver)?,
        };
        let mut options = options;
        options.timeout = ANSWER;
        options.attempts = ATTEMPTS;
        options.max_active_requests = QUESTIONS;
        let authenticator = MessageAuthenticator::new(config, options).map_err(|_| NoResolver)?;
        Ok(Self { authenticator, resting: Mutex::default() })
    }

    /// Whether the From domain signed the mail: `pass`; `none` where nobody signed or the mail is not there whole
    /// (`truncated`); else `fail`. `now` is what an expiry (`x=`) is held against, besides the system's clock.
    ///
    /// # Errors
    /// [`OutOfReach`] when it depends on an answer of DNS that did not come: ask again later.
    pub async fn judge(&self, raw: &[u8], mail: &Mail, truncated: bool, now: Timestamp) -> Result<Authentic, OutOfReach> {
        let Author::One { address, .. } = &mail.author else { return Ok(Authentic::Fail) };
        if truncated {
            return Ok(Authentic::None);
        }
        let raw = with_crlf(raw);
        let Some(mut message) = AuthenticatedMessage::parse(&raw) else { return Ok(Authentic::None) };
        if message.dkim_signatures().is_empty() && !message.has_dkim_errors() {
            return Ok(Authentic::None);
        }
        // A signature vouches for the field that its verifier reads: it must be the one that was read here.
        if mail.doubled || !is_from(&message, address) {
            return Ok(Authentic::Fail);
        }
        let mut taken = 0;
        message.retain_dkim_signatures(|signature| {
            taken += 1;
            if taken <= SIGNATURES && counts(signature, address.domain(), now) { Ok(()) } else { Err(DkimError::UnsupportedAlgorithm) }
        });
        if message.dkim_signatures().is_empty() {
            return Ok(Authentic::Fail);
        }
        self.asking(address.domain(), self.signed(&message, address.domain())).await
    }

    /// Whether the resolver answers at all: for `check --connect`. Asks for the DMARC record of this domain.
    ///
    /// # Errors
    /// [`OutOfReach`] when no answer came.
    pub async fn reach(&self, domain: &Domain) -> Result<(), OutOfReach> {
        self.dmarc(domain).await.map(drop)
    }

    /// Does what has to ask DNS about this domain, unless it did not answer a moment ago.
    async fn asking(
        &self,
        domain: &Domain,
        question: impl Future<Output = Result<Authentic, OutOfReach>>,
    ) -> Result<Authentic, OutOfReach> {
        let domain = domain.registrable().unwrap_or(domain.as_str());
        if self.rests(domain) {
            return Err(OutOfReach);
        }
        let answer = timeout(DEADLINE, question).await.unwrap_or(Err(OutOfReach));
        if answer.is_err() {
            self.let_rest(domain);
        }
        answer
    }

    /// The best of the signatures, all of them aligned at least in the relaxed sense.
    async fn signed(&self, message: &AuthenticatedMessage<'_>, from: &Domain) -> Result<Authentic, OutOfReach> {
        let outputs = self.authenticator.verify_dkim(message).await;
        let passed = || outputs.iter().filter(|output| *output.result() == DkimResult::Pass).filter_map(|output| output.signature());
        if passed().any(|signature| domain_of(signature).as_ref() == Some(from)) {
            return Ok(Authentic::Pass);
        }
        if passed().next().is_some() && self.alignment(from).await? == Alignment::Relaxed {
            return Ok(Authentic::Pass);
        }
        let undecided = outputs.iter().any(|output| matches!(output.result(), DkimResult::TempError(_)));
        if undecided { Err(OutOfReach) } else { Ok(Authentic::Fail) }
    }

    /// How strictly the From domain wants DKIM domains to be aligned (`adkim=`): its own record says, else that of its
    /// registrable domain; where there is none, relaxed.
    async fn alignment(&self, from: &Domain) -> Result<Alignment, OutOfReach> {
        let mut record = self.dmarc(from).await?;
        if record.is_none()
            && let Some(above) = from.registrable().filter(|above| *above != from.as_str()).and_then(|above| above.parse().ok())
        {
            record = self.dmarc(&above).await?;
        }
        Ok(record.unwrap_or(Alignment::Relaxed))
    }

    /// What that domain's own DMARC record asks; none: it has no sound one.
    async fn dmarc(&self, domain: &Domain) -> Result<Option<Alignment>, OutOfReach> {
        let name = format!("_dmarc.{domain}.");
        match self.authenticator.txt_lookup::<DmarcRecord>(name, None::<&NoCache>).await {
            Ok(record) => Ok(Some(record.adkim)),
            Err(Error::Dns(DnsError::Resolver(_))) => Err(OutOfReach),
            Err(_) => Ok(None),
        }
    }

    fn rests(&self, domain: &str) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(domain).is_some_and(|until| *until > Instant::now())
    }

    fn let_rest(&self, domain: &str) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() >= RESTING {
            resting.clear();
        }
        resting.insert(domain.to_owned(), Instant::now() + REST);
    }
}

/// One server, asked by UDP and, for long answers, by TCP.
fn only(server: SocketAddr) -> ResolverConfig {
    let mut named = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut named.connections {
        connection.port = server.port();
    }
    ResolverConfig::from_parts(None, Vec::new(), vec![named])
}

/// Whether the signature can vouch for this From at all; only such a one is looked up.
fn counts(signature: &Signature, from: &Domain, now: Timestamp) -> bool {
    let expires = i64::try_from(signature.x).unwrap_or(i64::MAX);
    domain_of(signature).is_some_and(|domain| domain.is_aligned_with(from))
        && signature.h.iter().any(|name| name.eq_ignore_ascii_case("from")) // RFC 6376 §5.4
        && (signature.x == 0 || expires > now.as_second())
        && match signature.a {
            Algorithm::RsaSha1 => false, // RFC 8301 §3.1
            Algorithm::RsaSha256 => signature.b.len() >= WEAKEST_KEY,
            _ => true,
        }
}

fn domain_of(signature: &Signature) -> Option<Domain> {
    signature.d.parse().ok()
}

/// Whether the library reads the same From as [`crate::parse`].
fn is_from(message: &AuthenticatedMessage<'_>, address: &EmailAddress) -> bool {
    matches!(message.from_addresses(), [only] if only.parse::<EmailAddress>().as_ref() == Ok(address))
}

/// The mail as it was signed: with CRLF. A Maildir holds it with the line ends of the system (RFC 6376 §5.3).
fn with_crlf(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if raw.windows(2).any(|pair| pair == b"\r\n") {
        return raw.into();
    }
    let mut converted = Vec::with_capacity(raw.len() + raw.len() / 32);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                converted.extend_from_slice(text);
                converted.extend_from_slice(b"\r\n");
            }
            None => converted.extend_from_slice(line),
        }
    }
    converted.into()
}
