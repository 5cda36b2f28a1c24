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
/// How often it looks meanwhile.
const STEP: Duration = Duration::from_millis(200);

/// Locks in the state directory: for the one daemon of an SQLite database, and for whoever expunges filed mail there.
const OWNER: &str = "owner.lock";
const EXPUNGING: &str = "expunging.lock";

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
    Database { store: Store, _locked: File },
    /// SQLite, beside the daemon.
    Visit { store: Store },
    /// A share of the mailboxes.
    Share { store: Store, sharing: Arc<Sharing>, _keeper: AbortOnDropHandle<()> },
}

/// One mailbox in our hands; dropping it gives it back.
#[derive(Debug)]
pub struct Hold {
    mailbox: MailboxId,
    ending: CancellationToken,
    by: HeldBy,
}

/// What is given back.
#[derive(Debug)]
enum HeldBy {
    /// The mailbox is ours with the whole database.
    Owner,
    /// Nobody else expunges meanwhile.
    Lock { _locked: File },
    /// An epoch of a lease.
    Lease { sharing: Arc<Sharing>, epoch: i64 },
}

impl Hold {
    pub(super) fn mailbox(&self) -> &MailboxId {
        &self.mailbox
    }

    /// Cancelled when the mailbox is to be given up: another daemon asks for it, or has taken it over.
    #[must_use]
    pub fn ending(&self) -> &CancellationToken {
        &self.ending
    }

    /// Gives it back although others of this process may be at work in it: they are the last.
    pub fn let_go(self) {
        self.ending.cancel();
    }
}

impl Hold {
    fn leased(mailbox: &MailboxId, sharing: &Arc<Sharing>, (epoch, ending): (i64, CancellationToken)) -> Self {
        Self { mailbox: mailbox.clone(), ending, by: HeldBy::Lease { sharing: Arc::clone(sharing), epoch } }
    }

    /// On SQLite, where the daemon and commands expunge; one at a time.
    fn expunging(store: &Store, mailbox: &MailboxId) -> Result<Option<Self>, StoreError> {
        let locked = store.lock_file(EXPUNGING)?;
        let by = |locked| HeldBy::Lock { _locked: locked };
        Ok(locked.map(|locked| Self { mailbox: mailbox.clone(), ending: CancellationToken::new(), by: by(locked) }))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let HeldBy::Lease { sharing, epoch } = &self.by {
            sharing.give_up(&self.mailbox, *epoch);
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

    /// Waits until the mailbox is ours, having asked whoever holds it to hand it over (`run --once`, [`Store::visit`]).
    ///
    /// # Errors
    /// [`StoreError::Owned`] when it is not handed over within 30 seconds; a lock cannot be taken.
    pub async fn insist(&self, mailbox: &MailboxId) -> Result<Hold, StoreError> {
        let insisting = async {
            let Right::Visit { store } = &self.0 else { return Ok(self.wait_for(mailbox, Wish::Now).await) };
            loop {
                if let Some(hold) = Hold::expunging(store, mailbox)? {
                    return Ok(hold);
                }
                tokio::time::sleep(STEP).await;
            }
        };
        tokio::time::timeout(PATIENCE, insisting).await.map_err(|_| StoreError::Owned(PATIENCE.as_secs()))?
    }

    /// To expunge what is filed in a mailbox that is ours, beside the work on its new mail. None: it is not ours, or is to be given up, or
    /// another process expunges there.
    ///
    /// # Errors
    /// A lock cannot be taken.
    pub fn for_expunging(&self, mailbox: &MailboxId) -> Result<Option<Hold>, StoreError> {
        match &self.0 {
            Right::NoMailbox => Ok(None),
            Right::Database { store, .. } | Right::Visit { store } => Hold::expunging(store, mailbox),
            Right::Share { sharing, .. } => Ok(sharing.join(mailbox).map(|joined| Hold::leased(mailbox, sharing, joined))),
        }
    }

    async fn wait_for(&self, mailbox: &MailboxId, wish: Wish) -> Hold {
        match &self.0 {
            Right::NoMailbox | Right::Database { .. } | Right::Visit { .. } => {
                Hold { mailbox: mailbox.clone(), ending: CancellationToken::new(), by: HeldBy::Owner }
            }
            Right::Share { sharing, .. } => Hold::leased(mailbox, sharing, sharing.wait_for(mailbox, wish).await),
        }
    }

    /// Returns once another daemon is seen to hold the mailbox.
    pub async fn held_elsewhere(&self, mailbox: &MailboxId) {
        match &self.0 {
            Right::NoMailbox | Right::Database { .. } | Right::Visit { .. } => std::future::pending().await,
            Right::Share { sharing, .. } => sharing.held_elsewhere(mailbox).await,
        }
    }

    /// Whether there may be other daemons to take what this one lets go.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Right::Share { .. })
    }

    /// Gives everything back at once.
    ///
    /// # Errors
    /// The database is out of reach; it then ends by itself.
    pub async fn release(&self) -> Result<(), StoreError> {
        match &self.0 {
            Right::Share { store, sharing, .. } => sharing.leave(store).await,
            Right::NoMailbox | Right::Database { .. } | Right::Visit { .. } => Ok(()),
        }
    }

    /// The epoch under which a mailbox is held, for the audit record; 0 where there is none.
    pub(super) fn epoch(&self, mailbox: &MailboxId) -> i64 {
        match &self.0 {
            Right::Share { sharing, .. } => sharing.epoch(mailbox.as_str()).unwrap_or_default(),
            Right::NoMailbox | Right::Database { .. } | Right::Visit { .. } => 0,
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
            tracing::info!(daemon = %self.0.instance, "this daemon shares the mailboxes of the database with others");
            return self.join().await;
        }
        let mut waited = Duration::ZERO;
        loop {
            if let Some(locked) = self.lock_file(OWNER)? {
                self.void_claims().await?;
                if let Err(error) = self.sweep_attachments().await {
                    tracing::warn!(%error, "what failed bookings may have left among the attachments stays there for now");
                }
                return Ok(Lease(Right::Database { store: self.clone(), _locked: locked }));
            }
            if waited >= patience {
                return Err(StoreError::Owned(patience.as_secs()));
            }
            tokio::time::sleep(STEP).await;
            waited += STEP;
        }
    }

    /// The right to take mailboxes for a short while ([`Lease::insist`]) in order to expunge what is filed there: that of a command beside the
    /// daemons.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn visit(&self) -> Result<Lease, StoreError> {
        if self.is_sqlite() { Ok(Lease(Right::Visit { store: self.clone() })) } else { self.join().await }
    }

    async fn join(&self) -> Result<Lease, StoreError> {
        let sharing = Arc::new(Sharing::new(self.0.instance.clone()));
        sharing.look(self).await?;
        *self.0.sharing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&sharing));
        let (store, kept) = (self.clone(), Arc::clone(&sharing));
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
        self.check_lease_on(transaction, uids.into_iter().map(|uid| uid.mailbox.as_str()).collect()).await
    }

    /// The same for mailboxes.
    pub(super) async fn check_lease_on(&self, transaction: &DatabaseTransaction, mailboxes: BTreeSet<&str>) -> Result<(), StoreError> {
        let sharing = self.0.sharing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sharing) = sharing else { return Ok(()) };
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

    fn lock_file(&self, name: &str) -> Result<Option<File>, StoreError> {
        const DOING: &str = "locking the state directory";
        let fault = StoreError::files(DOING, &self.0.state_dir);
        let file = File::create(self.0.state_dir.join(name)).map_err(&fault)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(fault(error)),
        }
    }

    /// Whether nobody holds the lock of an SQLite database.
    pub(super) fn is_free(&self) -> Result<bool, StoreError> {
        Ok(self.lock_file(OWNER)?.is_some())
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
