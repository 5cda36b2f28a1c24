//! Who may work: one daemon on an SQLite database; on PostgreSQL any number of them, which share the mailboxes out.
//!
//! On PostgreSQL each mailbox has a row that says who holds it, under which epoch, and until when by the database's clock.
//! [`super::sharing`] takes, renews and gives back; whoever writes for a mailbox asks the row inside the same transaction
//! ([`Store::check_lease`]), so that a daemon that slept through the loss of its lease commits nothing.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::entities::{lease, outbox};
use super::error::While;
use super::sharing::{Sharing, Wish};
use super::{Store, StoreError};
use crate::words::{MailUid, MailboxId};

/// How long a second one waits for the first to end, or for a mailbox.
const PATIENCE: Duration = Duration::from_secs(30);

/// The right to work on this database. On SQLite it is the whole of it, until the lease is dropped; on PostgreSQL it grows
/// and shrinks by mailboxes ([`Lease::hold`]), and what is held when it is dropped ends by itself; [`Lease::release`] gives
/// it back at once.
#[derive(Debug)]
pub struct Lease(Right);

#[derive(Debug)]
enum Right {
    /// Mail that lies in no mailbox: nobody else can be at work on it.
    NoMailbox,
    /// The locked file; the lock ends with the process at the latest. Programs that we start do not inherit it.
    Database { _locked: File },
    /// A share of the mailboxes.
    Share { store: Store, sharing: Arc<Sharing>, _keeper: AbortOnDropHandle<()> },
}

/// One mailbox in our hands; dropping it gives it back.
#[derive(Debug)]
pub struct Hold {
    mailbox: MailboxId,
    ending: CancellationToken,
    sharing: Option<Arc<Sharing>>,
}

impl Hold {
    /// Cancelled when the mailbox is to be given up: another daemon asks for it, or has taken it over.
    #[must_use]
    pub fn ending(&self) -> &CancellationToken {
        &self.ending
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(sharing) = &self.sharing {
            sharing.give_up(&self.mailbox);
        }
    }
}

impl Lease {
    /// The right to book mail that comes from no mailbox (`deliver`).
    #[must_use]
    pub fn without_mailbox() -> Self {
        Self(Right::NoMailbox)
    }

    pub(super) fn is_without_mailbox(&self) -> bool {
        matches!(self.0, Right::NoMailbox)
    }

    /// Waits until the mailbox is ours: as long as it takes to get a fair share, or until another daemon dies.
    pub async fn hold(&self, mailbox: &MailboxId) -> Hold {
        self.wait_for(mailbox, Wish::Share).await
    }

    /// Waits until the mailbox is ours, having asked whoever holds it to hand it over (`run --once`).
    ///
    /// # Errors
    /// [`StoreError::Owned`] when it is not handed over within 30 seconds.
    pub async fn insist(&self, mailbox: &MailboxId) -> Result<Hold, StoreError> {
        tokio::time::timeout(PATIENCE, self.wait_for(mailbox, Wish::Now)).await.map_err(|_| StoreError::Owned(PATIENCE.as_secs()))
    }

    async fn wait_for(&self, mailbox: &MailboxId, wish: Wish) -> Hold {
        let (ending, sharing) = match &self.0 {
            Right::NoMailbox | Right::Database { .. } => (CancellationToken::new(), None),
            Right::Share { sharing, .. } => (sharing.wait_for(mailbox, wish).await, Some(Arc::clone(sharing))),
        };
        Hold { mailbox: mailbox.clone(), ending, sharing }
    }

    /// Returns once another daemon is seen to hold the mailbox.
    pub async fn held_elsewhere(&self, mailbox: &MailboxId) {
        match &self.0 {
            Right::NoMailbox | Right::Database { .. } => std::future::pending().await,
            Right::Share { sharing, .. } => sharing.held_elsewhere(mailbox).await,
        }
    }

    /// Gives everything back at once.
    ///
    /// # Errors
    /// The database is out of reach; it then ends by itself.
    pub async fn release(&self) -> Result<(), StoreError> {
        match &self.0 {
            Right::Share { store, sharing, .. } => sharing.leave(store).await,
            Right::NoMailbox | Right::Database { .. } => Ok(()),
        }
    }

    /// The epoch under which a mailbox is held, for the audit record; 0 where there is none.
    pub(super) fn epoch(&self, mailbox: &MailboxId) -> i64 {
        match &self.0 {
            Right::Share { sharing, .. } => sharing.epoch(mailbox.as_str()).unwrap_or_default(),
            Right::NoMailbox | Right::Database { .. } => 0,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Right::Share { store, sharing, .. } = &self.0 {
            sharing.lose_all();
            // Whoever could still write for one of its mailboxes would have a part in this lease.
            let mut ours = store.0.sharing.lock().unwrap_or_else(PoisonError::into_inner);
            ours.take_if(|ours| Arc::ptr_eq(ours, sharing));
        }
    }
}

impl Store {
    /// Takes the right to work on this database. On SQLite it waits up to 30 s for another daemon to end; all replies that an
    /// earlier process had claimed are then due again at once, since it cannot live any more, and what its failed bookings
    /// left among the attachments is removed. On PostgreSQL it joins those who are at work already.
    ///
    /// # Errors
    /// [`StoreError::Owned`] when another daemon goes on (exit status 75); the database is out of reach.
    pub async fn own(&self) -> Result<Lease, StoreError> {
        self.own_within(PATIENCE).await
    }

    /// As [`Store::own`], with another patience.
    ///
    /// # Errors
    /// As [`Store::own`].
    pub async fn own_within(&self, patience: Duration) -> Result<Lease, StoreError> {
        if !self.is_sqlite() {
            return self.join().await;
        }
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(200);
        loop {
            if let Some(locked) = self.lock_file()? {
                self.void_claims().await?;
                if let Err(error) = self.sweep_attachments().await {
                    tracing::warn!(%error, "what failed bookings may have left among the attachments stays there for now");
                }
                return Ok(Lease(Right::Database { _locked: locked }));
            }
            if waited >= patience {
                return Err(StoreError::Owned(patience.as_secs()));
            }
            tokio::time::sleep(step).await;
            waited += step;
        }
    }

    async fn join(&self) -> Result<Lease, StoreError> {
        let sharing = Arc::new(Sharing::new(self.0.instance.clone()));
        sharing.look(self).await?;
        *self.0.sharing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&sharing));
        let (store, kept) = (self.clone(), Arc::clone(&sharing));
        tracing::info!(daemon = %self.0.instance, "this daemon shares the mailboxes of the database with others");
        let keeper = AbortOnDropHandle::new(tokio::spawn(async move { kept.keep(&store).await }));
        Ok(Lease(Right::Share { store: self.clone(), sharing, _keeper: keeper }))
    }

    /// Refuses when one of these mails lies in a mailbox that is not, or no longer, ours: asked inside every transaction that
    /// writes for a mailbox (T0 to T2). Whoever takes over waits until the transaction has ended. Nothing is asked of
    /// programs that hold no mailbox at all, such as an agent's command.
    pub(super) async fn check_lease<'a>(
        &self,
        transaction: &DatabaseTransaction,
        uids: impl IntoIterator<Item = &'a MailUid>,
    ) -> Result<(), StoreError> {
        let sharing = self.0.sharing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sharing) = sharing else { return Ok(()) };
        let mailboxes: BTreeSet<&str> = uids.into_iter().map(|uid| uid.mailbox.as_str()).collect();
        if mailboxes.is_empty() {
            return Ok(());
        }
        let held = lease::Entity::find()
            .filter(lease::Column::Holder.eq(&self.0.instance))
            .filter(lease::Column::Mailbox.is_in(mailboxes.iter().copied()))
            // Keeps others from taking over, and does not hold up the renewal.
            .lock(LockType::KeyShare)
            .all(transaction)
            .await
            .doing("checking the lease")?;
        let ours = |mailbox: &str| held.iter().any(|row| row.mailbox == mailbox && sharing.epoch(mailbox) == Some(row.epoch));
        if mailboxes.iter().all(|mailbox| ours(mailbox)) { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    fn lock_file(&self) -> Result<Option<File>, StoreError> {
        const DOING: &str = "locking the state directory";
        let file = File::create(self.0.state_dir.join("owner.lock")).map_err(StoreError::files(DOING))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::files(DOING)(error)),
        }
    }

    /// Whether nobody holds the lock of an SQLite database.
    pub(super) fn is_free(&self) -> Result<bool, StoreError> {
        Ok(self.lock_file()?.is_some())
    }

    async fn void_claims(&self) -> Result<(), StoreError> {
        outbox::Entity::update_many()
            .col_expr(outbox::Column::State, Expr::value("due"))
            .col_expr(outbox::Column::ClaimedBy, Expr::value(None::<String>))
            .col_expr(outbox::Column::ClaimedAt, Expr::value(None::<i64>))
            // Whether it went out before the end nobody knows.
            .col_expr(outbox::Column::Unclear, Expr::col(outbox::Column::Unclear).add(1))
            .col_expr(outbox::Column::DueAt, Expr::value(0_i64))
            .filter(outbox::Column::State.eq("claimed"))
            .exec(&self.0.writer)
            .await
            .doing("freeing the replies of an earlier process")
            .map(|_| ())
    }
}
