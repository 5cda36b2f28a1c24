//! Who may work: one daemon on an SQLite database, one daemon a mailbox on PostgreSQL.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Statement};
use tokio::task::AbortHandle;

use super::entities::{lease, outbox};
use super::error::While;
use super::{Store, StoreError};
use crate::words::{MailUid, MailboxId};

/// How long a second daemon waits for the first one to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a lease lasts without being renewed.
const LEASE_MILLISECONDS: i64 = 15_000;
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// The time by PostgreSQL's own clock: daemons on several machines need not agree on theirs.
const DATABASE_NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// The right to book mails of some mailboxes. Dropping it gives it back (on PostgreSQL after at most 15 s;
/// [`Lease::release`] does it at once).
#[derive(Debug)]
pub struct Lease(Right);

#[derive(Debug)]
enum Right {
    /// Mail that lies in no mailbox: nobody else can be at work on it.
    NoMailbox,
    /// The locked file; the lock ends with the process at the latest. Programs that we start do not inherit it.
    Database { _locked: File },
    /// One epoch for each mailbox.
    Mailboxes { store: Store, epochs: BTreeMap<String, i64>, lost: Arc<AtomicBool>, renewal: AbortHandle },
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

    /// False once another daemon has taken over: stop working, nothing more can be booked.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match &self.0 {
            Right::NoMailbox | Right::Database { .. } => true,
            Right::Mailboxes { lost, .. } => !lost.load(Ordering::SeqCst),
        }
    }

    /// Gives the right back at once.
    ///
    /// # Errors
    /// The database is out of reach; the lease then ends by itself.
    pub async fn release(self) -> Result<(), StoreError> {
        if let Right::Mailboxes { store, epochs, renewal, .. } = &self.0 {
            renewal.abort();
            lease::Entity::update_many()
                .col_expr(lease::Column::ExpiresAt, Expr::value(0_i64))
                .filter(lease::Column::Mailbox.is_in(epochs.keys()))
                .filter(lease::Column::Holder.eq(&store.0.instance))
                .exec(&store.0.writer)
                .await
                .doing("giving the mailboxes back")?;
        }
        Ok(())
    }

    /// Refuses when one of the mailboxes is not, or no longer, ours (T1: a stale epoch commits nothing).
    pub(super) async fn check<'a>(
        &self,
        transaction: &DatabaseTransaction,
        uids: impl Iterator<Item = &'a MailUid>,
    ) -> Result<(), StoreError> {
        let Right::Mailboxes { store, epochs, .. } = &self.0 else { return Ok(()) };
        let mailboxes: std::collections::BTreeSet<&str> = uids.map(|uid| uid.mailbox.as_str()).collect();
        let held = lease::Entity::find()
            .filter(lease::Column::Holder.eq(&store.0.instance))
            .filter(lease::Column::Mailbox.is_in(mailboxes.iter().copied()))
            .lock_shared()
            .all(transaction)
            .await
            .doing("checking the lease")?;
        let ours = |mailbox: &str| held.iter().any(|row| row.mailbox == mailbox && epochs.get(mailbox) == Some(&row.epoch));
        if mailboxes.iter().all(|mailbox| ours(mailbox)) { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// The epoch under which a mailbox is held, for the audit record; 0 where there is none.
    pub(super) fn epoch(&self, mailbox: &MailboxId) -> i64 {
        match &self.0 {
            Right::Mailboxes { epochs, .. } => epochs.get(mailbox.as_str()).copied().unwrap_or_default(),
            Right::NoMailbox | Right::Database { .. } => 0,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Right::Mailboxes { renewal, .. } = &self.0 {
            renewal.abort();
        }
    }
}

impl Store {
    /// Takes the right to work on these mailboxes, waiting up to 30 s for another daemon to end. On SQLite all replies
    /// that an earlier process had claimed are due again at once, since it cannot live any more, and what its failed bookings
    /// left among the attachments is removed.
    ///
    /// # Errors
    /// [`StoreError::Owned`] when another daemon goes on (exit status 75).
    pub async fn own(&self, mailboxes: &[MailboxId]) -> Result<Lease, StoreError> {
        self.own_within(mailboxes, PATIENCE).await
    }

    /// As [`Store::own`], with another patience.
    ///
    /// # Errors
    /// As [`Store::own`].
    pub async fn own_within(&self, mailboxes: &[MailboxId], patience: Duration) -> Result<Lease, StoreError> {
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(200);
        let mut epochs = BTreeMap::new();
        loop {
            if self.is_sqlite() {
                if let Some(locked) = self.lock_file()? {
                    self.void_claims().await?;
                    if let Err(error) = self.sweep_attachments().await {
                        tracing::warn!(%error, "what failed bookings may have left among the attachments stays there for now");
                    }
                    return Ok(Lease(Right::Database { _locked: locked }));
                }
            } else {
                for mailbox in mailboxes {
                    if !epochs.contains_key(mailbox.as_str())
                        && let Some(epoch) = self.take_lease(mailbox).await?
                    {
                        epochs.insert(mailbox.as_str().to_owned(), epoch);
                    }
                }
                if epochs.len() >= mailboxes.iter().collect::<std::collections::BTreeSet<_>>().len() {
                    return Ok(self.keep(epochs));
                }
                self.renew(&epochs).await?;
            }
            if waited >= patience {
                return Err(StoreError::Owned(patience.as_secs()));
            }
            tokio::time::sleep(step).await;
            waited += step;
        }
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

    async fn take_lease(&self, mailbox: &MailboxId) -> Result<Option<i64>, StoreError> {
        const DOING: &str = "taking a mailbox";
        let sql = format!(
            "INSERT INTO lease (mailbox, holder, epoch, expires_at) VALUES ($1, $2, 1, {DATABASE_NOW} + {LEASE_MILLISECONDS}) \
             ON CONFLICT (mailbox) DO UPDATE SET holder = excluded.holder, epoch = lease.epoch + 1, expires_at = excluded.expires_at \
             WHERE lease.expires_at < {DATABASE_NOW} RETURNING epoch"
        );
        let values = [mailbox.as_str().to_owned().into(), self.0.instance.clone().into()];
        let row = self.0.writer.query_one_raw(Statement::from_sql_and_values(self.0.writer.get_database_backend(), sql, values));
        row.await.doing(DOING)?.map(|row| row.try_get_by_index(0)).transpose().doing(DOING)
    }

    /// How many of these leases are still ours; they then last anew.
    async fn renew(&self, epochs: &BTreeMap<String, i64>) -> Result<u64, StoreError> {
        if epochs.is_empty() {
            return Ok(0);
        }
        let mut held = Condition::any();
        for (mailbox, epoch) in epochs {
            held = held.add(lease::Column::Mailbox.eq(mailbox).and(lease::Column::Epoch.eq(*epoch)));
        }
        let renewed = lease::Entity::update_many()
            .col_expr(lease::Column::ExpiresAt, Expr::cust(format!("{DATABASE_NOW} + {LEASE_MILLISECONDS}")))
            .filter(lease::Column::Holder.eq(&self.0.instance))
            .filter(held)
            .exec(&self.0.writer)
            .await
            .doing("renewing the lease")?;
        Ok(renewed.rows_affected)
    }

    fn keep(&self, epochs: BTreeMap<String, i64>) -> Lease {
        let lost = Arc::new(AtomicBool::new(false));
        let (store, watched, all) = (self.clone(), Arc::clone(&lost), epochs.clone());
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                // An error is no loss: T1 asks the database itself.
                if let Ok(renewed) = store.renew(&all).await
                    && renewed < all.len() as u64
                {
                    watched.store(true, Ordering::SeqCst);
                    return;
                }
            }
        })
        .abort_handle();
        Lease(Right::Mailboxes { store: self.clone(), epochs, lost, renewal })
    }
}
