//! Waiting for mail: IDLE (RFC 2177) where the server has it, else the next poll.

use std::time::Duration;

use imap_proto::Response;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Folder;
use super::strict::verdict;
use crate::mailbox::{MailboxError, Woken};

/// IDLE is given anew after this: servers and address translators forget connections that are silent for long.
const REISSUE: Duration = Duration::from_secs(240);
/// Deadline for the answers to IDLE and DONE, for which a server has nothing to do.
const LIMIT: Duration = Duration::from_secs(20);
/// A server that ends IDLE by itself sooner than this does not really have it.
const TOO_SOON: Duration = Duration::from_secs(10);
const DOING: &str = "waiting for mail";

impl Folder {
    /// Waits for mail. IDLE only shortens the wait: whoever is woken lists the folder and believes that.
    pub(in crate::mailbox) async fn wait(&mut self, stop: &CancellationToken) -> Result<Woken, MailboxError> {
        let until = Instant::now() + self.poll;
        loop {
            match () {
                () if stop.is_cancelled() => return Ok(Woken::Stopped),
                () if self.strict.news => return Ok(Woken::News),
                () if Instant::now() >= until => return Ok(Woken::Poll),
                () if self.idles => self.idle(stop, until.min(Instant::now() + REISSUE)).await?,
                () => tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// One IDLE, until news, the token or the time.
    async fn idle(&mut self, stop: &CancellationToken, until: Instant) -> Result<(), MailboxError> {
        enum Said {
            GoAhead,
            End(Result<(), MailboxError>),
            Other,
        }
        let tag = self.strict.begin(DOING, "IDLE").await?;
        let look = |response: &Response<'_>| match (response, verdict(DOING, &tag, response)) {
            (Response::Continue(_), _) => Said::GoAhead,
            (_, Some(end)) => Said::End(end),
            _ => Said::Other,
        };
        // What is announced before the go-ahead is noted as news by `next`.
        loop {
            let said = self.strict.answer(DOING, Instant::now() + LIMIT, look).await?;
            match said {
                Said::GoAhead => break,
                Said::Other => {}
                Said::End(Err(MailboxError::Refused { .. })) => {
                    self.strict.finish();
                    self.idles = false;
                    return Ok(());
                }
                Said::End(end) => {
                    end?;
                    return Err(MailboxError::Protocol(DOING));
                }
            }
        }
        let since = Instant::now();
        while !self.strict.news {
            let said = tokio::select! {
                biased;
                said = self.strict.next(DOING, look) => said?,
                () = stop.cancelled() => break,
                () = sleep_until(until) => break,
            };
            if let Said::End(end) = said {
                // The server ended it by itself: so it will be given again.
                self.strict.finish();
                self.idles = since.elapsed() > TOO_SOON;
                return end;
            }
        }
        self.strict.go_on(DOING, "DONE").await?;
        loop {
            let said = self.strict.answer(DOING, Instant::now() + LIMIT, look).await?;
            if let Said::End(end) = said {
                self.strict.finish();
                return end;
            }
        }
    }
}
