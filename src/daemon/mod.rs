//! The daemon: every mailbox tended, every reply sent.
//!
//! One task a mailbox, one for the outbox; a mailbox in trouble holds up nobody but itself. All order lies in the
//! database: a task may die anywhere and be started again.

mod intake;
mod round;
mod tending;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, RwLock, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::tending::Tried;
use crate::health::Pulse;
use crate::journey::Journey;
use crate::mailbox::MailboxError;
use crate::outbox::actions::ActError;
use crate::outbox::{self, Transport};
use crate::store::{self, Lease, Store, StoreError};

pub use self::intake::{Account, mail_outside_a_mailbox};

/// The first and the longest wait before a mailbox in trouble is opened again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait of the outbox when nobody wakes it: retries fall due by the clock.
const OUTBOX_LOOKS: Duration = Duration::from_secs(5);
/// How long an orderly stop may take before what is in hand is dropped; the database knows how to go on.
const DRAIN: Duration = Duration::from_secs(30);

/// What stopped a mailbox's task.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The mailbox.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Either of them, while mails were filed or deleted.
    #[error(transparent)]
    Acting(#[from] ActError),
    /// The mailbox, while mails were fetched: it may be one of them that it cannot give.
    #[error(transparent)]
    Fetching(MailboxError),
    /// Less room is left on the disk than is to be kept free.
    #[error("the disk has less room left than `keep_free` says; no mail is fetched until there is more")]
    NoRoom,
    /// A mistake of ours: the task panicked.
    #[error("a mistake in postkamer stopped the task")]
    Panicked,
}

impl Trouble {
    /// Whether trying again may help without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Mailbox(error) | Self::Fetching(error) | Self::Acting(ActError::Mailbox(error)) => error.is_passing(),
            Self::Store(error) | Self::Acting(ActError::Store(error)) => error.is_passing(),
            Self::NoRoom | Self::Panicked => true,
        }
    }

    /// Whether it came of one mail rather than of the mailbox or the database: the others can go on.
    fn is_of_a_mail(&self) -> bool {
        match self {
            Self::Store(error) => !error.is_passing(),
            Self::Fetching(_) | Self::Panicked => !self.is_silence(),
            Self::Mailbox(_) | Self::Acting(_) | Self::NoRoom => false,
        }
    }

    /// Whether it is about our way to the mailbox, or about our disk: another daemon may fare better.
    fn is_ours_alone(&self) -> bool {
        matches!(self, Self::Mailbox(_) | Self::NoRoom) || self.is_silence()
    }

    /// Whether the mail server is known to be out of reach, whatever was being done: no mail is to blame, and nothing is gained by waiting.
    fn is_silence(&self) -> bool {
        matches!(self, Self::Mailbox(of) | Self::Fetching(of) | Self::Acting(ActError::Mailbox(of)) if matches!(of, MailboxError::Silent(_)))
    }
}

/// All that the tasks share.
#[derive(Clone)]
pub struct Daemon(Arc<Shared>);

struct Shared {
    journey: Arc<Journey>,
    store: Store,
    transport: tokio::sync::Mutex<Transport>,
    lease: Lease,
    /// What is in hand: batches beside each other, or one mail alone in the whole of the program.
    hands: Arc<RwLock<()>>,
    /// A reply was booked.
    replies: Notify,
    /// How often a mailbox had to be let go because it was out of reach: as often it is doubtful whether others can be reached.
    doubts: watch::Sender<u64>,
    /// Whose limit on replies was told of.
    alarms: intake::Alarms,
    /// How each mailbox is.
    pulse: Pulse,
    /// Who wants to know what became of each mail.
    witness: Option<mpsc::UnboundedSender<Account>>,
}

impl Daemon {
    /// Ready to work under this lease.
    #[must_use]
    pub fn new(journey: impl Into<Arc<Journey>>, store: Store, transport: Transport, lease: Lease) -> Self {
        Self(Arc::new(Shared {
            journey: journey.into(),
            store,
            transport: transport.into(),
            lease,
            hands: Arc::default(),
            replies: Notify::new(),
            doubts: watch::Sender::default(),
            alarms: intake::Alarms::default(),
            pulse: Pulse::default(),
            witness: None,
        }))
    }

    /// Somebody who is told of each mail once it is booked. Only before the work has begun.
    #[must_use]
    pub fn with_witness(self, witness: mpsc::UnboundedSender<Account>) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => Self(Arc::new(Shared { witness: Some(witness), ..shared })),
            Err(at_work) => Self(at_work),
        }
    }

    /// Shares what is known of the mailboxes with somebody who was there before. Only before the work has begun.
    #[must_use]
    pub fn with_pulse(self, pulse: Pulse) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(shared) => Self(Arc::new(Shared { pulse, ..shared })),
            Err(at_work) => Self(at_work),
        }
    }

    /// Works off all that waits in every mailbox, and all of the outbox that is due. What is in trouble is returned by desk.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn once(&self) -> Result<Vec<(String, Trouble)>, StoreError> {
        let mut tasks = JoinSet::new();
        for desk in &self.0.journey.settings.desks {
            let (daemon, desk) = (self.clone(), desk.clone());
            tasks.spawn(async move {
                let worked = daemon.work_off(&desk).await;
                (desk.name, worked)
            });
        }
        let mut troubled = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((desk, Err(trouble))) => troubled.push((desk, trouble)),
                Err(_) => troubled.push(("?".to_owned(), Trouble::Panicked)),
            }
        }
        crate::upkeep::run(&self.0.journey, &self.0.store).await?;
        self.deliver(&CancellationToken::new()).await?;
        self.0.lease.release().await?;
        Ok(troubled)
    }

    /// Tends all mailboxes and the outbox until the token is cancelled. `ready` is told once every mailbox was tried.
    pub async fn run(&self, stop: &CancellationToken, ready: impl FnOnce() + Send) {
        let mut tasks = JoinSet::new();
        let tried = Arc::new(Semaphore::new(0));
        let desks = &self.0.journey.settings.desks;
        self.0.pulse.begin(desks.iter().map(|desk| (desk.name.as_str(), desk.mailbox.poll)));
        for desk in desks {
            let (daemon, desk, stop) = (self.clone(), desk.clone(), stop.clone());
            let tried = Tried::of(tried.clone());
            tasks.spawn(async move { daemon.tend(&desk, &stop, &tried).await });
        }
        tasks.spawn(for_ever(self.clone(), stop.clone(), |daemon, until| async move { daemon.send(&until).await }));
        tasks.spawn(for_ever(self.clone(), stop.clone(), |daemon, until| async move {
            let shared = &*daemon.0;
            // Nothing expires unseen: after a long stop the desks are reminded before anything is removed.
            if let Err(error) = crate::upkeep::run(&shared.journey, &shared.store).await {
                tracing::warn!(%error, "what is due by the clock could not be done; it is tried again");
            }
            crate::retention::keep(&shared.journey.settings, &shared.store, &shared.lease, &until).await;
        }));
        tasks.spawn(for_ever(self.clone(), stop.clone(), |daemon, until| async move {
            let shared = &*daemon.0;
            crate::upkeep::keep(&shared.journey, &shared.store, &until, || shared.replies.notify_one()).await;
        }));
        let all = u32::try_from(desks.len()).unwrap_or(u32::MAX);
        tokio::select! {
            _ = tried.acquire_many(all) => ready(),
            () = stop.cancelled() => {}
        }
        stop.cancelled().await;
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("work in hand did not end in time and is dropped; it is taken up again at the next start");
        }
        drop(tasks);
        if let Err(error) = self.0.lease.release().await {
            tracing::warn!(%error, "the mailboxes could not be given back; others take them over in a few seconds");
        }
    }

    /// Is there room for more mail? What is decided takes room as well: to write down that a mail is gone from its server must never fail.
    ///
    /// # Errors
    /// There is too little, or the disk does not say.
    pub fn room(&self) -> Result<(), Trouble> {
        let settings = &self.0.journey.settings;
        let free = store::free_space(&[&settings.state_dir, &settings.attachments.store])?;
        let short = free < settings.keep_free;
        self.0.pulse.short_of_room(short);
        if short { Err(Trouble::NoRoom) } else { Ok(()) }
    }

    /// False: the server cannot be used now, and replies stay due.
    async fn deliver(&self, stop: &CancellationToken) -> Result<bool, StoreError> {
        let report = outbox::deliver_due(&self.0.store, &mut *self.0.transport.lock().await, stop).await?;
        self.0.pulse.outbox_blocked(report.trouble.as_ref().map(ToString::to_string));
        let Some(trouble) = report.trouble else { return Ok(true) };
        tracing::warn!(error = %trouble, "replies cannot be sent now; they are tried again");
        Ok(false)
    }

    /// The outbox for ever.
    async fn send(&self, stop: &CancellationToken) {
        let mut wait = OUTBOX_LOOKS;
        while !stop.is_cancelled() {
            match self.deliver(stop).await {
                Ok(true) => wait = OUTBOX_LOOKS,
                // Another daemon may be able to: whoever cannot keeps out of its way.
                Ok(false) => {
                    rest(&mut wait, stop).await;
                    continue;
                }
                Err(error) => tracing::warn!(%error, "the outbox could not be worked off; it is tried again"),
            }
            tokio::select! {
                () = self.0.replies.notified() => {}
                () = tokio::time::sleep(OUTBOX_LOOKS) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// A chore that ends when it is told to. Ended by a panic, a mistake that was logged where it happened, it begins again after a while: a daemon whose
/// replies no longer leave would look as if all were well.
async fn for_ever<D, W>(of: D, stop: CancellationToken, chore: impl Fn(D, CancellationToken) -> W)
where
    D: Clone,
    W: Future<Output = ()> + Send + 'static,
{
    let mut wait = FIRST_WAIT;
    while AbortOnDropHandle::new(tokio::spawn(chore(of.clone(), stop.clone()))).await.is_err() {
        rest(&mut wait, &stop).await;
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Waits, and the next time for twice as long.
async fn rest(wait: &mut Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(jittered(*wait)) => {}
        () = stop.cancelled() => {}
    }
    *wait = (*wait * 2).min(LONGEST_WAIT);
}

/// Within a fifth of the wait, so that many mailboxes of one server do not come back at the same moment.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    let _ = getrandom::fill(&mut byte);
    wait + wait / 5 * u32::from(u8::from_ne_bytes(byte)) / 255
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_chore_that_a_mistake_ends_begins_again() {
        let turns = Arc::new(AtomicUsize::new(0));
        for_ever(turns.clone(), CancellationToken::new(), |turns, _| async move {
            assert!(turns.fetch_add(1, Ordering::SeqCst) == 2, "a mistake");
        })
        .await;
        assert_eq!(turns.load(Ordering::SeqCst), 3);
    }
}
