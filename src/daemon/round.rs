//! What lies in a mailbox, batch after batch: T0, the bytes, T1, and what must happen on the server (DESIGN §4); and which mail is to blame when
//! something goes wrong.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::intake::Turn;
use super::{Daemon, Trouble};
use crate::health::Backlog;
use crate::mailbox::{Listed, MailboxError, RawMail, Session};
use crate::outbox;
use crate::parse::parse;
use crate::settings::Desk;
use crate::store::{ArrivalState, Booked, Booking, StoreError};
use crate::words::MailUid;

/// Mails that share a fetch and a commit.
const BATCH: usize = 100;
/// Bytes that a batch may hold in memory; a larger mail comes alone.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// Batches that may be in hand while another one is fetched: one that is considered, one that is booked.
const AHEAD: usize = 2;
/// How long a deferred mail is left alone before the rate is asked again.
const DEFERRAL: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// For how long a batch waits for a mail of another mailbox that is to be alone in hand, or such a mail for batches of others: no
/// mailbox may hold up another for longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Why a mail is stuck that its server does not give.
const NOT_FETCHED: &str = "not-fetched";

impl Daemon {
    /// What lies in the mailbox now: first what was booked and not yet done on the server, then what is new. What must wait
    /// for a while is left, and counted.
    pub(super) async fn round(&self, desk: &Desk, session: &mut Session, stop: Option<&CancellationToken>) -> Result<Round, Trouble> {
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
                    let uids = std::slice::from_ref(&mail.uid);
                    self.judge_not_fetched(uids, &error, others_came_through || suspects.contains(&mail.uid)).await;
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
            Err(error) => {
                // One that is alone is judged by whether others came through.
                if !place.is_alone() {
                    self.judge_not_fetched(&uids, &error, true).await;
                }
                Err(Trouble::Fetching(error))
            }
        }
    }

    /// From the bytes to T1, on its own way.
    pub(super) fn take_up(&self, desk: &Desk, uids: Vec<MailUid>, raws: Vec<RawMail>, place: Place, turn: Turn) -> InHand {
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
    pub(super) async fn settle(&self, InHand { uids, task, _place }: InHand) -> Result<(Booking, bool), Trouble> {
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
    /// now or before; one that is out of reach says nothing.
    async fn judge_not_fetched(&self, uids: &[MailUid], error: &MailboxError, suspect: bool) {
        let is_guilty = match error {
            MailboxError::Refused { .. } | MailboxError::Protocol(_) => true,
            MailboxError::Silent(_) => false,
            _ => suspect,
        };
        if is_guilty {
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
pub(super) struct Round {
    /// What must wait for a while.
    pub(super) waiting: Backlog,
    /// Mails that the next round is to take up at once: others came in between.
    pub(super) left_some: bool,
}

/// What is in hand, the first batch first.
#[derive(Default)]
struct Hands {
    batches: VecDeque<InHand>,
    /// Whether a settled one left mails for the next round.
    left_some: bool,
}

/// A batch on its way from T0 to T1.
pub(super) struct InHand {
    uids: Vec<MailUid>,
    task: AbortOnDropHandle<Result<(Booking, bool), StoreError>>,
    _place: Place,
}

/// A place among what is in hand, until it is settled; none where patience came to its end.
pub(super) enum Place {
    Beside(#[expect(dead_code, reason = "kept to keep others out")] Option<OwnedRwLockReadGuard<()>>),
    Alone(#[expect(dead_code, reason = "kept to keep others out")] Option<OwnedRwLockWriteGuard<()>>),
}

impl Place {
    fn is_alone(&self) -> bool {
        matches!(self, Self::Alone(_))
    }
}

/// Somebody has to look at this one.
pub(super) fn warn_of_stuck(mail: &MailUid, reason: &str) {
    tracing::error!(%mail, reason, "the mail cannot be processed and is stuck; see `postkamer queue list`");
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

    #[test]
    fn batches_hold_a_hundred_mails_or_eight_megabytes_and_lose_none() {
        let many = listed(&[1000; 220]);
        assert_eq!(batches(&many).iter().map(|b| b.len()).collect::<Vec<_>>(), [100, 100, 20]);
        let large = listed(&[5_000_000, 5_000_000, 40_000_000, 10, 10]);
        assert_eq!(batches(&large).iter().map(|b| b.len()).collect::<Vec<_>>(), [1, 1, 1, 2]);
    }
}
