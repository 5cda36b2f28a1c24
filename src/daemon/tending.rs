//! A mailbox for ever: opened again whatever goes wrong, given to another daemon when it is out of reach from here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::round::{Round, warn_of_stuck};
use super::{DRAIN, Daemon, FIRST_WAIT, Trouble, rest};
use crate::mailbox::{self, MailboxError, Woken};
use crate::settings::Desk;

/// For how long a mailbox that cannot be reached is kept where another daemon may be able to: whoever is cut off from it counts as dead then. As long
/// as a lease lasts; shorter trouble, such as a server that is started anew, is waited out.
const HOPE: Duration = Duration::from_secs(10);
/// How many sessions `once` takes for a mailbox whose mails bring trouble: together, three times alone, and a last one without.
const SESSIONS: usize = 5;

/// How the work on a mailbox in our hands ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// It was told to.
    InOrder,
    /// The mailbox is out of reach from here, while another daemon may reach it.
    OutOfReach,
}

impl Daemon {
    /// One mailbox for ever: whenever it is in our hands.
    pub(super) async fn tend(&self, desk: &Desk, stop: &CancellationToken, tried: &Tried) {
        let (lease, mailbox) = (&self.0.lease, desk.mailbox_id());
        let (mut doubts, mut was_read) = (self.0.doubts.subscribe(), false);
        while !stop.is_cancelled() {
            doubts.mark_unchanged();
            let mut wait = FIRST_WAIT;
            let held = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                held = lease.hold(&mailbox) => held,
                // Nobody is asked for a mailbox that would be out of reach here like the one that was let go.
                _ = doubts.changed() => {
                    self.reach_again(desk, &mut wait, stop).await;
                    was_read = true;
                    continue;
                }
                () = self.elsewhere(desk, tried) => continue,
            };
            let until = stop.child_token();
            let ended = {
                let mut held_by_us = std::pin::pin!(self.tend_ours(desk, &until, tried, &mut wait, std::mem::take(&mut was_read)));
                tokio::select! {
                    ended = &mut held_by_us => ended,
                    () = held.ending().cancelled() => {
                        until.cancel();
                        tracing::info!(desk = %desk.name, "the mailbox goes to another daemon");
                        self.0.pulse.given_up(&desk.name);
                        // What hangs on a connection that is cut off is left to itself: nothing of it can be committed.
                        let _ = tokio::time::timeout(DRAIN, held_by_us).await;
                        Ended::InOrder
                    }
                }
            };
            if ended == Ended::OutOfReach {
                tracing::info!(desk = %desk.name, "the mailbox is out of reach from here and is left to another daemon, if one can reach it");
                self.0.doubts.send_modify(|doubts| *doubts += 1);
                held.let_go();
                self.reach_again(desk, &mut wait, stop).await;
                was_read = true;
            }
        }
    }

    /// Another daemon holds the mailbox; never returns while it does.
    async fn elsewhere(&self, desk: &Desk, tried: &Tried) {
        self.0.lease.held_elsewhere(&desk.mailbox_id()).await;
        self.0.pulse.elsewhere(&desk.name);
        tried.once();
        std::future::pending().await
    }

    /// A mailbox that is not in our hands, and perhaps in nobody's: returns once it can be read from here, as often tried as if it were ours.
    async fn reach_again(&self, desk: &Desk, wait: &mut Duration, stop: &CancellationToken) {
        loop {
            rest(wait, stop).await;
            let (daemon, of) = (self.clone(), desk.clone());
            let reading = AbortOnDropHandle::new(tokio::spawn(async move { daemon.read(&of).await }));
            let read = tokio::select! {
                read = reading => read.unwrap_or(Err(Trouble::Panicked)),
                () = stop.cancelled() => return,
            };
            match read {
                Ok(()) => return self.0.pulse.within_reach(&desk.name),
                Err(trouble) => {
                    self.0.pulse.out_of_reach(&desk.name, trouble.to_string());
                    tracing::warn!(desk = %desk.name, error = %trouble, seconds = wait.as_secs(), "the mailbox is out of reach from here; it is tried again after a while");
                }
            }
        }
    }

    /// Only looks; so it may be done without holding the mailbox.
    async fn read(&self, desk: &Desk) -> Result<(), Trouble> {
        self.room()?;
        let mut session = mailbox::open(desk.mailbox_id(), &desk.mailbox).await?;
        session.list().await?;
        session.close().await;
        Ok(())
    }

    /// One mailbox as long as it is ours: whatever goes wrong, it is opened again after a while. One that was read a moment ago is within reach
    /// even if opening it takes its time.
    async fn tend_ours(&self, desk: &Desk, stop: &CancellationToken, tried: &Tried, wait: &mut Duration, mut was_read: bool) -> Ended {
        let mut within_reach = Instant::now();
        loop {
            let hopes = self.0.lease.is_shared() && !std::mem::take(&mut was_read);
            let patience = hopes.then(|| HOPE.saturating_sub(within_reach.elapsed()).max(FIRST_WAIT));
            // A task of its own, so that a panic is trouble like any other.
            let (daemon, of, until) = (self.clone(), desk.clone(), stop.clone());
            let opened = Arc::new(Notify::new());
            let signal = opened.clone();
            let mut task = AbortOnDropHandle::new(tokio::spawn(async move { daemon.watch(&of, &until, patience, &signal).await }));
            let ended = tokio::select! {
                () = opened.notified() => {
                    tried.once();
                    *wait = FIRST_WAIT;
                    let ended = task.await;
                    within_reach = Instant::now();
                    ended
                }
                ended = &mut task => ended,
            };
            tried.once();
            let trouble = match ended {
                Ok(Ok(())) => return Ended::InOrder,
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::Panicked,
            };
            if stop.is_cancelled() {
                return Ended::InOrder;
            }
            tracing::warn!(desk = %desk.name, error = %trouble, seconds = wait.as_secs(), "the mailbox is in trouble; it is opened again after a while");
            if !trouble.is_ours_alone() {
                within_reach = Instant::now();
            } else if self.0.lease.is_shared() && (trouble.is_silence() || within_reach.elapsed() + *wait >= HOPE) {
                // Who would rest for longer than there is hope need not hold it meanwhile.
                self.0.pulse.out_of_reach(&desk.name, trouble.to_string());
                return Ended::OutOfReach;
            }
            self.0.pulse.in_trouble(&desk.name, trouble.to_string());
            rest(wait, stop).await;
        }
    }

    /// One session: work off what waits, wait for more.
    async fn watch(&self, desk: &Desk, stop: &CancellationToken, patience: Option<Duration>, opened: &Notify) -> Result<(), Trouble> {
        self.after_unclean_stop(desk).await?;
        let opening = mailbox::open(desk.mailbox_id(), &desk.mailbox);
        let mut session = match patience {
            Some(patience) => tokio::time::timeout(patience, opening).await.map_err(|_| MailboxError::Timeout("letting us in"))??,
            None => opening.await?,
        };
        tracing::info!(desk = %desk.name, "watching the mailbox");
        let lasts = desk.mailbox.token_lasts().await.and_then(|lasts| jiff::SignedDuration::try_from(lasts).ok());
        self.0.pulse.token_ends(&desk.name, lasts.and_then(|lasts| self.0.store.clock().now().checked_add(lasts).ok()));
        loop {
            let Round { waiting, left_some } = self.round(desk, &mut session, Some(stop)).await?;
            self.0.pulse.worked_off(&desk.name, self.0.store.clock().now(), waiting);
            opened.notify_one();
            if left_some && !stop.is_cancelled() {
                continue;
            }
            if stop.is_cancelled() || session.wait(stop).await? == Woken::Stopped {
                session.close().await;
                return Ok(());
            }
        }
    }

    pub(super) async fn work_off(&self, desk: &Desk) -> Result<(), Trouble> {
        let _held = self.0.lease.insist(&desk.mailbox_id()).await?;
        // A mail that brings trouble is met alone in the next session, until it is stuck: the others must not wait for that.
        for _ in 1..SESSIONS {
            match self.work_off_once(desk).await {
                Err(trouble) if trouble.is_of_a_mail() => {}
                ended => return ended,
            }
        }
        self.work_off_once(desk).await
    }

    async fn work_off_once(&self, desk: &Desk) -> Result<(), Trouble> {
        self.after_unclean_stop(desk).await?;
        let mut session = mailbox::open(desk.mailbox_id(), &desk.mailbox).await?;
        while self.round(desk, &mut session, None).await?.left_some {}
        session.close().await;
        Ok(())
    }

    /// Whoever was in hand when a process died, or a task panicked, is met with more care from now on.
    async fn after_unclean_stop(&self, desk: &Desk) -> Result<(), Trouble> {
        let stuck = self.0.store.unclean(&[desk.mailbox_id()]).await?;
        stuck.iter().for_each(|uid| warn_of_stuck(uid, "unclean-stop"));
        Ok(())
    }
}

/// That a mailbox was tried, or is in other hands, is told once.
pub(super) struct Tried {
    told: AtomicBool,
    all: Arc<Semaphore>,
}

impl Tried {
    pub(super) fn of(all: Arc<Semaphore>) -> Self {
        Self { told: AtomicBool::new(false), all }
    }

    fn once(&self) {
        if !self.told.swap(true, Ordering::SeqCst) {
            self.all.add_permits(1);
        }
    }
}
