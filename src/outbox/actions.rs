//! The one place where a mail is deleted or filed.
//!
//! It takes its orders from the store, which gives them only for mails whose verdict is committed ([`Booked`]), and it
//! writes an order down as done only after the mailbox was looked at again.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::ServerAction;
use crate::mailbox::{self, Listed, MailboxError, RawMail, Session, Settled};
use crate::store::{ActionSettled, Booked, Due, Original, OriginalSettled, Store, StoreError};
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
        acted.add(settle(store, action, uids, &outcome).await?);
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
    let arrived = |listed: &Listed| filed.iter().any(|(_, mail)| mail.received_at == Some(listed.internal_date));
    let candidates: Vec<Listed> = done.list().await?.into_iter().filter(arrived).collect();
    let mut there = BTreeSet::new();
    for some in candidates.chunks(LOOKED_AT) {
        there.extend(done.fetch(some).await?.iter().map(|raw| (Some(raw.internal_date), recognise(raw))));
    }
    done.close().await;
    let is_there = |mail: &Original| there.contains(&(mail.received_at, mail.digest.clone()));
    Ok(filed.into_iter().filter(|(_, mail)| is_there(mail)).map(|(uid, _)| uid).collect())
}

async fn settle(store: &Store, action: ServerAction, asked: &[MailUid], outcome: &[(MailUid, Settled)]) -> Result<Acted, StoreError> {
    let of = |wanted: fn(Settled) -> bool| -> Vec<MailUid> {
        outcome.iter().filter(|(_, settled)| wanted(*settled)).map(|(uid, _)| uid.clone()).collect()
    };
    let done = of(|settled| matches!(settled, Settled::Filed | Settled::Gone));
    let moot = of(|settled| settled == Settled::Stale);
    let failed: Vec<MailUid> = asked.iter().filter(|uid| !done.contains(uid) && !moot.contains(uid)).cloned().collect();
    store.action_done(&done, ActionSettled::Done).await?;
    store.action_done(&moot, ActionSettled::Moot).await?;
    store.action_done(&failed, ActionSettled::Failed).await?;
    for uid in &failed {
        tracing::warn!(mail = %uid, action = action.as_str(), "the mail is still in its folder; it will be tried again");
    }
    let (filed, deleted) = if action == ServerAction::Delete { (0, done.len()) } else { (done.len(), 0) };
    Ok(Acted { filed, deleted, moot: moot.len(), failed: failed.len() })
}

/// What became of originals that were to be expunged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expunged {
    /// Expunged and, looked for again, not there.
    pub gone: usize,
    /// Not to be found in the folder: somebody moved or removed them.
    pub absent: usize,
    /// Still there; tried again at the next run.
    pub left: usize,
}

/// Expunges originals of a mailbox. `session` is open on its `done` folder, where a mail has another UID than it had when it was booked:
/// what arrived at the same moment or has the same size is fetched, and `recognise` tells by the content which mail it is.
///
/// # Errors
/// The mailbox or the database is in trouble; what is not written down is still due.
pub async fn expunge_originals(
    store: &Store,
    due: &[Original],
    session: &mut Session,
    recognise: impl Fn(&RawMail) -> Pseudonym,
) -> Result<Expunged, ActError> {
    let candidates: Vec<Listed> = session.list().await?.into_iter().filter(|listed| due.iter().any(|mail| may_be(mail, listed))).collect();
    let mut found: BTreeMap<Pseudonym, Vec<MailUid>> = BTreeMap::new();
    for some in candidates.chunks(LOOKED_AT) {
        for raw in session.fetch(some).await? {
            let digest = recognise(&raw);
            if due.iter().any(|mail| mail.digest == digest) {
                found.entry(digest).or_default().push(raw.uid);
            }
        }
    }
    let uids: Vec<MailUid> = found.values().flatten().cloned().collect();
    let removed = if uids.is_empty() { Vec::new() } else { session.remove(&uids).await? };
    let is_gone = |uid: &MailUid| removed.iter().any(|(removed, settled)| removed == uid && *settled == Settled::Gone);
    let (mut gone, mut absent) = (Vec::new(), Vec::new());
    for mail in due {
        match found.get(&mail.digest) {
            None => absent.push(mail.id),
            Some(copies) if copies.iter().all(is_gone) => gone.push(mail.id),
            Some(_) => {}
        }
    }
    store.originals_settled(&gone, OriginalSettled::Gone).await?;
    store.originals_settled(&absent, OriginalSettled::Absent).await?;
    Ok(Expunged { gone: gone.len(), absent: absent.len(), left: due.len() - gone.len() - absent.len() })
}

/// Arrival and size survive the move; where neither was written down, any mail may be it.
fn may_be(mail: &Original, listed: &Listed) -> bool {
    let size = i64::try_from(listed.size).ok();
    match (mail.received_at, mail.size) {
        (None, None) => true,
        (received_at, bytes) => received_at == Some(listed.internal_date) || (bytes.is_some() && bytes == size),
    }
}
