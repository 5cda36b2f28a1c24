//! The daemon: every mailbox tended, every reply sent.
//!
//! One task a mailbox, one for the outbox; a mailbox in trouble holds up nobody but itself. All order lies in the
//! database: a task may die anywhere and be started again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, Semaphore, SemaphorePermit, mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::decide::{Outcome, Reason, ServerAction, Template};
use crate::health::{Backlog, Pulse};
use crate::journey::{Journey, Received};
use crate::mailbox::{self, Listed, MailboxError, RawMail, Session, Woken};
use crate::outbox::{self, Transport};
use crate::parse::parse;
use crate::plan::{self, Considered, Intake, Plan, Questions, TicketPlan, Unsent};
use crate::settings::Desk;
use crate::store::{self, ArrivalState, Booked, Booking, Lease, Store, StoreError};
use crate::words::{MailUid, Redacted, TicketNumber};

/// Mails that share a fetch and a commit.
const BATCH: usize = 100;
/// Bytes that a batch may hold in memory; a larger mail comes alone.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// Batches that may be in hand while another one is fetched: one that is considered, one that is booked.
const AHEAD: usize = 2;
/// For how long after its arrival a mail waits for DNS to say whether its sender is authentic (mode `verify`). A queue that
/// nobody is told of is no place for a customer's mail because of a passing fault; for ever is no term either.
const DNS_PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);
/// How long a deferred mail is left alone before the rate is asked again.
const DEFERRAL: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// The first and the longest wait before a mailbox in trouble is opened again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// For how long a mailbox that cannot be reached is kept where another daemon may be able to: whoever is cut off from it counts as dead then. As long
/// as a lease lasts; shorter trouble, such as a server that is started anew, is waited out.
const HOPE: Duration = Duration::from_secs(10);
/// For how long a batch waits for a mail of another mailbox that is to be alone in hand, or such a mail for batches of others: no
/// mailbox may hold up another for longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many sessions `once` takes for a mailbox whose mails bring trouble: together, three times alone, and a last one without.
const SESSIONS: usize = 5;
/// The longest wait of the outbox when nobody wakes it: retries fall due by the clock.
const OUTBOX_LOOKS: Duration = Duration::from_secs(5);
/// How long an orderly stop may take before what is in hand is dropped; the database knows how to go on.
const DRAIN: Duration = Duration::from_secs(30);

/// Why a mail is stuck that its server does not give.
const NOT_FETCHED: &str = "not-fetched";

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
    Acting(#[from] outbox::actions::ActError),
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
            Self::Mailbox(error) | Self::Fetching(error) => error.is_passing(),
            Self::Store(error) | Self::Acting(outbox::actions::ActError::Store(error)) => error.is_passing(),
            Self::Acting(outbox::actions::ActError::Mailbox(error)) => error.is_passing(),
            Self::NoRoom | Self::Panicked => true,
        }
    }

    /// Whether it came of one mail rather than of the mailbox or the database: the others can go on.
    fn is_of_a_mail(&self) -> bool {
        match self {
            Self::Store(error) => !error.is_passing(),
            Self::Fetching(_) | Self::Panicked => true,
            Self::Mailbox(_) | Self::Acting(_) | Self::NoRoom => false,
        }
    }

    /// Whether it is about our way to the mailbox, or about our disk: another daemon may fare better.
    fn is_ours_alone(&self) -> bool {
        matches!(self, Self::Mailbox(_) | Self::NoRoom)
    }
}

/// How the work on a mailbox in our hands ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// It was told to.
    InOrder,
    /// The mailbox is out of reach from here, while another daemon may reach it.
    OutOfReach,
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
    /// How each mailbox is.
    pulse: Pulse,
    /// Who wants to know what became of each mail.
    witness: Option<mpsc::UnboundedSender<Account>>,
}

/// What became of one mail, in codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which mail.
    pub uid: MailUid,
    /// The verdict.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The ticket that was opened or appended to.
    pub ticket: Option<TicketNumber>,
    /// The replies, each with the number of people in its CC.
    pub replies: Vec<(Template, usize)>,
    /// What happens to the mail on the server.
    pub server: ServerAction,
}

impl Account {
    fn of(plan: &Plan) -> Self {
        let ticket = match &plan.ticket {
            TicketPlan::Open(ticket) => Some(ticket.number),
            TicketPlan::Append { ticket, .. } => Some(*ticket),
            TicketPlan::Note { .. } | TicketPlan::None => None,
        };
        Self {
            uid: plan.uid.clone(),
            outcome: plan.outcome,
            reasons: plan.reasons.clone(),
            ticket,
            replies: plan.replies.iter().map(|reply| (reply.template, reply.cc.len())).collect(),
            server: plan.server,
        }
    }
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
            let tried = Tried { told: AtomicBool::new(false), all: tried.clone() };
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

    /// One mailbox for ever: whenever it is in our hands.
    async fn tend(&self, desk: &Desk, stop: &CancellationToken, tried: &Tried) {
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
            } else if self.0.lease.is_shared() && within_reach.elapsed() + *wait >= HOPE {
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

    async fn work_off(&self, desk: &Desk) -> Result<(), Trouble> {
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

    /// What lies in the mailbox now: first what was booked and not yet done on the server, then what is new. What must wait
    /// for a while is left, and counted.
    async fn round(&self, desk: &Desk, session: &mut Session, stop: Option<&CancellationToken>) -> Result<Round, Trouble> {
        let stopped = || stop.is_some_and(CancellationToken::is_cancelled);
        self.act_due(desk, session).await?;
        self.room()?;
        let listed = session.list().await?;
        self.0.store.forget_absent(&desk.mailbox_id(), &listed.iter().map(|mail| mail.uid.clone()).collect()).await?;
        let Sorted { together, alone, suspects, resting } = self.sort(&listed).await?;
        self.0.pulse.at_work(&desk.name, backlog([&together, &alone, &resting]));
        let left_some = self.work_through(desk, session, &batches(&together), false, &stopped).await?;
        let (mut trouble, mut others_came_through) = (None, !together.is_empty());
        for mail in &alone {
            match self.work_through(desk, session, &[std::slice::from_ref(mail)], true, &stopped).await {
                Err(Trouble::Fetching(error)) => {
                    self.judge_not_fetched(&mail.uid, &error, others_came_through || suspects.contains(&mail.uid)).await;
                    return Err(Trouble::Fetching(error));
                }
                // The session goes on: the mails behind it are met before it is tried again.
                Err(own) if own.is_of_a_mail() => trouble = Some(own),
                // One that is alone waits for nobody's turn.
                ended => drop(ended?),
            }
            others_came_through = true;
        }
        self.act_due(desk, session).await?;
        trouble.map_or_else(|| Ok(Round { waiting: backlog([&resting]), left_some }), Err)
    }

    async fn act_due(&self, desk: &Desk, session: &mut Session) -> Result<(), Trouble> {
        let store = &self.0.store;
        let recognise = |raw: &RawMail| store.keys().mail(&parse(raw.bytes.reveal(), raw.truncated).digest);
        outbox::act_due(store, &desk.mailbox_id(), &desk.mailbox, session, recognise).await?;
        Ok(())
    }

    /// Mails without a result: those that may go together, and those that brought trouble or were in hand when it came. Of these
    /// the least tried come first, so that one that brings it again and again holds up nobody.
    async fn sort(&self, listed: &[Listed]) -> Result<Sorted, StoreError> {
        let uids: Vec<MailUid> = listed.iter().map(|mail| mail.uid.clone()).collect();
        let new = self.0.store.filter_new(&uids).await?;
        let due = self.0.store.clock().now();
        let waiting = self.0.store.waiting().await?;
        let rest = waiting.into_iter().filter(|w| w.state == ArrivalState::Deferred && due.duration_since(w.since) < DEFERRAL);
        let resting: HashSet<MailUid> = rest.map(|w| w.uid).collect();
        let (mut sorted, mut used_before, mut attempts) = (Sorted::default(), Vec::new(), HashMap::new());
        let mut unbooked = new.into_iter().peekable();
        for mail in listed {
            let Some(found) = unbooked.next_if(|unbooked| unbooked.uid == mail.uid) else { continue };
            match found.state {
                ArrivalState::Stuck => {}
                ArrivalState::UidUsedBefore => used_before.push(found.uid),
                ArrivalState::Deferred if resting.contains(&mail.uid) => sorted.resting.push(mail.clone()),
                _ if found.wants_to_be_alone() => {
                    attempts.insert(found.uid, found.attempts);
                    sorted.alone.push(mail.clone());
                }
                _ => sorted.together.push(mail.clone()),
            }
        }
        if !used_before.is_empty() {
            self.0.store.set_aside(&used_before).await?;
            used_before.iter().for_each(|uid| warn_of_stuck(uid, "uid-used-before"));
        }
        sorted.alone.sort_by_key(|mail| attempts.get(&mail.uid).copied());
        // The first attempt was shared with others.
        sorted.suspects = attempts.into_iter().filter(|(_, attempts)| *attempts > 1).map(|(uid, _)| uid).collect();
        Ok(sorted)
    }

    /// Batch after batch: T0, the journey, T1, and what must happen on the server (DESIGN §4). The session fetches and files
    /// while batches that are in hand are considered and booked, in their order. Tells whether mails were left for the next round.
    async fn work_through(
        &self,
        desk: &Desk,
        session: &mut Session,
        batches: &[&[Listed]],
        alone: bool,
        stopped: &impl Fn() -> bool,
    ) -> Result<bool, Trouble> {
        let mut in_hand = Hands::default();
        let worked: Result<(), Trouble> = async {
            let mut turn = Turn::first();
            for batch in batches {
                if stopped() {
                    break;
                }
                self.room()?;
                let (own, next) = turn.pass_on();
                turn = next;
                let place = self.place(alone, &mut in_hand, session).await?;
                in_hand.batches.push_back(self.take_in_hand(desk, session, batch, place, own).await?);
                if in_hand.batches.len() > AHEAD {
                    self.finish(&mut in_hand, session).await?;
                }
            }
            while !in_hand.batches.is_empty() {
                self.finish(&mut in_hand, session).await?;
            }
            Ok(())
        }
        .await;
        // After trouble the rest is not acted on; what got booked is due at the next session.
        for rest in in_hand.batches {
            let _ = self.settle(rest).await;
        }
        worked.map(|()| in_hand.left_some)
    }

    /// A place among what is in hand. A mail that is to be alone waits until nothing else is, in no mailbox: when it brings the
    /// program down, a neighbour must not be taken for the guilty one (DESIGN §4). Whoever waits for it lets go first of what they have.
    async fn place(&self, alone: bool, in_hand: &mut Hands, session: &mut Session) -> Result<Place, Trouble> {
        let hands = &self.0.hands;
        if alone {
            return Ok(Place::Alone(tokio::time::timeout(PATIENCE, hands.clone().write_owned()).await.ok()));
        }
        if let Ok(place) = hands.clone().try_read_owned() {
            return Ok(Place::Beside(Some(place)));
        }
        while !in_hand.batches.is_empty() {
            self.finish(in_hand, session).await?;
        }
        Ok(Place::Beside(tokio::time::timeout(PATIENCE, hands.clone().read_owned()).await.ok()))
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

    /// T0 and the bytes; everything up to T1 then goes its own way.
    async fn take_in_hand(
        &self,
        desk: &Desk,
        session: &mut Session,
        mails: &[Listed],
        place: Place,
        turn: Turn,
    ) -> Result<InHand, Trouble> {
        let uids: Vec<MailUid> = mails.iter().map(|mail| mail.uid.clone()).collect();
        self.0.store.begin(&uids, place.is_alone()).await?;
        match session.fetch(mails).await {
            Ok(raws) => Ok(self.take_up(desk, uids, raws, place, turn)),
            Err(trouble) => {
                // One that is alone is judged by whether others came through.
                if !place.is_alone() {
                    self.blame(&uids, NOT_FETCHED).await;
                }
                Err(Trouble::Fetching(trouble))
            }
        }
    }

    /// From the bytes to T1, on its own way.
    fn take_up(&self, desk: &Desk, uids: Vec<MailUid>, raws: Vec<RawMail>, place: Place, turn: Turn) -> InHand {
        let (daemon, desk) = (self.clone(), desk.clone());
        let task = tokio::spawn(async move { daemon.take_in_at(&desk, raws, turn).await });
        InHand { uids, task: AbortOnDropHandle::new(task), _place: place }
    }

    /// Waits for the booking of the batch that was taken in hand first, and acts on it.
    async fn finish(&self, in_hand: &mut Hands, session: &mut Session) -> Result<(), Trouble> {
        if let Some(first) = in_hand.batches.pop_front() {
            let (booking, left_some) = self.settle(first).await?;
            in_hand.left_some |= left_some;
            outbox::actions::act(&self.0.store, &booking.booked, session).await?;
        }
        Ok(())
    }

    /// Waits for a booking, and lets go what got no result; with whether some of it waits for the next round.
    async fn settle(&self, InHand { uids, task, _place }: InHand) -> Result<(Booking, bool), Trouble> {
        let store = &self.0.store;
        // After a panic the attempt stands, as after any unclean stop.
        let taken_in = task.await.map_err(|_| Trouble::Panicked)?;
        let (booking, left_some) = match taken_in {
            Ok(taken_in) => taken_in,
            // What the database will never hold is a mail's fault: each of them is taken alone from now on, and
            // the one that it was is stuck in the end instead of standing in the way of the others.
            Err(error) if !error.is_passing() => {
                self.blame(&uids, "not-booked").await;
                return Err(error.into());
            }
            // The database failed, not the mails: they are not to blame.
            Err(error) => {
                let _ = store.let_go(&uids).await;
                return Err(error.into());
            }
        };
        let settled: HashSet<&MailUid> = booking.booked.iter().map(Booked::uid).chain(&booking.deferred).collect();
        let gone: Vec<MailUid> = uids.into_iter().filter(|uid| !settled.contains(uid)).collect();
        store.let_go(&gone).await?;
        Ok((booking, left_some))
    }

    /// A server that refuses one mail says something about that mail; a connection that ends at it only where others came through,
    /// now or before.
    async fn judge_not_fetched(&self, uid: &MailUid, error: &MailboxError, suspect: bool) {
        let uids = std::slice::from_ref(uid);
        if suspect || matches!(error, MailboxError::Refused { .. } | MailboxError::Protocol(_)) {
            self.blame(uids, NOT_FETCHED).await;
        } else {
            let _ = self.0.store.let_go(uids).await;
        }
    }

    /// It is one of these mails that brought trouble: each is taken alone from now on, and stuck after three attempts.
    async fn blame(&self, uids: &[MailUid], reason: &'static str) {
        match self.0.store.settle_failure(uids, reason).await {
            Ok(stuck) => stuck.iter().for_each(|uid| warn_of_stuck(uid, reason)),
            // The attempt stands, as after any unclean stop.
            Err(error) => tracing::warn!(%error, "that mails brought trouble could not be noted"),
        }
    }

    /// A mail from outside a mailbox, T0 to T1: whoever offers it again does so for ever, also when it brings the program down each time. One that
    /// is neither booked nor deferred afterwards waits for DNS.
    ///
    /// # Errors
    /// It cannot be booked, or a mistake of ours stopped the work.
    pub async fn take_in(&self, desk: &Desk, raw: RawMail) -> Result<Booking, Trouble> {
        let uids = vec![raw.uid.clone()];
        self.0.store.begin(&uids, true).await?;
        let (booking, _) = self.settle(self.take_up(desk, uids, vec![raw], Place::Alone(None), Turn::first())).await?;
        self.0.store.let_go(&booking.deferred).await?;
        Ok(booking)
    }

    /// From bytes to booking; the way of every mail, whatever source it comes from. Tells also whether mails were left for the next round.
    async fn take_in_at(&self, desk: &Desk, raws: Vec<RawMail>, turn: Turn) -> Result<(Booking, bool), StoreError> {
        let now = self.0.store.clock().now();
        let considered = self.consider(desk, raws, now).await?;
        let left_some = considered.iter().any(Option::is_none);
        // Where the mails before these could not be booked, these are not either.
        let Some(turn) = turn.come().await else { return Ok((Booking::default(), false)) };
        let booking = self.book(desk, considered.into_iter().flatten().collect(), now).await?;
        turn.over();
        Ok((booking, left_some))
    }

    /// Everything about these mails that can be known without memory, on all processors. None of one whose sender has had their time: it is
    /// left for the next round.
    async fn consider(&self, desk: &Desk, raws: Vec<RawMail>, now: jiff::Timestamp) -> Result<Vec<Option<Considered>>, StoreError> {
        let mails = self.receive(raws, now).await;
        let over_rate = self.over_rate(desk, &mails, now).await?;
        let queues = self.queues(desk, &mails, now);
        let desk = Arc::new(desk.clone());
        Ok(side_by_side(mails.into_iter().zip(over_rate).zip(queues).map(|((received, over), queue)| {
            let (daemon, desk) = (self.clone(), desk.clone());
            async move {
                let shared = &*daemon.0;
                let queue = queue.filter(|_| !over);
                let turn = match &queue {
                    Some(queue) => queue.turn(shared.journey.settings.attachments.reading_time).await,
                    None => None,
                };
                let must_wait = queue.as_ref().filter(|_| turn.is_none());
                if must_wait.is_some_and(|queue| queue.is_a_customers) {
                    return None;
                }
                // A stranger's waits as one over the intake rate does.
                let over = over || must_wait.is_some();
                let begun = Instant::now();
                let considered = shared.journey.consider(&desk, received, over, Some(shared.store.keys()), now).await;
                shared.pulse.screened(begun.elapsed());
                Some(considered)
            }
        }))
        .await)
    }

    /// The queue in which each of these mails waits for its files to be read; none for a mail without files.
    fn queues(&self, desk: &Desk, mails: &[Received], now: jiff::Timestamp) -> Vec<Option<Arc<Queue>>> {
        let mut queues: HashMap<Option<String>, Arc<Queue>> = HashMap::new();
        let queue = |received: &Received| {
            let customer = self.0.journey.intake(desk, received, self.0.store.keys(), now).customer().map(str::to_owned);
            let is_a_customers = customer.is_some();
            queues.entry(customer).or_insert_with(|| Arc::new(Queue::new(is_a_customers))).clone()
        };
        let mut queue = queue;
        mails.iter().map(|received| (!received.mail.attachments.is_empty()).then(|| queue(received))).collect()
    }

    /// T1: decides, plans and books.
    async fn book(&self, desk: &Desk, considered: Vec<Considered>, now: jiff::Timestamp) -> Result<Booking, StoreError> {
        let shared = &*self.0;
        let letterhead = desk.letterhead();
        let policy = desk.policy();
        let house = &shared.journey.house;
        let questions = plan::questions(considered.iter().map(|mail| (mail, &letterhead)), shared.store.keys(), now);
        let mut accounts = Vec::with_capacity(considered.len());
        let booking = shared
            .store
            .book(&shared.lease, &questions, |ledger, keys| {
                let planned = |mail| plan::plan(mail, &letterhead, &policy, house, ledger, keys, now);
                let noted = |plan: &Plan| {
                    warn_of_unsent(plan);
                    accounts.push(Account::of(plan));
                };
                shared.journey.watchdog().over(|| considered.into_iter().map(planned).inspect(noted).collect())
            })
            .await?;
        for account in accounts {
            tell(&account);
            if let Some(witness) = &shared.witness {
                let _ = witness.send(account);
            }
        }
        shared.pulse.moved(&desk.name);
        shared.replies.notify_one();
        Ok(booking)
    }

    /// Reads the mails. One whose authenticity depends on DNS that did not answer is left out, and so in the mailbox, until it
    /// has waited long enough; then it goes on as one that nobody vouched for.
    async fn receive(&self, raws: Vec<RawMail>, now: jiff::Timestamp) -> Vec<Received> {
        let mails = side_by_side(raws.into_iter().map(|raw| {
            let daemon = self.clone();
            async move { daemon.0.journey.receive(raw, now).await }
        }))
        .await;
        let is_patient = |mail: &Received| now.duration_since(mail.raw.arrived(now)) < DNS_PATIENCE;
        let (waiting, received): (Vec<_>, Vec<_>) = mails.into_iter().partition(|mail| mail.undecided && is_patient(mail));
        if !waiting.is_empty() {
            tracing::warn!(mails = waiting.len(), "DNS does not say whether the sender is authentic; the mails wait and are tried again");
        }
        received
    }

    /// Which of these mails are over the intake rate already, so that a flood of attachments is not opened first. Only mail with
    /// attachments costs enough to be asked for; the booking judges all of them again, and exactly.
    async fn over_rate(&self, desk: &Desk, mails: &[Received], now: jiff::Timestamp) -> Result<Vec<bool>, StoreError> {
        let shared = &*self.0;
        if mails.iter().all(|received| received.mail.attachments.is_empty()) {
            return Ok(vec![false; mails.len()]);
        }
        let intakes: Vec<Intake<'_>> =
            mails.iter().map(|received| shared.journey.intake(desk, received, shared.store.keys(), now)).collect();
        let questions = Questions {
            now: Some(now),
            people: intakes.iter().filter_map(|intake| intake.sender.clone()).collect(),
            organisations: intakes.iter().filter_map(|intake| intake.organisation.map(str::to_owned)).collect(),
            desks: [desk.name.clone()].into(),
            ..Questions::default()
        };
        let ledger = shared.store.look(&questions).await?;
        Ok(intakes.iter().map(|intake| plan::over_rate(intake, &ledger, &shared.journey.house.limits)).collect())
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

/// Mails without a result.
#[derive(Default)]
struct Sorted {
    /// They may go together.
    together: Vec<Listed>,
    /// They brought trouble, or were in hand when it came.
    alone: Vec<Listed>,
    /// Of these, those that did so while alone.
    suspects: HashSet<MailUid>,
    /// They are over the rate and wait for their time.
    resting: Vec<Listed>,
}

fn backlog<const N: usize>(lists: [&Vec<Listed>; N]) -> Backlog {
    let all = || lists.iter().flat_map(|list| list.iter());
    let arrived = all().map(|mail| mail.internal_date).filter(|at| *at > 0).min();
    Backlog { mails: all().count(), oldest: arrived.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()) }
}

/// What a round left behind.
struct Round {
    /// What must wait for a while.
    waiting: Backlog,
    /// Mails that the next round is to take up at once: others came in between.
    left_some: bool,
}

/// What is in hand, the first batch first.
#[derive(Default)]
struct Hands {
    batches: VecDeque<InHand>,
    /// Whether a settled one left mails for the next round.
    left_some: bool,
}

/// A batch on its way from T0 to T1.
struct InHand {
    uids: Vec<MailUid>,
    task: AbortOnDropHandle<Result<(Booking, bool), StoreError>>,
    _place: Place,
}

/// A place among what is in hand, until it is settled; none where patience came to its end.
enum Place {
    Beside(#[expect(dead_code, reason = "kept to keep others out")] Option<OwnedRwLockReadGuard<()>>),
    Alone(#[expect(dead_code, reason = "kept to keep others out")] Option<OwnedRwLockWriteGuard<()>>),
}

impl Place {
    fn is_alone(&self) -> bool {
        matches!(self, Self::Alone(_))
    }
}

/// Mails of a batch with files that one customer sent, or all those whom nobody vouches for or who are no customers. A customer's are read two at a
/// time, others' one after the other, and after the time that one mail may take no other is begun: however many slow ones somebody sends, a batch
/// waits for two of them at most (THREATS §4, I6).
struct Queue {
    is_a_customers: bool,
    places: Semaphore,
    /// When the first of them began.
    begun: OnceLock<Instant>,
}

impl Queue {
    fn new(is_a_customers: bool) -> Self {
        Self { is_a_customers, places: Semaphore::new(if is_a_customers { 2 } else { 1 }), begun: OnceLock::new() }
    }

    /// The first always gets one, so that each batch brings the next mail nearer.
    async fn turn(&self, time: Duration) -> Option<SemaphorePermit<'_>> {
        let place = self.places.acquire().await.ok()?;
        let is_first = self.begun.set(Instant::now()).is_ok();
        let in_time = || self.begun.get().is_some_and(|begun| begun.elapsed() < time);
        (is_first || in_time()).then_some(place)
    }
}

/// The turn to book: batches that are considered side by side are booked in the order in which they were fetched.
struct Turn {
    /// Heard from once the batch before is booked; None where there is none.
    after: Option<oneshot::Receiver<()>>,
    /// Tells the batch behind.
    before: Option<oneshot::Sender<()>>,
}

impl Turn {
    fn first() -> Self {
        Self { after: None, before: None }
    }

    /// This turn, and the one behind it.
    fn pass_on(self) -> (Self, Self) {
        let (tell, hear) = oneshot::channel();
        (Self { before: Some(tell), ..self }, Self { after: Some(hear), before: None })
    }

    /// Waits until it is its turn; None when the batch before was not booked.
    async fn come(mut self) -> Option<Self> {
        match self.after.take() {
            Some(before) => before.await.ok().map(|()| self),
            None => Some(self),
        }
    }

    fn over(self) {
        if let Some(behind) = self.before {
            let _ = behind.send(());
        }
    }
}

/// That a mailbox was tried, or is in other hands, is told once.
struct Tried {
    told: AtomicBool,
    all: Arc<Semaphore>,
}

impl Tried {
    fn once(&self) {
        if !self.told.swap(true, Ordering::SeqCst) {
            self.all.add_permits(1);
        }
    }
}

/// Does all jobs on all processors; the results come in the order of the jobs. A panic in one of them is a panic here.
async fn side_by_side<T: Send + 'static>(jobs: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tasks: Vec<_> = jobs.map(|job| AbortOnDropHandle::new(tokio::spawn(job))).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(result) => results.push(result),
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is being shut down; nobody waits for the results.
            Err(Err(_)) => std::future::pending().await,
        }
    }
    results
}

/// Somebody has to look at this one.
fn warn_of_stuck(mail: &MailUid, reason: &str) {
    tracing::error!(%mail, reason, "the mail cannot be processed and is stuck; see `postkamer queue list`");
}

/// One line a mail, under its id: codes only.
fn tell(account: &Account) {
    let reasons: Vec<&str> = account.reasons.iter().map(|reason| reason.as_str()).collect();
    tracing::info!(
        mail = %account.uid,
        verdict = account.outcome.as_str(),
        reasons = reasons.join(","),
        replies = account.replies.len(),
        server = account.server.as_str(),
        "booked"
    );
}

/// A reply that the policy wants and that is not sent is worth an alarm (THREATS §2 rule 10).
fn warn_of_unsent(plan: &Plan) {
    for (template, why) in &plan.unsent {
        let (mail, template) = (&plan.uid, template.as_str());
        match why {
            Unsent::Limit => tracing::warn!(%mail, template, "the limit on replies is reached; this one is not sent"),
            Unsent::Letter => {
                tracing::error!(%mail, template, "a reply could not be written: a name or address in the settings does not fit into a header")
            }
        }
    }
}

/// Stretches of at most 100 mails and 8 MB; a larger mail is a stretch of its own.
fn batches(mails: &[Listed]) -> Vec<&[Listed]> {
    let mut batches = Vec::new();
    let mut rest = mails;
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fitting = rest.iter().take(BATCH).take_while(|mail| {
            bytes = bytes.saturating_add(mail.size);
            bytes <= BATCH_BYTES
        });
        let (batch, later) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = later;
    }
    batches
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

/// A mail that comes from no mailbox (`deliver`): its name is made from its bytes, so that the same bytes are the same mail. Of one above
/// `max_mail` only the beginning is kept, as of one in a mailbox.
///
/// # Errors
/// It cannot be read.
pub fn mail_outside_a_mailbox(mut from: impl std::io::Read, now: jiff::Timestamp, max_mail: u64) -> std::io::Result<RawMail> {
    use sha2::{Digest, Sha256};
    let (mut digest, mut size, mut kept) = (Sha256::new(), 0_u64, Vec::new());
    let mut some = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut some) {
            Ok(0) => break,
            Ok(read) => some.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(read);
        size = size.saturating_add(read.len() as u64);
        if size <= max_mail {
            kept.extend_from_slice(read);
        } else if let Some(room) = mailbox::BEGINNING.checked_sub(kept.len()) {
            kept.extend(read.iter().take(room));
        } else {
            kept.truncate(mailbox::BEGINNING);
            kept.shrink_to_fit();
        }
    }
    let digest = digest.finalize();
    let number = |bytes: &[u8]| {
        let number = bytes.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        std::num::NonZeroU32::new(number).unwrap_or(std::num::NonZeroU32::MIN)
    };
    let (validity, uid) = digest.as_slice().split_at(4);
    let uid = MailUid { mailbox: crate::words::MailboxId::new(store::OUTSIDE), validity: number(validity), uid: number(uid) };
    Ok(RawMail { uid, internal_date: now.as_millisecond(), size, truncated: size > max_mail, bytes: Redacted::new(kept) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sizes: &[u64]) -> Vec<Listed> {
        let uid = |n: usize| MailUid {
            mailbox: crate::words::MailboxId::new("m"),
            validity: std::num::NonZeroU32::MIN,
            uid: std::num::NonZeroU32::new(u32::try_from(n).unwrap() + 1).unwrap(),
        };
        sizes.iter().enumerate().map(|(n, size)| Listed { uid: uid(n), size: *size, internal_date: 0, deleted: false }).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_chore_that_a_mistake_ends_begins_again() {
        let turns = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for_ever(turns.clone(), CancellationToken::new(), |turns, _| async move {
            assert!(turns.fetch_add(1, Ordering::SeqCst) == 2, "a mistake");
        })
        .await;
        assert_eq!(turns.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn batches_hold_a_hundred_mails_or_eight_megabytes_and_lose_none() {
        let many = listed(&[1000; 220]);
        assert_eq!(batches(&many).iter().map(|b| b.len()).collect::<Vec<_>>(), [100, 100, 20]);
        let large = listed(&[5_000_000, 5_000_000, 40_000_000, 10, 10]);
        assert_eq!(batches(&large).iter().map(|b| b.len()).collect::<Vec<_>>(), [1, 1, 1, 2]);
    }
}
