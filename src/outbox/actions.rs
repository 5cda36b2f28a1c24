//! The one place where a mail is deleted or filed.
//!
//! It takes its orders from the store, which gives them only for mails whose verdict is committed ([`Booked`]), and it
//! writes an order down as done only after the mailbox was looked at again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::decide::ServerAction;
use crate::mailbox::{self, Listed, MailboxError, RawMail, Session, Settled};
use crate::store::{ActionSettled, Booked, Due, Original, Store, StoreError};
use crate::words::{MailUid, MailboxId, Pseudonym};

/// How many orders are fetched at a time.
const ORDERS: u64 = 500;

/// How many mails of a `done` folder are looked at a time.
const LOOKED_AT: usize = 20;

/// Why the orders of a mailbox were not all carried out. What was not is due again.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The mailbox is in trouble; the session must be given up.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The database is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of the orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// Seen to be filed.
    pub filed: usize,
    /// Seen to be gone.
    pub deleted: usize,
    /// Orders for UIDs that are no longer valid.
    pub moot: usize,
    /// Mails that are still there; tried again later.
    pub failed: usize,
}

impl Acted {
    fn add(&mut self, other: Self) {
        self.filed += other.filed;
        self.deleted += other.deleted;
        self.moot += other.moot;
        self.failed += other.failed;
    }
}

/// Carries out all orders for this mailbox that are due: some of them may have been begun before. `recognise` tells a mail by its content.
///
/// # Errors
/// The mailbox or the database is in trouble.
pub async fn act_due(
    store: &Store,
    mailbox: &MailboxId,
    settings: &mailbox::Settings,
    session: &mut Session,
    recognise: impl Fn(&RawMail) -> Pseudonym,
) -> Result<Acted, ActError> {
    let mut acted = Acted::default();
    loop {
        let due = Due::of(&store.due_actions(mailbox, ORDERS).await?);
        if due.is_empty() {
            return Ok(acted);
        }
        let copied = match session.files_by_copying() {
            true => copied_before(store, mailbox, settings, &due.file, &recognise).await?,
            false => Vec::new(),
        };
        // Every order leaves this loop settled or postponed, so that it ends.
        acted.add(carry_out(store, &due, &copied, session).await?);
    }
}

/// Carries out the orders of a booking that was just committed, without asking for them again.
///
/// # Errors
/// As [`act_due`]. The orders then stay due.
pub async fn act(store: &Store, booked: &[Booked], session: &mut Session) -> Result<Acted, ActError> {
    carry_out(store, &Due::of(booked), &[], session).await
}

/// `copied`: mails to be filed that only have to be removed any more.
async fn carry_out(store: &Store, due: &Due, copied: &[MailUid], session: &mut Session) -> Result<Acted, ActError> {
    let (half_filed, unfiled): (Vec<MailUid>, Vec<MailUid>) = due.file.iter().cloned().partition(|uid| copied.contains(uid));
    let mut acted = Acted::default();
    for (action, uids, removes) in
        [(ServerAction::Delete, &due.delete, true), (ServerAction::File, &half_filed, true), (ServerAction::File, &unfiled, false)]
    {
        if uids.is_empty() {
            continue;
        }
        let outcome = if removes { session.remove(uids).await } else { session.file(uids).await };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(trouble) => {
                store.action_done(uids, ActionSettled::Failed).await?;
                return Err(trouble.into());
            }
        };
        let done = if action == ServerAction::File { ActionSettled::Filed(session.shelf()) } else { ActionSettled::Done };
        acted.add(settle(store, action, uids, &outcome, done).await?);
    }
    Ok(acted)
}

/// Those of these mails of which a copy lies in the `done` folder: the answer to COPY may have been lost, and a second one would be a
/// second copy. A copy has the moment of arrival (RFC 9051 §6.4.7) and the content of its mail. Of equal mails that arrived at the same
/// moment one copy stands for all.
async fn copied_before(
    store: &Store,
    mailbox: &MailboxId,
    settings: &mailbox::Settings,
    mails: &[MailUid],
    recognise: impl Fn(&RawMail) -> Pseudonym,
) -> Result<Vec<MailUid>, ActError> {
    if mails.is_empty() {
        return Ok(Vec::new());
    }
    let Some(mut done) = mailbox::open_done(mailbox.clone(), settings).await? else { return Ok(Vec::new()) };
    let filed = store.originals_of(mails).await?;
    let arrivals: HashSet<i64> = filed.iter().filter_map(|(_, mail)| mail.received_at).collect();
    let arrived = |listed: &Listed| arrivals.contains(&listed.internal_date);
    let candidates: Vec<Listed> = done.list().await?.into_iter().filter(arrived).collect();
    let mut there = BTreeSet::new();
    for some in candidates.chunks(LOOKED_AT) {
        there.extend(done.fetch(some).await?.iter().map(|raw| (Some(raw.internal_date), recognise(raw))));
    }
    done.close().await;
    let is_there = |mail: &Original| there.contains(&(mail.received_at, mail.digest.clone()));
    Ok(filed.into_iter().filter(|(_, mail)| is_there(mail)).map(|(uid, _)| uid).collect())
}

async fn settle(
    store: &Store,
    action: ServerAction,
    asked: &[MailUid],
    outcome: &[(MailUid, Settled)],
    as_done: ActionSettled<'_>,
) -> Result<Acted, StoreError> {
    let of = |wanted: fn(Settled) -> bool| -> Vec<MailUid> {
        outcome.iter().filter(|(_, settled)| wanted(*settled)).map(|(uid, _)| uid.clone()).collect()
    };
    let done = of(|settled| matches!(settled, Settled::Filed | Settled::Gone));
    let moot = of(|settled| settled == Settled::Stale);
    let settled: HashSet<&MailUid> = done.iter().chain(&moot).collect();
    let failed: Vec<MailUid> = asked.iter().filter(|uid| !settled.contains(uid)).cloned().collect();
    store.action_done(&done, as_done).await?;
    store.action_done(&moot, ActionSettled::Moot).await?;
    store.action_done(&failed, ActionSettled::Failed).await?;
    for uid in &failed {
        tracing::warn!(mail = %uid, action = action.as_str(), "the mail is still in its folder; it will be tried again");
    }
    let (filed, deleted) = if action == ServerAction::Delete { (0, done.len()) } else { (done.len(), 0) };
    Ok(Acted { filed, deleted, moot: moot.len(), failed: failed.len() })
}

/// Originals that are to be expunged, and what is known of them so far. In a folder for filed mail they have another UID than they had when
/// they were booked: what arrived at the same moment or has the same size is fetched, and tells by its content which mail it is.
pub struct Search<'a> {
    due: &'a [Original],
    arrivals: HashSet<i64>,
    sizes: HashSet<i64>,
    /// Neither arrival nor size of one of them was written down: any mail may be it.
    any: bool,
    /// Those that were found, and whether all copies are gone.
    found: BTreeMap<Pseudonym, bool>,
}

impl<'a> Search<'a> {
    /// For these; nowhere has been looked yet.
    #[must_use]
    pub fn new(due: &'a [Original]) -> Self {
        Self {
            due,
            arrivals: due.iter().filter_map(|mail| mail.received_at).collect(),
            sizes: due.iter().filter_map(|mail| mail.size).collect(),
            any: due.iter().any(|mail| mail.received_at.is_none() && mail.size.is_none()),
            found: BTreeMap::new(),
        }
    }

    /// Expunges those that lie in the folder on which `session` is open. `recognise` tells a mail by its content.
    ///
    /// # Errors
    /// The mailbox is in trouble.
    pub async fn expunge(&mut self, session: &mut Session, recognise: impl Fn(&RawMail) -> Pseudonym) -> Result<(), MailboxError> {
        let digests: HashSet<&Pseudonym> = self.due.iter().map(|mail| &mail.digest).collect();
        let candidates: Vec<Listed> = session.list().await?.into_iter().filter(|listed| self.may_be_one(listed)).collect();
        let mut copies: Vec<(Pseudonym, MailUid)> = Vec::new();
        for some in candidates.chunks(LOOKED_AT) {
            let raws = session.fetch(some).await?.into_iter().map(|raw| (recognise(&raw), raw.uid));
            copies.extend(raws.filter(|(digest, _)| digests.contains(digest)));
        }
        let uids: Vec<MailUid> = copies.iter().map(|(_, uid)| uid.clone()).collect();
        let removed = if uids.is_empty() { Vec::new() } else { session.remove(&uids).await? };
        let gone: HashSet<MailUid> = removed.into_iter().filter(|(_, settled)| *settled == Settled::Gone).map(|(uid, _)| uid).collect();
        for (digest, uid) in copies {
            *self.found.entry(digest).or_insert(true) &= gone.contains(&uid);
        }
        Ok(())
    }

    /// What became of one of them: whether it is gone; none where it was not found.
    #[must_use]
    pub fn is_gone(&self, mail: &Original) -> Option<bool> {
        self.found.get(&mail.digest).copied()
    }

    /// Arrival and size survive the move.
    fn may_be_one(&self, listed: &Listed) -> bool {
        self.any || self.arrivals.contains(&listed.internal_date) || i64::try_from(listed.size).is_ok_and(|size| self.sizes.contains(&size))
    }
}
