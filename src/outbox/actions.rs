//! The one place where a mail is deleted or filed.
//!
//! It takes its orders from the store, which gives them only for mails whose verdict is committed ([`Booked`]), and it
//! writes an order down as done only after the mailbox was looked at again.

use crate::decide::ServerAction;
use crate::mailbox::{MailboxError, Session, Settled};
use crate::store::{ActionSettled, Booked, Due, Store, StoreError};
use crate::words::{MailUid, MailboxId};

/// How many orders are fetched at a time.
const ORDERS: u64 = 500;

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

/// Carries out all orders for this mailbox that are due.
///
/// # Errors
/// The mailbox or the database is in trouble.
pub async fn act_due(store: &Store, mailbox: &MailboxId, session: &mut Session) -> Result<Acted, ActError> {
    let mut acted = Acted::default();
    loop {
        let due = store.due_actions(mailbox, ORDERS).await?;
        if due.is_empty() {
            return Ok(acted);
        }
        // Every order leaves this loop settled or postponed, so that it ends.
        acted.add(act(store, &due, session).await?);
    }
}

/// Carries out the orders of a booking that was just committed, without asking for them again.
///
/// # Errors
/// As [`act_due`]. The orders then stay due.
pub async fn act(store: &Store, booked: &[Booked], session: &mut Session) -> Result<Acted, ActError> {
    let due = Due::of(booked);
    let mut acted = Acted::default();
    for (action, uids) in [(ServerAction::Delete, &due.delete), (ServerAction::File, &due.file)] {
        if uids.is_empty() {
            continue;
        }
        let outcome = match action {
            ServerAction::Delete => session.remove(uids).await,
            _ => session.file(uids).await,
        };
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
