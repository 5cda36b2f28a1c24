//! Commands that end in OK, or in an error.
//!
//! async-imap's own calls take a dead connection or a refusal for an empty success. So only its `run_command` and
//! `read_response` are used, here: every response has a deadline; the end of the stream, BYE, NO, BAD, another command's
//! tag and bytes that are no IMAP are errors. No error holds the server's text.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use imap_proto::{MailboxDatum, RequestId, Response, ResponseCode, Status};
use tokio::time::{Instant, timeout, timeout_at};

use super::ImapSettings;
use super::greet::is_there;
use super::guard::Guarded;
use crate::mailbox::MailboxError;

/// Deadline for the next response.
const RESPONSE_LIMIT: Duration = Duration::from_secs(60);
/// After so long without a response another connection is tried; the next time after twice as long.
const UNEASY: Duration = Duration::from_secs(5);
/// Deadline for a whole command.
const COMMAND_LIMIT: Duration = Duration::from_secs(600);

/// Waits for what reads the server's lines. imap-proto panics on some malformed ones (INTERNALDATE NIL, a code without a blank after it).
pub(super) async fn sound<T>(doing: &'static str, read: impl Future<Output = T>) -> Result<T, MailboxError> {
    let mut read = pin!(read);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| read.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(MailboxError::Protocol(doing))),
    })
    .await
}

/// A signed-in connection, and what the server has said about the selected folder.
#[derive(Debug)]
pub(super) struct Strict {
    session: async_imap::Session<Guarded>,
    /// Where another connection can be tried.
    server: Option<Arc<ImapSettings>>,
    /// True while a command is under way, and for good once one was broken off: answers to it may still come.
    broken: bool,
    /// How many mails are in the folder (RFC 9051 §7.4.1).
    pub(super) exists: u32,
    /// The number of mails has grown since this was last set to false.
    pub(super) news: bool,
    /// UIDVALIDITY of the selected folder.
    pub(super) validity: Option<NonZeroU32>,
}

impl Strict {
    pub(super) fn new(session: async_imap::Session<Guarded>, server: Option<&ImapSettings>) -> Self {
        let server = server.cloned().map(Arc::new);
        Self { session, server, broken: false, exists: 0, news: false, validity: None }
    }

    /// Runs a command to its tagged OK. `on` sees every response, the tagged OK too.
    pub(super) async fn command(
        &mut self,
        doing: &'static str,
        line: &str,
        mut on: impl FnMut(&Response<'_>) -> Result<(), MailboxError>,
    ) -> Result<(), MailboxError> {
        let deadline = Instant::now() + COMMAND_LIMIT;
        let tag = self.begin(doing, line).await?;
        loop {
            let limit = deadline.min(Instant::now() + RESPONSE_LIMIT);
            let (ended, seen) = self.answer(doing, limit, |response| (verdict(doing, &tag, response), on(response))).await?;
            match ended {
                Some(Err(MailboxError::Refused { doing, code })) => {
                    self.broken = false;
                    return Err(MailboxError::Refused { doing, code });
                }
                Some(Err(error)) => return Err(error),
                Some(Ok(())) => {
                    self.broken = false;
                    return seen;
                }
                None => seen?,
            }
        }
    }

    /// Sends a command; its answers are read with [`Strict::next`], and [`Strict::finish`] ends it.
    pub(super) async fn begin(&mut self, doing: &'static str, line: &str) -> Result<RequestId, MailboxError> {
        if self.broken {
            return Err(MailboxError::Lost(doing));
        }
        // RFC 9051 §4.3: these end a command or cannot be sent; here they would be an injection.
        if line.contains(['\r', '\n', '\0']) {
            return Err(MailboxError::Protocol(doing));
        }
        self.broken = true;
        let sent = timeout(RESPONSE_LIMIT, self.session.run_command(line)).await;
        sent.map_err(|_| MailboxError::Timeout(doing))?.map_err(|_| MailboxError::Lost(doing))
    }

    /// Sends a line that continues the current command.
    pub(super) async fn go_on(&mut self, doing: &'static str, line: &'static str) -> Result<(), MailboxError> {
        let sent = timeout(RESPONSE_LIMIT, self.session.run_command_untagged(line)).await;
        sent.map_err(|_| MailboxError::Timeout(doing))?.map_err(|_| MailboxError::Lost(doing))
    }

    /// The command that was begun has had its tagged answer.
    pub(super) fn finish(&mut self) {
        self.broken = false;
    }

    /// Waits for the next response, without a deadline, takes note of what it says about the folder, and shows it. May
    /// be cancelled: no bytes are lost.
    pub(super) async fn next<O>(&mut self, doing: &'static str, look: impl FnOnce(&Response<'_>) -> O) -> Result<O, MailboxError> {
        let data = {
            match sound(doing, self.session.read_response()).await? {
                // Parse errors come as `Other`; their text is the server's bytes and is dropped.
                Err(error) if matches!(error.kind(), std::io::ErrorKind::Other | std::io::ErrorKind::InvalidData) => {
                    return Err(MailboxError::Protocol(doing));
                }
                Err(_) | Ok(None) => return Err(MailboxError::Lost(doing)),
                Ok(Some(data)) => data,
            }
        };
        let response = data.parsed();
        self.note(doing, response)?;
        Ok(look(response))
    }

    /// [`Strict::next`] with a deadline. A slow server is waited for, one that is out of reach is not: whoever else can reach it is to have the
    /// mailbox within seconds.
    pub(super) async fn answer<O>(
        &mut self,
        doing: &'static str,
        limit: Instant,
        look: impl FnOnce(&Response<'_>) -> O,
    ) -> Result<O, MailboxError> {
        let server = self.server.clone();
        let mut answer = pin!(self.next(doing, look));
        let mut patience = UNEASY;
        loop {
            match timeout_at(limit.min(Instant::now() + patience), &mut answer).await {
                Ok(answer) => return answer,
                Err(_) if Instant::now() >= limit => return Err(MailboxError::Timeout(doing)),
                Err(_) => patience *= 2,
            }
            let Some(server) = &server else { continue };
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                is_there = is_there(server) => if !is_there { return Err(MailboxError::Silent(doing)) },
            }
        }
    }

    /// Asks for nothing, so that the server can say what has changed.
    pub(super) async fn noop(&mut self, doing: &'static str) -> Result<(), MailboxError> {
        self.command(doing, "NOOP", |_| Ok(())).await
    }

    fn note(&mut self, doing: &'static str, response: &Response<'_>) -> Result<(), MailboxError> {
        match response {
            Response::Data { status: Status::Bye, .. } => return Err(MailboxError::Bye(doing)),
            Response::Data { outcome, .. } => {
                if let (Some(ResponseCode::UidValidity(now)), Some(ours)) = (&outcome.code, self.validity)
                    && *now != ours.get()
                {
                    return Err(MailboxError::ValidityChanged);
                }
            }
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.news |= *count > self.exists;
                self.exists = *count;
            }
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            Response::Vanished { earlier: false, uids } => {
                let gone =
                    uids.iter().map(|range| range.end().saturating_sub(*range.start()).saturating_add(1)).fold(0, u32::saturating_add);
                self.exists = self.exists.saturating_sub(gone);
            }
            _ => {}
        }
        Ok(())
    }
}

/// How a response ends the command with this tag; None when it does not.
pub(super) fn verdict(doing: &'static str, tag: &RequestId, response: &Response<'_>) -> Option<Result<(), MailboxError>> {
    match response {
        Response::Done { tag: ours, status: Status::Ok, .. } if ours == tag => Some(Ok(())),
        Response::Done { tag: ours, status: Status::No, outcome } if ours == tag => {
            let code = match &outcome.code {
                Some(ResponseCode::TryCreate) => Some("TRYCREATE"),
                _ => outcome.information.as_deref().and_then(known_code),
            };
            Some(Err(MailboxError::Refused { doing, code }))
        }
        // BAD, the end of a command that we did not give, or a wish for more of a command that is whole.
        Response::Done { .. } | Response::Continue(_) => Some(Err(MailboxError::Protocol(doing))),
        _ => None,
    }
}

/// The response code in a server's text, if it is one of RFC 5530.
pub(super) fn known_code(text: &str) -> Option<&'static str> {
    const CODES: [&str; 18] = [
        "UNAVAILABLE",
        "AUTHENTICATIONFAILED",
        "AUTHORIZATIONFAILED",
        "EXPIRED",
        "PRIVACYREQUIRED",
        "CONTACTADMIN",
        "NOPERM",
        "INUSE",
        "EXPUNGEISSUED",
        "CORRUPTION",
        "SERVERBUG",
        "CLIENTBUG",
        "CANNOT",
        "LIMIT",
        "OVERQUOTA",
        "ALREADYEXISTS",
        "NONEXISTENT",
        "TRYCREATE",
    ];
    let (_, from_bracket) = text.split_once('[')?;
    let (word, _) = from_bracket.split_once([']', ' '])?;
    CODES.into_iter().find(|code| code.eq_ignore_ascii_case(word))
}

/// A quoted string (RFC 9051 §4.3).
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
