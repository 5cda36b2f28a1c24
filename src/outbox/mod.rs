//! What we owe the world: replies that must go out, and mails that must leave their mailbox.
//!
//! Everything here was planned and committed by the store first; [`deliver_due`] sends replies, [`actions`] files and
//! deletes mails. Both can be broken off anywhere and begun again: what was not written down as done is done again.

pub mod actions;
pub mod directory;
pub mod smtp;

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::{Claimed, Delivery, Store, StoreError};
use crate::words::{EmailAddress, MessageId};

pub use actions::act_due;
use directory::Directory;
use smtp::{SendError, Smtp, SmtpCode};

/// How many replies are claimed at a time: few, so that a crash leaves few in doubt.
const CLAIMS: u64 = 10;
/// For so long after claiming some of them the next one may be begun; what is left then goes back.
const BEGIN: Duration = Duration::from_secs(15);
/// How long writing a reply into a file may take.
const WRITING: Duration = Duration::from_secs(60);

/// Where replies go.
#[derive(Debug)]
pub enum Transport {
    /// To an SMTP server.
    Smtp(Box<Smtp>),
    /// Into files.
    Directory(Directory),
}

impl Transport {
    /// How long one reply may take.
    fn limit(&self) -> Duration {
        match self {
            Self::Smtp(smtp) => smtp.limit(),
            Self::Directory(_) => WRITING,
        }
    }

    async fn send(&mut self, reply: &Claimed) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.send(reply.envelope_from.as_ref(), &reply.recipients, reply.message.reveal()).await,
            Self::Directory(directory) => write(directory, &reply.message_id, reply.message.reveal()).await,
        }
    }
}

async fn write(directory: &Directory, id: &MessageId, message: &[u8]) -> Result<(), SendError> {
    match directory.write(id, message).await {
        Ok(_) => Ok(()),
        Err(error) => Err(SendError::Configuration(format!("the directory for replies cannot be written to: {}", error.kind()))),
    }
}

/// What became of the replies that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Replies that the server took.
    pub sent: usize,
    /// Replies to be tried again later.
    pub later: usize,
    /// Replies that can reach nobody.
    pub dead: usize,
    /// Why the server could not be used at all; nothing further was tried then.
    pub trouble: Option<SendError>,
}

/// Sends all replies that are due now, until the token is cancelled. When the server is out of reach or wants nothing from us,
/// all of them stay due, so that another daemon can send them at once.
///
/// # Errors
/// The database is out of reach; what was claimed is claimed again later.
pub async fn deliver_due(store: &Store, transport: &mut Transport, stop: &CancellationToken) -> Result<Report, StoreError> {
    let mut report = Report::default();
    while !stop.is_cancelled() {
        let asked = Instant::now();
        let claimed = store.claim(CLAIMS, BEGIN + transport.limit()).await?;
        if claimed.is_empty() {
            return Ok(report);
        }
        for (place, reply) in claimed.iter().enumerate() {
            // Whoever was stopped for a while may find its claims in other hands.
            if asked.elapsed() >= BEGIN || stop.is_cancelled() {
                store.unclaim(&ids(claimed.iter().skip(place))).await?;
                break;
            }
            let outcome = transport.send(reply).await;
            let delivery = delivery(reply, &outcome);
            store.settle(reply.id, &delivery).await?;
            match &delivery {
                Delivery::Sent { .. } => report.sent += 1,
                Delivery::Later { .. } | Delivery::Untried { .. } => report.later += 1,
                Delivery::Dead { .. } => report.dead += 1,
            }
            if let Err(fault @ SendError::Unsendable(_)) = &outcome {
                tracing::error!(reply = reply.id, error = %fault, "the reply cannot be sent; see `postkamer outbox list`");
            }
            tracing::info!(reply = reply.id, attempt = reply.attempt, outcome = outcome_code(&outcome), "reply tried");
            if let Err(trouble @ (SendError::Unreachable(_) | SendError::Lost(_) | SendError::Configuration(_))) = outcome {
                store.unclaim(&ids(claimed.iter().skip(place + 1))).await?;
                report.trouble = Some(trouble);
                return Ok(report);
            }
        }
    }
    Ok(report)
}

fn ids<'a>(replies: impl Iterator<Item = &'a Claimed>) -> Vec<i64> {
    replies.map(|reply| reply.id).collect()
}

/// Passing or lasting, and for whom: all that the store must know.
fn delivery(reply: &Claimed, outcome: &Result<(), SendError>) -> Delivery {
    let later = |code: String, unclear: bool| Delivery::Later { code, unclear, remaining: reply.recipients.clone() };
    match outcome {
        Ok(()) => Delivery::Sent { refused: Vec::new() },
        Err(SendError::Refused(code)) => Delivery::Dead { code: code.to_string() },
        Err(SendError::Unsendable(_)) => Delivery::Dead { code: "unsendable".to_owned() },
        Err(SendError::RecipientsRefused(refused)) => partly(refused),
        Err(SendError::Passing(code)) => later(code.to_string(), false),
        Err(SendError::Unknown) => later("no-answer".to_owned(), true),
        Err(SendError::Lost(_)) => later("lost".to_owned(), false),
        Err(SendError::Unreachable(_)) => Delivery::Untried { code: "unreachable".to_owned() },
        Err(SendError::Configuration(_)) => Delivery::Untried { code: "configuration".to_owned() },
    }
}

/// The others have the mail. Whoever was refused for now is tried again alone.
fn partly(refused: &[(EmailAddress, SmtpCode)]) -> Delivery {
    let passing: Vec<_> = refused.iter().filter(|(_, code)| (400..500).contains(&code.code)).collect();
    match passing.first() {
        Some((_, code)) => Delivery::Later {
            code: code.to_string(),
            unclear: false,
            remaining: passing.iter().map(|(address, _)| address.clone()).collect(),
        },
        None => Delivery::Sent { refused: refused.iter().map(|(address, code)| (address.clone(), code.to_string())).collect() },
    }
}

fn outcome_code(outcome: &Result<(), SendError>) -> String {
    match outcome {
        Ok(()) => "sent".to_owned(),
        Err(SendError::Passing(code) | SendError::Refused(code)) => code.to_string(),
        Err(SendError::RecipientsRefused(_)) => "partly refused".to_owned(),
        Err(SendError::Unknown) => "no answer".to_owned(),
        Err(SendError::Unreachable(_)) => "unreachable".to_owned(),
        Err(SendError::Lost(_)) => "lost".to_owned(),
        Err(SendError::Configuration(_)) => "configuration".to_owned(),
        Err(SendError::Unsendable(_)) => "unsendable".to_owned(),
    }
}
